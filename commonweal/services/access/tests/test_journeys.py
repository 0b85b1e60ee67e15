"""From A to B as people go: by keyboard and the names that a screen reader says, without scripts, on a moving map."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.fixtures import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SAID = {
    "zh": {
        "from": "起点", "to": "终点", "with": "出行方式", "unknown": "情况不明的路段", "find": "查找路线", "km": "公里",
        "way": "出发", "none": "没有适合您的路线", "strict": "只走资料齐全的路", "open": "打开可移动的地图",
        "map": "可移动的地图", "region": "无障碍地图",
    },
    "en": {
        "from": "From", "to": "To", "with": "I travel with", "unknown": "What is not known", "find": "Find the way",
        "km": "km", "way": "Set off", "none": "No way for you", "strict": "only where all is known",
        "open": "Open the map that can be moved", "map": "Map that can be moved", "region": "Step-free map",
    },
}  # fmt: skip


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    """A tab that runs no scripts."""
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_from_a_to_b_by_keyboard_and_names_alone_without_scripts(site: Site, plain: Page, language: str) -> None:
    say = SAID[language]
    plain.goto(site.address("access:route", language=language))
    plain.get_by_role("textbox", name=say["from"], exact=False).first.focus()
    plain.keyboard.type("29.600674,123.400775")
    plain.keyboard.press("Tab")
    plain.keyboard.type("tushuguan")
    for _ in range(4):  # profile, rule for the unknown, coordinates, button
        plain.keyboard.press("Tab")
    plain.keyboard.press("Enter")
    expect(plain.get_by_role("heading", level=2)).to_contain_text(say["km"])
    tree = plain.locator("#answer").aria_snapshot()
    steps = [line for line in tree.splitlines() if "listitem" in line]
    assert say["way"] in steps[0] and len(steps) > 3
    assert "img " in tree
    plain.get_by_role("combobox", name=say["unknown"]).select_option(label=say["strict"])
    plain.get_by_role("button", name=say["find"]).press("Enter")
    expect(plain.get_by_role("heading", level=2)).to_have_text(say["none"])
    assert plain.locator("svg .way").count() == 0


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_map_that_can_be_moved_asks_nobody_else(site: Site, page: Page, language: str) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(site.address("access:place", "district", "node", 63, language=language))
    assert not [url for url in asked if "vendor" in url or "pmtiles" in url], "loaded before anybody asked"
    button = page.get_by_role("button", name=SAID[language]["open"])
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("figure[data-shown]", timeout=60_000)
    assert int(page.locator("figure").get_attribute("data-shown") or 0) > 10
    expect(page.locator(f'canvas[aria-label="{SAID[language]["map"]}"]')).to_be_visible()
    assert any(url.endswith("worker.mjs") or "maplibre-gl-worker" in url for url in asked)
    assert [url for url in asked if not url.startswith((site.url, "blob:", "data:"))] == []
    assert said == []


def test_the_pack_can_be_fetched(site: Site, page: Page) -> None:
    answer = page.request.get(f"{site.url}/live/access/maps/district/map.pmtiles", headers={"Range": "bytes=0-6"})
    assert (answer.status, answer.body()) == (206, b"PMTiles")
    assert answer.headers["content-range"].startswith("bytes 0-6/")
    regions = json.loads(page.request.get(f"{site.url}/api/v1/access/regions").body())
    assert regions[0]["name"] == "district"
