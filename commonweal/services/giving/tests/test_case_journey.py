"""A signal as people meet it, without JavaScript, by keyboard: the giver reads and objects, other stewards decide."""

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
NOTE = "八个账号共用一部手机。"
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

    def reads(en: str, zh: str) -> None:
        for language, words in (("en", en), ("zh", zh)):
            giver.goto(site.address("giving:gift", campaign, gift, language=language))
            expect(giver.locator("#check")).to_contain_text(words)

    pool = site.row(f"SELECT book, id FROM giving_pool WHERE campaigns @> ARRAY['{campaign}'::uuid] LIMIT 1")
    for language, words in (("en", "Gifts whose match waits for a check"), ("zh", "配捐待核查的捐款")):
        giver.goto(site.address("giving:pool", *pool, language=language))
        expect(giver.get_by_role("main")).to_contain_text(words)
    reads("arrived in full; its match waits for a check", "您的捐款已全额到账；配捐待核查")
    decide(site, browser, STEWARDS, {"en": "Do not match", "zh": "不予配捐"}, note=NOTE)
    reads("Two stewards have decided that this gift is not matched", "这笔捐款不予配捐")
    reads(NOTE, NOTE)
    giver.get_by_label(re.compile("情况不符")).fill(WORDS)
    press(giver, "提出异议")
    expect(giver.locator("#check")).to_contain_text("由另外两位审核员裁定")
    reads("Two other stewards look at it", "由另外两位审核员裁定")
    decide(site, browser, OTHERS, {"zh": "照常配捐", "en": "Match as any other"}, finds=WORDS, barred=STEWARDS[0])
    reads("that decision does not stand: this gift is matched", "该决定不再有效，这笔捐款照常配捐")


def decide(
    site: Site,
    browser: Browser,
    stewards: tuple[str, str],
    buttons: dict[str, str],
    *,
    note: str = "",
    finds: str = "",
    barred: str = "",
) -> None:
    """Two stewards say the same, one in each language; who has judged before finds no form."""
    if barred:
        page = plain(site, browser, barred)
        page.goto(site.address("giving:cases"))
        page.get_by_role("main").get_by_role("link").first.click()
        expect(page.get_by_role("main")).to_contain_text("other stewards decide")
        expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)
    for visitor, (language, button) in zip(stewards, buttons.items(), strict=True):
        page = plain(site, browser, visitor)
        page.goto(site.address("giving:cases", language=language))
        page.get_by_role("main").get_by_role("link").first.click()
        expect(page.get_by_role("main")).to_contain_text(finds)
        if note:
            page.get_by_role("textbox").fill(note)
        press(page, button)
        said = "What stewards have said" if language == "en" else "审核员意见"
        expect(page.get_by_role("main")).to_contain_text(said)


def test_the_hosts_income_is_asked_for_by_one_and_paid_by_two_others(site: Site, browser: Browser) -> None:
    asker, what = plain(site, browser, STEWARDS[0]), "办公室租金"
    asker.goto(site.address("giving:incomes", language="zh"))
    (campaign,) = site.row("SELECT id FROM giving_campaign WHERE title_en LIKE 'After the flood%'")
    asker.get_by_label("项目").select_option(str(campaign))
    asker.get_by_label("金额").fill("0.01")
    asker.get_by_label("用途（中文）").fill(what)
    press(asker, "提交申请")
    row = asker.get_by_role("listitem").filter(has_text=what)
    expect(row).to_have_count(1)
    expect(row.get_by_role("button")).to_have_count(0)
    for visitor, language, button, said in (
        (STEWARDS[1], "en", f"Approve {what}", "1 of 2 agreed"),
        (OTHERS[0], "zh", f"批准 {what}", "2/2 已批准"),
    ):
        page = plain(site, browser, visitor)
        page.goto(site.address("giving:incomes", language=language))
        press(page, button)
        expect(page.get_by_role("listitem").filter(has_text=what)).to_contain_text(said)
