"""What every page knows without its view saying so."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.functional import SimpleLazyObject

from commonweal.kernel import proof
from commonweal.kernel.registry import services
from commonweal.kernel.text import LANGUAGES
from commonweal.web import languages

THEME = "theme"
"""The cookie of the chosen theme: `light`, `dark`, or none for that of the system."""
THEMES = ("light", "dark")


def house(request: HttpRequest) -> dict[str, Any]:
    """Language, theme, services, where we are, and (read only if the page asks for it) the newest checkpoint."""
    language = languages.current()
    theme = request.COOKIES.get(THEME, "")
    name = service_of(request)
    return {
        "language": language,
        "html_language": languages.HTML[language],
        "here_in": {other: languages.other(request.get_full_path(), other) for other in LANGUAGES},
        "path_here": request.get_full_path(),
        "theme": theme if theme in THEMES else "",
        "services": services(),
        "service": next((service for service in services() if service.name == name), None),
        "demonstration": settings.DEMONSTRATION,
        "checkpoint": SimpleLazyObject(_checkpoint),
    }


def _checkpoint() -> Any:
    with connection.cursor() as cursor:
        return proof.head(cursor)


def service_of(request: HttpRequest) -> str:
    """The service whose page this is (its URL namespace), or an empty string for pages of the house."""
    match = request.resolver_match
    if match is None:
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return ""
    return match.namespaces[0] if match.namespaces else ""
