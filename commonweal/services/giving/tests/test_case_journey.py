"""A signal as people meet it, without JavaScript and by keyboard: the giver reads and objects, two stewards decide."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.fixtures import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

GIFT = """SELECT n.campaign, n.gift FROM giving_case_gift n JOIN giving_gift g ON g.book = n.campaign AND g.id = n.gift
    JOIN parties_login l ON l.party_id = g.giver WHERE l.email = 'teacher@demo.example'"""
STEWARDS = ("steward@demo.example", "steward2@demo.example")
OTHERS = ("steward3@demo.example", "steward4@demo.example")
WORDS = "我们八位老师共用一部手机。"


def plain(site: Site, browser: Browser, visitor: str) -> Page:
    """Somebody signed in, without JavaScript."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 800})
    context.add_cookies(site.cookies(visitor))  # type: ignore[arg-type]
    return context.new_page()


def press(page: Page, name: str) -> None:
    """Reach a button by Tab alone and press Enter. (Without JavaScript its focus is read by a locator.)"""
    target = page.get_by_role("button", name=name, exact=True)
    page.locator("main").press("Tab")
    for _ in range(80):
        if page.locator(":focus").count() and target.and_(page.locator(":focus")).count():
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {name}")


def test_from_signal_to_decision_objection_and_release(site: Site, browser: Browser) -> None:
    campaign, gift = site.row(GIFT)
    giver = plain(site, browser, "teacher@demo.example")
    giver.goto(site.address("giving:gift", campaign, gift, language="zh"))
    expect(giver.locator("#check")).to_contain_text("您的捐款已全额到账；配捐待核查")
    decide(site, browser, {"en": "Do not match", "zh": "不予配捐"}, note="八个账号共用一部手机。")
    giver.reload()
    expect(giver.locator("#check")).to_contain_text("这笔捐款不予配捐")
    expect(giver.locator("#check")).to_contain_text("八个账号共用一部手机。")
    giver.get_by_label(re.compile("情况不符")).fill(WORDS)
    press(giver, "提出异议")
    expect(giver.locator("#check")).to_contain_text("您的异议已送达审核员")
    decide(site, browser, {"en": "Match as any other", "zh": "照常配捐"}, reads=WORDS)
    giver.goto(site.address("giving:gift", campaign, gift, language="en"))
    expect(giver.locator("#check")).to_contain_text("this gift is matched like any other")


def decide(site: Site, browser: Browser, buttons: dict[str, str], note: str = "", reads: str = "") -> None:
    """Two stewards say the same, one in each language."""
    for visitor, (language, button) in zip(STEWARDS, buttons.items(), strict=True):
        page = plain(site, browser, visitor)
        page.goto(site.address("giving:cases", language=language))
        page.get_by_role("main").get_by_role("link").first.click()
        expect(page.get_by_role("main")).to_contain_text(reads)
        if note:
            page.get_by_role("textbox").fill(note)
        press(page, button)
        said = "What stewards have said" if language == "en" else "审核员意见"
        expect(page.get_by_role("main")).to_contain_text(said)
