"""What every page knows without its view saying so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse
from django.utils.functional import SimpleLazyObject

from commonweal.kernel import proof
from commonweal.kernel.registry import Link, Service, services
from commonweal.kernel.text import LANGUAGES
from commonweal.web import languages
from commonweal.web.pages import modules

THEME = "theme"
"""The cookie of the chosen theme: `light`, `dark`, or none for that of the system."""
THEMES = ("light", "dark")


@dataclass(frozen=True)
class Door:
    """A service as the navigation shows it: where it begins, and its own links with their addresses."""

    service: Service
    url: str
    links: tuple[tuple[Link, str], ...]


def doors() -> list[Door]:
    """The services that have pages, with addresses in the active language."""
    found = []
    for service in services():
        if service.module("pages") is None:
            continue
        in_order = sorted(service.links, key=lambda link: link.order)
        links = tuple((link, reverse(f"{service.name}:{link.url_name}")) for link in in_order)
        found.append(Door(service, f"/{languages.current()}/{service.name}/", links))
    return found


def house_links() -> list[tuple[Link, str]]:
    """The pages of the house that belong into the foot of every page: what each page module offers as `links`."""
    links: list[Link] = [link for module in modules() for link in getattr(module, "links", ())]
    return [(link, reverse(link.url_name)) for link in sorted(links, key=lambda link: link.order)]


def house(request: HttpRequest) -> dict[str, Any]:
    """Language, theme, services, where we are, and (read only if the page asks for it) the newest checkpoint."""
    return without_records(request) | {
        "without_records": False,
        "checkpoint": SimpleLazyObject(_checkpoint),
    }


def without_records(request: HttpRequest) -> dict[str, Any]:
    """As much of it as is known without the session and the database: enough for a page that says that they fail."""
    language = languages.current()
    theme = request.COOKIES.get(THEME, "")
    name = service_of(request)
    here = doors()
    return {
        "language": language,
        "html_language": languages.HTML[language],
        "here_in": {other: languages.other(request.get_full_path(), other) for other in LANGUAGES},
        "here": request.get_full_path(),
        "theme": theme if theme in THEMES else "",
        "doors": here,
        "door": next((door for door in here if door.service.name == name), None),
        "house_links": house_links(),
        "demonstration": settings.DEMONSTRATION,
        "without_records": True,
    }


def service_of(request: HttpRequest) -> str:
    """The service whose page this is (its URL namespace), or an empty string for pages of the house."""
    match = request.resolver_match
    if match is None:
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return ""
    return match.namespaces[0] if match.namespaces else ""


def _checkpoint() -> Any:
    with connection.cursor() as cursor:
        return proof.head(cursor)
