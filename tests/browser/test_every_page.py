"""Every address of the platform, in both languages and both themes: nobody is left out, and nothing is heavy."""

from __future__ import annotations

import urllib.request

import pytest

from tests.browser.fixtures import Looker, Site
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


VISITORS = ("", "giver@demo.example", "steward@demo.example")
_answered: dict[tuple[str, Sample], str | None] = {}


def _address(site: Site, address: Address, sample: Sample, language: str) -> str:
    if address.takes_arguments and not sample.arguments:
        pytest.fail(f"{address.name} takes arguments and has no sample: give one in the tests/samples.py of its folder")
    arguments = site.row(sample.arguments) if isinstance(sample.arguments, str) else sample.arguments
    return site.address(address.name, *arguments, language=language, query=sample.query)


def _visitor(site: Site, address: Address, sample: Sample) -> str | None:
    """Who opens the page; None if it is not one: it takes POST only, or hands out a file."""
    if sample.prepare:
        return sample.visitor
    if (address.name, sample) not in _answered:
        url = _address(site, address, sample, "zh")
        tried = {}
        for visitor in (sample.visitor,) if sample.visitor else VISITORS:
            status, kind = tried[visitor] = site.knock(url, visitor)
            if status in (200, 405):
                is_page = status == 200 and kind.startswith("text/html")
                _answered[address.name, sample] = visitor if is_page else None
                break
        else:
            pytest.fail(f"{url} opens to nobody ({tried}): give a sample, or say why it is not a page")
    return _answered[address.name, sample]


SPEECHLESS = [(address, sample) for address, sample in PLAN if not address.spoken and not sample.not_a_page]
PAGES = [(address, sample) for address, sample in PLAN if address.spoken and not sample.not_a_page]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("address", "sample"), PAGES, ids=_name)
def test_page_is_open_to_everyone(site: Site, looker: Looker, address: Address, sample: Sample, language: str) -> None:
    visitor = _visitor(site, address, sample)
    if visitor is None:
        return
    url = _address(site, address, sample, language)
    page = looker.page
    looker.start_anew()
    if visitor:
        looker.context.add_cookies(site.cookies(visitor))  # type: ignore[arg-type]
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
    if sample.prepare:
        sample.prepare(page, site)
        looker.requests.clear()
    answer = page.goto(url)
    assert answer is not None
    assert (answer.status, page.url) == (200, url)
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert page.locator("html").get_attribute("lang") == {"zh": "zh-Hans", "en": "en"}[language]
    assert page.locator("h1").count() == 1
    assert page.title().partition(" · ")[0].strip()
    view, pictures = looker.weight()
    assert view <= FIRST_VIEW
    assert view + pictures <= WITH_PICTURES
    assert looker.violations("light") == []
    assert looker.violations("dark") == []
    page.set_viewport_size({"width": NARROWEST, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROWEST, "scrolls sideways"
    assert looker.complaints == []


@pytest.mark.parametrize(("address", "sample"), SPEECHLESS, ids=_name)
def test_what_has_no_language_answers(site: Site, looker: Looker, address: Address, sample: Sample) -> None:
    url = _address(site, address, sample, "en")
    with urllib.request.urlopen(url) as answer:
        assert answer.status == 200
        kind = answer.headers["Content-Type"]
    if kind.startswith("text/html"):
        looker.page.goto(url)
        assert looker.violations("light") == []
        assert looker.violations("dark") == []
