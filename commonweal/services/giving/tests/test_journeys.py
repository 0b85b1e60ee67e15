"""Giving as people walk it, in the browser: with and without JavaScript, by keyboard alone, from gift to payout."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from commonweal.kernel.proof import load_verifier, verify_receipt
from commonweal.services.giving.seed import paper
from tests.browser.fixtures import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

WORDS = {
    "zh": {"door": "捐助", "give": "捐助", "pay": "立即付款", "thanks": "谢谢您", "proof": "下载凭据"},
    "en": {"door": "Giving", "give": "Give", "pay": "Pay now", "thanks": "Thank you", "proof": "Download the proof"},
}


def signed_in(site: Site, browser: Browser, visitor: str) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.add_cookies(site.cookies(visitor))  # type: ignore[arg-type]
    return context.new_page()


def check_receipt(site: Site, page: Page, name: str, folder: Path) -> None:
    """The downloaded file holds, is small, and one changed byte is found."""
    with page.expect_download() as download:
        page.get_by_role("link", name=name).click()
    file = folder / "receipt"
    download.value.save_as(file)
    data = file.read_bytes()
    assert len(data) <= 1_500
    receipt = verify_receipt(data, load_verifier(site.home))
    assert (receipt.fact["kind"], receipt.fact["amount"]) == ("giving.gift", 500)
    assert receipt.opening is not None and set(receipt.opening[1]) == {"giver"}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_five_yuan_without_javascript(site: Site, page_without_js: Page, language: str, tmp_path: Path) -> None:
    page, words = page_without_js, WORDS[language]
    page.goto(site.address("home", language=language))
    page.get_by_role("link", name=words["door"], exact=True).first.click()
    page.get_by_role("link", name=re.compile("音乐老师|music teacher")).click()
    page.get_by_role("button", name=words["give"], exact=True).click()  # 5 is chosen already
    page.get_by_role("button", name=words["pay"]).click()  # four actions in all
    expect(page.get_by_role("heading", level=1)).to_have_text(words["thanks"])
    look_again_until(page, page.get_by_role("link", name=words["proof"]))
    check_receipt(site, page, words["proof"], tmp_path)
    page.goto(site.address("giving:mine", language=language))
    expect(page.get_by_role("heading", level=2)).to_have_count(1)


def look_again_until(page: Page, there: Locator, limit: float = 60) -> None:
    """Load the page again, as somebody without JavaScript does, until something is there."""
    deadline = time.monotonic() + limit
    while not there.count() and time.monotonic() < deadline:
        page.reload()
    expect(there).to_be_visible()


def test_with_javascript_the_receipt_looks_again_by_itself(site: Site, page: Page) -> None:
    page.goto(site.address("giving:campaigns", language="en", query="?q=yinyue"))
    page.get_by_role("main").get_by_role("link").first.click()
    page.get_by_label("Another amount").fill("8.80")
    page.get_by_role("button", name="Give", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("8.80")
    page.get_by_role("button", name="Pay now").click()
    expect(page.get_by_role("link", name="Download the proof")).to_be_visible()


def test_by_keyboard_alone(site: Site, page: Page) -> None:
    page.goto(site.address("giving:campaigns", language="zh", query="?q=yinyue"))
    walk_to(page, "音乐老师")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/zh/giving/[0-9a-f-]{36}/$"))
    walk_to(page, "5")
    page.keyboard.press("ArrowRight")
    walk_to(page, "捐助")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("20.00")
    walk_to(page, "立即付款")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("谢谢您")


FOCUSED = "(e => e.tagName === 'INPUT' ? e.value : e.innerText)(document.activeElement).trim()"


def walk_to(page: Page, words: str) -> None:
    """Press Tab within the page's main part until something with these words has the focus."""
    page.locator("main").focus()
    for _ in range(60):
        page.keyboard.press("Tab")
        said = page.evaluate(FOCUSED)
        if said == words or (len(words) > 2 and words in said):
            return
    raise AssertionError(f"Tab never comes to {words}")


def test_a_wrong_amount_is_shown_where_it_is(site: Site, page_without_js: Page) -> None:
    page = page_without_js
    page.goto(site.address("giving:campaigns", language="zh", query="?q=yinyue"))
    page.get_by_role("main").get_by_role("link").first.click()
    page.get_by_label("其他金额").fill("1e3")
    page.get_by_role("button", name="捐助", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("金额")
    expect(page.get_by_label("其他金额")).to_have_value("1e3")
    page.get_by_role("alert").get_by_role("link").click()
    assert page.url.endswith("#amount")


def test_from_the_charitys_wish_to_what_the_gift_became(site: Site, browser: Browser, tmp_path: Path) -> None:
    (campaign,) = site.row("SELECT id FROM giving_campaign WHERE title_en LIKE 'Stamps for letters%'")
    giver = signed_in(site, browser, "giver@demo.example")
    giver.goto(site.address("giving:campaign", campaign, language="zh"))
    giver.get_by_role("button", name="捐助", exact=True).click()
    giver.get_by_role("button", name="立即付款").click()

    charity = signed_in(site, browser, "charity@demo.example")
    charity.goto(site.address("giving:tell", campaign, language="zh"))
    charity.get_by_label("标题（中文）").fill("第二批信寄出了")
    charity.get_by_label("正文（中文）").fill("九十封，一封不少。")
    charity.get_by_role("button", name="发布").click()
    expect(charity.get_by_role("heading", name="第二批信寄出了")).to_be_visible()

    invoice = tmp_path / "invoice.png"
    invoice.write_bytes(paper("SAMPLE INVOICE", 4))
    charity.goto(site.address("giving:ask", campaign, language="zh"))
    charity.get_by_label("金额").fill("18")
    charity.get_by_label("用途（中文）").fill("第三批信 9 封")
    charity.get_by_label("凭证").set_input_files(invoice)
    charity.get_by_role("button", name="提交申请").click()
    address = charity.url

    for steward in ("steward@demo.example", "steward2@demo.example"):
        judge = signed_in(site, browser, steward)
        judge.goto(site.address("giving:payouts", language="zh"))
        judge.get_by_role("link", name=re.compile("第三批信")).click()
        assert judge.url == address
        judge.get_by_role("button", name="批准").click()
        judge.context.close()

    look_again_until(charity, charity.get_by_role("heading", name="由这些捐款支付"))
    expect(charity.get_by_role("row").last).to_contain_text("元")

    giver.goto(site.address("giving:mine", language="zh"))
    expect(giver.locator("main a[href*='/payouts/']").first).to_be_visible()
    giver.goto(site.address("inbox", language="zh"))
    look_again_until(giver, giver.get_by_text("“给远方爸妈写信的邮票”有新进展").first)
    giver.context.close()
    charity.context.close()
