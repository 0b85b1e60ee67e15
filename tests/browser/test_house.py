"""The house by hand: slow networks, no JavaScript, the keyboard alone, both themes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from commonweal.kernel.registry import services
from tests.browser.fixtures import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ENTRIES = ["home", "search", "sitemap", *(f"{s.name}:{s.links[0].url_name}" for s in services() if s.links)]
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
FOCUSED = """() => {
    const e = document.activeElement, s = getComputedStyle(e.closest('.card') || e), box = e.getBoundingClientRect()
    const name = e.id || e.name || e.textContent.trim().slice(0, 20)
    return [e.tagName, name, s.outlineStyle, parseFloat(s.outlineWidth), box.width > 0]
}"""
FIRST_PAINT = 1_500
"""Milliseconds to the first contentful paint at 50 kB/s, 400 ms and a quarter of the processor that makes `ROUNDS`."""
SPIN = """() => {
    let most = 0
    for (let k = 0; k < 15; k++) {
        let n = 0, x = 0
        for (const end = performance.now() + 10; performance.now() < end; n++)
            for (let i = 0; i < 1000; i++) x += i * i % 7
        most = Math.max(most, n)
    }
    return most
}"""
ROUNDS = 8_000
"""Of `SPIN`, within ten milliseconds: how fast a processor the limit was set for is."""


@pytest.mark.parametrize("name", ENTRIES)
def test_first_paint_on_a_slow_network(site: Site, browser: Browser, name: str) -> None:
    """The best of twelve fresh visits: whatever else runs on the machine only makes a visit slower."""
    url = site.address(name, language="zh")
    paints: list[float] = []
    while len(paints) < 12 and min(paints, default=FIRST_PAINT + 1) > FIRST_PAINT:
        paints.append(_first_paint(browser, url))
    assert min(paints) <= FIRST_PAINT


def _first_paint(browser: Browser, url: str) -> float:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    developer = context.new_cdp_session(page)
    developer.send("Network.enable")
    developer.send("Network.emulateNetworkConditions", SLOW)
    developer.send("Emulation.setCPUThrottlingRate", {"rate": max(1.0, 4 * page.evaluate(SPIN) / ROUNDS)})
    page.goto(url)
    paint = page.evaluate(
        """new Promise(done => new PerformanceObserver(list => {
            const seen = list.getEntriesByName('first-contentful-paint'); if (seen.length) done(seen[0].startTime)
        }).observe({type: 'paint', buffered: true}))"""
    )
    context.close()
    return float(paint)


def test_everything_works_without_javascript(site: Site, page_without_js: Page) -> None:
    page = page_without_js
    page.goto(f"{site.url}/")
    page.get_by_role("link", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    page.goto(f"{site.url}/")  # the language is remembered
    assert page.url == f"{site.url}/zh/"
    page.get_by_role("link", name="搜索").first.click()
    page.get_by_role("searchbox").fill("没有这样的东西")
    page.get_by_role("main").get_by_role("button", name="搜索").click()
    expect(page.get_by_role("status")).to_contain_text("没有这样的东西")
    expect(page.get_by_role("link", name="查看全部页面")).to_be_visible()


def test_theme_is_chosen_and_remembered(site: Site, page_without_js: Page) -> None:
    page = page_without_js
    paper = "getComputedStyle(document.body).backgroundColor"
    page.goto(site.address("design"))
    page.get_by_role("button", name="dark").click()
    assert page.url == site.address("design")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("button", name="dark")).to_have_attribute("aria-pressed", "true")
    dark = page.evaluate(paper)
    page.get_by_role("button", name="auto").click()
    expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")
    assert page.evaluate(paper) != dark


def test_keyboard_walks_through_the_page(site: Site, page: Page) -> None:
    """Skip link first; then everything in the order of the page, each with a visible focus."""
    page.goto(site.address("home"))
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    assert (box := skip.bounding_box()) is not None and box["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.goto(site.address("design-sheet", "forms"))
    page.locator(".skip").focus()
    seen = []
    for _ in range(200):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused[0] == "BODY":
            break
        assert focused[2] != "none" and focused[3] >= 2 and focused[4], f"no visible focus: {focused}"
        seen.append(focused[1])
    assert len(seen) == len(set(seen)) or len(seen) < 200, "the keyboard is trapped"
    for field in ("first-name", "first-amount", "first-way", "first-place", "first-why", "first-agree"):
        assert field in seen, field
    assert "first-closed" not in seen


def test_forced_colours_and_print_keep_the_content(site: Site, page: Page) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(site.address("design-sheet", "promises"))
    expect(page.locator("svg.thread").first).to_be_visible()
    page.emulate_media(forced_colors="none", media="print")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("button", name="dark")).to_be_hidden()


def test_an_unknown_page_leads_on(site: Site, page_without_js: Page) -> None:
    page = page_without_js
    answer = page.goto(f"{site.url}/en/no/such/page/")
    assert answer is not None and answer.status == 404
    page.get_by_role("searchbox").fill("kite")
    page.get_by_role("main").get_by_role("button", name="Search").click()
    assert page.url == site.address("search", query="?q=kite")
