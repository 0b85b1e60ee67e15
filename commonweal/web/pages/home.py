"""The first page, the search over everything, the way through the site, and how it looks to you."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from commonweal.kernel import proof
from commonweal.kernel.registry import Card, Figure, Hit, Link, Service, services
from commonweal.kernel.text import LANGUAGES, Text
from commonweal.web import languages
from commonweal.web.context import THEME, THEMES, doors, house_links

links = (
    Link("search", Text("Search", "搜索"), order=10),
    Link("sitemap", Text("All pages", "全部页面"), order=90),
)

NEEDED = 6
"""Cards on the first page; every service gets its turn before one gets a second."""
FOUND = 20
"""Hits of one service that a search shows."""
LONGEST = 100
"""Characters of a search."""
SITEMAP_LIMIT = 50_000
"""Addresses in a sitemap (sitemaps.org)."""


def offered(name: str, *arguments: object) -> list[tuple[Service, list[Any]]]:
    """What each service answers to one of its optional queries (`headline`, `needed_now`, `search`...)."""
    answers = []
    for service in services():
        query: Callable[..., Iterable[Any]] | None = getattr(service.module("queries"), name, None)
        if query is not None:
            answers.append((service, list(query(*arguments))))
    return answers


def in_turn(answers: list[tuple[Service, list[Card]]], limit: int) -> list[tuple[Service, Card]]:
    """The first card of each service, then the second of each, up to `limit`."""
    rounds = max((len(cards) for _, cards in answers), default=0)
    mixed = [(service, cards[n]) for n in range(rounds) for service, cards in answers if n < len(cards)]
    return mixed[:limit]


def own_figures() -> list[Figure]:
    """What the house itself counts: the facts in the public log."""
    with connection.cursor() as cursor:
        head = proof.head(cursor)
    title = Text("Facts in the public log", "公开日志中的记录")
    return [Figure(title, head.size, reverse("transparency"))] if head else []


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this is, and what one can do here."""
    figures = [figure for _, found in offered("headline") for figure in found] + own_figures()
    cards = in_turn(offered("needed_now"), NEEDED)
    notices = [text for _, found in offered("announced") for text in found]
    return render(request, "web/home.html", {"figures": figures, "cards": cards, "notices": notices})


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Everything in which the words occur, service by service."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST]
    found: list[tuple[Service, list[Hit]]] = []
    if text:
        found = [(service, hits) for service, hits in offered("search", text, FOUND) if hits]
    count = sum(len(hits) for _, hits in found)
    return render(request, "web/search.html", {"text": text, "found": found, "count": count})


@require_safe
def site(request: HttpRequest) -> HttpResponse:
    """Every page that can be opened without knowing an address."""
    return render(request, "web/sitemap.html")


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """The same for search engines: also what a service offers as `queries.public_pages() -> list[str]`."""
    root = settings.URL or f"{request.scheme}://{request.get_host()}"
    pages = []
    for language in LANGUAGES:
        with translation.override(languages.DJANGO[language]):
            pages.append(reverse("home"))
            pages += [url for _, url in house_links()]
            for door in doors():
                pages += [door.url, *(url for _, url in door.links if url != door.url)]
            pages += [url for _, found in offered("public_pages") for url in found]
    context = {"root": root, "pages": [(page, _alternates(page)) for page in pages[:SITEMAP_LIMIT]]}
    return render(request, "web/sitemap.xml", context, content_type="application/xml")


def _alternates(page: str) -> list[tuple[str, str]]:
    return [(languages.HTML[language], languages.other(page, language)) for language in LANGUAGES]


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Everything public may be read by everybody."""
    root = settings.URL or f"{request.scheme}://{request.get_host()}"
    lines = ["User-agent: *", "Disallow: /*/account/", f"Sitemap: {root}/sitemap.xml", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain")


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether this process reaches the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@csrf_exempt  # changes nothing but the colours that this browser shows
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark, or (anything else) the system's own choice."""
    wanted, back = request.POST.get("theme", ""), request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(back if safe else reverse("home"), status=303)
    if wanted in THEMES:
        response.set_cookie(THEME, wanted, max_age=365 * 24 * 3600, samesite="Lax", secure=request.is_secure())
    else:
        response.delete_cookie(THEME, samesite="Lax")
    return response


urlpatterns = [
    path("", home, name="home"),
    path("search/", search, name="search"),
    path("sitemap/", site, name="sitemap"),
]
without_language = [
    path("theme", theme, name="theme"),
    path("sitemap.xml", sitemap, name="sitemap-xml"),
    path("robots.txt", robots, name="robots"),
    path("healthz", healthz, name="healthz"),
]
