"""The language is the first part of the path, and nothing else decides it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from commonweal.kernel.text import Text
from commonweal.web import languages

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("zh-CN,zh;q=0.9", "zh"),
        ("en-GB", "en"),
        ("de, en;q=0.5", "en"),
        ("de", "zh"),
        ("", "zh"),
        ("zh-TW;q=0.3, en-US;q=0.9", "en"),
        ("*", "zh"),
        ("x" * 5000, "zh"),
    ],
)
def test_path_without_language_leads_to_the_visitors(client: Client, asked: str, language: str) -> None:
    answer = client.get("/design/?a=b", headers={"accept-language": asked})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/{language}/design/?a=b")
    assert {"Accept-Language", "Cookie"} <= set(answer.headers["Vary"].split(", "))


def test_last_page_decides_over_the_browser(client: Client) -> None:
    client.get("/zh/")
    assert client.get("/", headers={"accept-language": "en"}).headers["Location"] == "/zh/"
    client.get("/en/")
    assert client.get("/", headers={"accept-language": "zh"}).headers["Location"] == "/en/"
    client.cookies[languages.COOKIE] = "xx"
    assert client.get("/", headers={"accept-language": "zh"}).headers["Location"] == "/zh/"


def test_missing_slash_is_put_right(client: Client) -> None:
    assert client.get("/zh/search").headers["Location"] == "/zh/search/"
    assert client.get("/en").headers["Location"] == "/en/"
    assert client.get("/search", headers={"accept-language": "en"}).headers["Location"] == "/en/search/"


@pytest.mark.parametrize("path", ["/nothing/", "/zhx/", "/zh/nothing/", "/fr/", "/zh/en/", "/zh//evil.example/"])
def test_unknown_path_is_not_found(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_posting_without_language_is_not_redirected(client: Client) -> None:
    assert client.post("/search/").status_code == 404


def test_addresses_follow_the_language_of_the_request() -> None:
    with translation.override("zh-hans"):
        assert reverse("search") == "/zh/search/"
        assert reverse("healthz") == "/healthz"
        assert languages.said(Text("a", "甲")) == "甲"
    with translation.override("en"):
        assert reverse("search") == "/en/search/"
        assert languages.said(Text("a", "甲")) == "a"
        assert languages.said("name") == "name"


def test_same_page_in_the_other_language() -> None:
    assert languages.other("/zh/giving/?page=2", "en") == "/en/giving/?page=2"
    assert languages.other("/nothing", "zh") == "/zh/"


def test_pages_say_their_language_and_where_the_other_is(client: Client) -> None:
    page = client.get("/zh/search/?q=a").content.decode()
    assert '<html lang="zh-Hans"' in page
    assert '<link rel="alternate" hreflang="en" href="/en/search/?q=a">' in page
