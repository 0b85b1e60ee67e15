"""The forest as people walk it: gathering, a friend's meadow, a code, a grove; without JavaScript, and by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.fixtures import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

WALKS = {
    "zh": ("giver@demo.example", "岩老师", "小林的草地"),
    "en": ("teacher@demo.example", "小林", "岩老师's meadow"),
}
WORDS = {
    "zh": ("生成邀请码", "成为好友", "浇水", "投入"),
    "en": ("Make a code", "Become friends", "Water", "Put in"),
}
GROVE = "河西小树林"


def tab(browser: Browser, site: Site, visitor: str, *, script: bool) -> Page:
    context = browser.new_context(
        java_script_enabled=script, reduced_motion="reduce", viewport={"width": 390, "height": 800}
    )
    context.add_cookies(site.cookies(visitor))  # type: ignore[arg-type]
    return context.new_page()


def press(page: Page, there: Locator) -> None:
    """Reach something with the tab key alone and press it."""
    expect(there).to_be_visible()
    for _ in range(120):
        page.keyboard.press("Tab")
        if there.evaluate("it => it === document.activeElement"):
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return
    pytest.fail(f"the keyboard does not reach {there}")


def in_hand(page: Page) -> int:
    found = re.search(r"[\d,]+", page.locator(".lead").first.inner_text())
    assert found is not None
    return int(found[0].replace(",", ""))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_day_in_the_meadow(site: Site, browser: Browser, language: str) -> None:
    (visitor, friend, meadow), (make, accept, water, put_in) = WALKS[language], WORDS[language]
    keyboard = language == "en"
    page = tab(browser, site, visitor, script=keyboard)

    def use(there: Locator) -> None:
        if keyboard:
            press(page, there)
            return
        with page.expect_navigation():
            there.click()

    page.goto(site.address("forest:energy", language=language))
    before, bubble = in_hand(page), page.locator("button.bubble").first
    grams = int(bubble.locator("b").inner_text().split()[0].replace(",", ""))
    use(bubble)
    assert in_hand(page) == before + grams

    use(page.get_by_role("link", name=friend))
    expect(page.get_by_role("heading", level=1)).to_contain_text(friend)
    theirs = page.locator("button.bubble")
    if count := theirs.count():
        use(theirs.first)
        expect(theirs).to_have_count(count - 1)
    use(page.get_by_role("button", name=water, exact=True))
    page.goto(site.address("forest:energy", language=language))
    assert in_hand(page) >= before + grams - 10

    page.goto(site.address("forest:friends", language=language))
    use(page.get_by_role("button", name=make))
    code = page.get_by_role("status").locator("code").inner_text()
    other = tab(browser, site, "charity@demo.example", script=False)
    other.goto(site.address("forest:friends", language=language))
    other.locator("#code").fill(code)
    other.get_by_role("button", name=accept).click()
    expect(other.get_by_role("heading", level=1)).to_have_text(meadow)

    page.goto(site.address("forest:groves", language=language))
    use(page.get_by_role("link", name=GROVE))
    page.locator("#grams").fill("20")
    held = in_hand(page)
    use(page.get_by_role("button", name=put_in, exact=True))
    assert in_hand(page) == held + 20
    page.context.close()
    other.context.close()


def test_anyone_sees_where_every_gram_is(site: Site, page_without_js: Page) -> None:
    page = page_without_js
    page.goto(site.address("forest:balance", language="zh"))
    minted = page.locator("table").last.locator("tbody tr").first.locator("td").all_inner_texts()
    numbers = [int(re.sub(r"\D", "", text)) for text in minted]
    assert numbers[0] == sum(numbers[1:]) > 0
    page.goto(site.address("forest:effect", language="zh"))
    expect(page.get_by_text("演示用的虚构人群")).to_be_visible()
