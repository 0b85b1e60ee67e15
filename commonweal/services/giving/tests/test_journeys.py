"""Giving as people walk it, in the browser: from the home page to the proof, by keyboard; and with JavaScript."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from commonweal.kernel.proof import load_verifier, verify_receipt
from tests.browser.fixtures import Site
from tests.browser.walking import Enter, Walker

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

MUSIC = "SELECT id FROM giving_campaign WHERE title_en LIKE 'A music teacher%'"
"""The demonstration's first campaign."""
HELD = "SELECT id FROM giving_campaign WHERE title_en LIKE 'After the flood%'"
"""One whose money the host holds."""


def give(giver: Walker) -> None:
    """On the page of a campaign: give the amount that is chosen already, and pay it."""
    giver.press("Give", "捐助")
    giver.press("Pay now", "立即付款")
    giver.is_at("Thank you", "谢谢您")


@pytest.mark.parametrize("who", ["", "teacher"], ids=["a-stranger", "somebody-known"])
def test_five_yuan_in_five_actions_from_the_home_page(site: Site, enter: Enter, who: str) -> None:
    giver = enter(who)
    giver.opens("home")
    giver.press("Giving", "捐助")
    giver.press("The last kite-maker takes two pupils", "最后一位扎风筝的人收了两个徒弟")
    give(giver)
    assert giver.actions <= 5
    giver.waits_for("Download the proof", "下载凭据")
    data = giver.download("Download the proof", "下载凭据")
    receipt = verify_receipt(data, load_verifier(site.home))
    assert len(data) <= 1_500
    assert (receipt.fact["kind"], receipt.fact["amount"]) == ("giving.gift", 500)
    assert receipt.opening is not None and set(receipt.opening[1]) == {"giver"}
    giver.opens("giving:mine")
    giver.reads("The last kite-maker takes two pupils", "最后一位扎风筝的人收了两个徒弟")


def test_a_wrong_amount_is_shown_where_it_is_and_another_given(enter: Enter) -> None:
    giver = enter("")
    giver.opens("giving:campaigns")
    giver.write("q", "yinyue")
    giver.press("Find", "查找")
    giver.press("A music teacher for the school at Shiba", "给石坝小学请一位音乐老师")
    giver.write("amount", "1e3")
    giver.press("Give", "捐助")
    giver.is_refused("amount", "金额")
    expect(giver.page.locator("#amount")).to_have_value("1e3")
    giver.write("amount", "8.80")
    give(giver)
    giver.reads("8.80")


def test_with_javascript_the_receipt_looks_again_by_itself(site: Site, page: Page) -> None:
    page.goto(site.address("giving:campaigns", language="en", query="?q=yinyue"))
    page.get_by_role("main").get_by_role("link").first.click()
    page.get_by_label("Another amount").fill("8.80")
    page.get_by_role("button", name="Give", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("8.80")
    page.get_by_role("button", name="Pay now").click()
    expect(page.get_by_role("link", name="Download the proof")).to_be_visible(timeout=60_000)
