"""The first page, the search, the sitemaps: all from what the services offer."""

from __future__ import annotations

from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest
from django.test import Client

from commonweal.kernel import registry
from commonweal.kernel.registry import Card, Figure, Hit, Link, Service
from commonweal.kernel.text import Text
from commonweal.web import context
from commonweal.web.pages import home

pytestmark = pytest.mark.django_db

FLOUR = Hit(Text("Flour", "面粉"), Text("A sack.", "一袋。"), "/en/flour/")
QUERIES = SimpleNamespace(
    headline=lambda: [Figure(Text("Loaves <baked>", "面包"), 48112, "/proof/of/loaves")],
    needed_now=lambda: [
        Card(Text("Flour", "面粉"), Text("A sack.", "一袋。"), Text("Mill", "磨坊"), "/en/flour/", 1, 4),
        Card(Text("Yeast", "酵母"), Text("A cube.", "一块。"), Text("Mill", "磨坊"), "/en/yeast/"),
    ],
    search=lambda text, limit: (
        [Hit(Text("Flour", "面粉"), Text("A sack.", "一袋。"), "/en/flour/")] * (text == "flour")
    ),
    public_pages=lambda: ["/en/flour/"],
)


@pytest.fixture
def bakery(monkeypatch: pytest.MonkeyPatch) -> Service:
    """The only service that there is, made of plain values."""
    modules = {"queries": QUERIES, "pages": SimpleNamespace()}
    monkeypatch.setattr(Service, "module", lambda self, part: modules.get(part))
    service = Service(
        "bakery", Text("Bakery", "面包房"), Text("Bread for all.", "人人有面包。"), drawing="hands", hue=60
    )
    for module in (home, context, registry):
        monkeypatch.setattr(module, "services", lambda: (service,))
    return service


def test_home_shows_what_services_offer(client: Client, bakery: Service) -> None:
    page = client.get("/en/").content.decode()
    for piece in ("Bakery", "Bread for all.", "48,112", 'href="/proof/of/loaves"', "Flour", "Yeast", 'data-hue="60"'):
        assert piece in page
    assert "<baked>" not in page
    assert 'aria-label="25 % of the goal"' in page
    assert "面包房" in client.get("/zh/").content.decode()


def test_every_service_gets_its_turn() -> None:
    a, b = (Service(name, Text("a", "甲"), Text("a", "甲")) for name in ("aa", "bb"))
    cards = [Card(Text(str(n), str(n)), Text("a", "甲"), Text("a", "甲"), "/") for n in range(5)]
    turns = home.in_turn([(a, cards[:3]), (b, cards[3:4])], 3)
    assert [(service.name, card.title.en) for service, card in turns] == [("aa", "0"), ("bb", "3"), ("aa", "1")]
    assert home.in_turn([], 3) == []


def test_search_finds_and_says_when_it_does_not(client: Client, bakery: Service) -> None:
    assert "1 found" in client.get("/en/search/?q=flour").content.decode()
    nothing = client.get("/en/search/", {"q": "<script>"}).content.decode()
    assert "0 found" in nothing
    assert "<script>" not in nothing.replace('<script type="module"', "")
    assert "found" not in client.get("/en/search/?q=%20").content.decode()


def test_sitemap_lists_public_pages_in_both_languages(client: Client, bakery: Service) -> None:
    answer = client.get("/sitemap.xml")
    assert answer.headers["Content-Type"] == "application/xml"
    tree = ET.fromstring(answer.content)
    listed = [place.text for place in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    for address in ("/zh/", "/en/", "/zh/bakery/", "/en/bakery/", "/en/flour/", "/zh/search/"):
        assert f"http://testserver{address}" in listed
    assert "Sitemap: http://testserver/sitemap.xml" in client.get("/robots.txt").content.decode()
    assert "/en/bakery/" in client.get("/en/sitemap/").content.decode()


def test_theme_is_kept_in_a_cookie(client: Client) -> None:
    answer = client.post("/theme", {"theme": "dark", "next": "/en/design/"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/en/design/")
    assert 'data-theme="dark"' in client.get("/en/").content.decode()
    client.post("/theme", {"theme": "system"})
    assert "data-theme" not in client.get("/en/").content.decode()
    client.cookies[context.THEME] = '"><script>'
    assert "data-theme" not in client.get("/en/").content.decode()


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "", "/\\evil.example"]
)
def test_theme_leads_nowhere_else(client: Client, back: str) -> None:
    location = client.post("/theme", {"theme": "dark", "next": back}).headers["Location"]
    assert location in ("/zh/", "/en/")


def test_links_of_a_service_are_ordered(monkeypatch: pytest.MonkeyPatch) -> None:
    links = (Link("home", Text("b", "乙"), order=20), Link("search", Text("a", "甲"), order=10))
    service = Service("bakery", Text("a", "甲"), Text("a", "甲"), links=links)
    monkeypatch.setattr(context, "services", lambda: (service,))
    monkeypatch.setattr(context, "reverse", lambda name: f"/{name}")
    monkeypatch.setattr(Service, "module", lambda self, part: SimpleNamespace())
    assert [url for _, url in context.doors()[0].links] == ["/bakery:search", "/bakery:home"]


def test_health(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.post("/healthz").status_code == 405
    assert client.head("/zh/").status_code == 200
