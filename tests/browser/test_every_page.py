"""Every address of the platform, in both languages and both themes: nobody is left out, and nothing is heavy."""

from __future__ import annotations

import gzip
import re
import urllib.request

import pytest

from tests.browser.conftest import Looker, Site
from tests.browser.samples import Address, Sample, visits

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

FIRST_VIEW = 30_000
"""Bytes over the wire of a page with its style and scripts, without pictures."""
WITH_PICTURES = 60_000
NARROWEST = 320

PLAN = visits()


def _name(value: object) -> str | None:
    if isinstance(value, Address):
        return value.name
    if isinstance(value, Sample):
        words = [*(map(str, value.arguments) if not isinstance(value.arguments, str) else ["found"]), value.query]
        return "-".join(word for word in [*words, value.visitor] if word) or "plain"
    return None


def _open(site: Site, address: Address, sample: Sample, language: str) -> str:
    if address.takes_arguments and not sample.arguments and not sample.not_a_page:
        pytest.fail(f"{address.name} takes arguments and has no sample: give one in the tests/samples.py of its folder")
    arguments = site.row(sample.arguments) if isinstance(sample.arguments, str) else sample.arguments
    return site.address(address.name, *arguments, language=language, query=sample.query)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("address", "sample"), [plan for plan in PLAN if plan[0].spoken], ids=_name)
def test_page_is_open_to_everyone(site: Site, looker: Looker, address: Address, sample: Sample, language: str) -> None:
    if sample.not_a_page:
        return
    url = _open(site, address, sample, language)
    page = looker.page
    looker.complaints.clear()
    looker.context.clear_cookies()
    if sample.visitor:
        looker.context.add_cookies(site.cookies(sample.visitor))  # type: ignore[arg-type]
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
    answer = page.goto(url)
    assert answer is not None
    assert (answer.status, page.url) == (200, url), "not a page for this visitor: give it a sample"
    assert "text/html" in answer.headers["content-type"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert page.locator("html").get_attribute("lang") == {"zh": "zh-Hans", "en": "en"}[language]
    assert page.locator("h1").count() == 1
    assert page.title().partition(" · ")[0].strip()
    assert looker.violations("light") == []
    assert looker.violations("dark") == []
    page.set_viewport_size({"width": NARROWEST, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROWEST, "scrolls sideways"
    assert looker.complaints == []


@pytest.mark.parametrize(("address", "sample"), [plan for plan in PLAN if plan[0].spoken], ids=_name)
def test_page_is_light(site: Site, address: Address, sample: Sample) -> None:
    if sample.not_a_page:
        return
    url = _open(site, address, sample, "zh")
    cookies = "; ".join(f"{c['name']}={c['value']}" for c in (site.cookies(sample.visitor) if sample.visitor else []))
    body, weight = _fetch(url, cookies)
    html = body.decode()
    pictures = 0
    for found in set(re.findall(r'<(?:link rel="(?:stylesheet|icon)" href|script[^>]* src)="([^"]+)"', html)):
        weight += _fetch(site.url + found)[1]
    for found in set(re.findall(r'<img[^>]* src="(/[^"]+)"(?![^>]*loading="lazy")', html)):
        pictures += _fetch(site.url + found)[1]
    assert weight <= FIRST_VIEW
    assert weight + pictures <= WITH_PICTURES


def _fetch(url: str, cookies: str = "") -> tuple[bytes, int]:
    """The body, and the bytes that travelled for it: body and head."""
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip", "Cookie": cookies})
    with urllib.request.urlopen(request) as answer:
        raw = answer.read()
        packed = answer.headers.get("Content-Encoding") == "gzip"
        return gzip.decompress(raw) if packed else raw, len(raw) + len(str(answer.headers))


@pytest.mark.parametrize(("address", "sample"), [plan for plan in PLAN if not plan[0].spoken], ids=_name)
def test_what_has_no_language_answers(site: Site, looker: Looker, address: Address, sample: Sample) -> None:
    if sample.not_a_page:
        return
    url = _open(site, address, sample, "en")
    with urllib.request.urlopen(url) as answer:
        assert answer.status == 200
        kind = answer.headers["Content-Type"]
    if kind.startswith("text/html"):
        looker.page.goto(url)
        assert looker.violations("light") == []
        assert looker.violations("dark") == []
