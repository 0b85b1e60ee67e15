"""Every address of the platform, found from the pages of the house and from the registry. Nothing names a service.

A module in `web/pages/` may offer `urlpatterns` (pages, in both languages), `without_language` (files and the like, at
one address for all) and `router` (its part of the API).
"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from commonweal.kernel.registry import services
from commonweal.web.api import api
from commonweal.web.languages import SpokenPath
from commonweal.web.pages import modules

Patterns = list[URLPattern | URLResolver]


def spoken() -> Patterns:
    """The pages: those of the house, then those of each service under its name."""
    found: Patterns = []
    for module in modules():
        found += getattr(module, "urlpatterns", [])
    for service in services():
        if (pages := service.module("pages")) is not None:
            found.append(path(f"{service.name}/", include(pages)))
    return found


def without_language() -> Patterns:
    """What is the same in every language."""
    found: Patterns = [path("api/v1/", api.urls)]
    for module in modules():
        found += getattr(module, "without_language", [])
    return found


urlpatterns: Patterns = [*without_language(), URLResolver(SpokenPath(), spoken())]

handler400 = "commonweal.web.failures.bad_request"
handler403 = "commonweal.web.failures.not_allowed"
handler404 = "commonweal.web.failures.not_found"
handler429 = "commonweal.web.failures.too_many"  # looked up by allauth
handler500 = "commonweal.web.failures.failed"
