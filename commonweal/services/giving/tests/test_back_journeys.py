"""A refund, an appeal and a gift card as people walk them: by keyboard, without JavaScript, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from commonweal.services.giving.seed import paper
from commonweal.services.giving.tests.test_journeys import look_again_until
from commonweal.services.giving.tests.test_money_journeys import HELD, MUSIC, plain
from commonweal.services.giving.tests.test_team_journeys import go_to, press, write
from tests.browser.fixtures import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

WORDS = {
    "zh": {
        "give": "捐助", "now": "立即付款", "amount": "金额", "reason": "原因", "refund": "退款", "done": "已完成",
        "back": "已退回", "title": "一句话说明（中文）", "story": "情况说明（中文）", "topic": "领域",
        "yuan": "金额（元）", "papers": "证明材料", "ask": "提交求助", "not fundraising": "非慈善募捐",
        "show": "予以公开", "adopt": "接手", "adopted": "已由慈善组织接手：查看项目", "pay": "去付款",
        "code": "显示卡号（仅一次）",
        "card": "卡号", "campaign": "项目", "thanks": "谢谢您", "left": "30.00",
    },
    "en": {
        "give": "Give", "now": "Pay now", "amount": "Amount", "reason": "Reason", "refund": "Refund", "done": "Done",
        "back": "Gone back", "title": "In one line, in Chinese", "story": "What has happened, in Chinese",
        "topic": "What it is about", "yuan": "How much, in yuan", "papers": "Papers", "ask": "Ask",
        "not fundraising": "Not charity fundraising", "show": "Show it", "adopt": "Adopt",
        "adopted": "Adopted: see the campaign", "pay": "Go to the payment", "code": "Show the code, once",
        "card": "Code", "campaign": "Campaign", "thanks": "Thank you", "left": "30.00",
    },
}  # fmt: skip
ASKER = {"zh": "giver@demo.example", "en": "company@demo.example"}
"""Somebody has one appeal at a time."""


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_refund_is_asked_for_and_paid(site: Site, browser: Browser, language: str) -> None:
    (campaign,), words = site.row(MUSIC), WORDS[language]
    with plain(site, browser, "giver@demo.example") as giver, plain(site, browser, "steward@demo.example") as steward:
        giver.goto(site.address("giving:campaign", campaign, language=language))
        press(giver, words["give"])
        press(giver, words["now"])
        expect(giver.get_by_role("heading", level=1)).to_have_text(words["thanks"])
        steward.goto(f"{giver.url}refund/")
        write(steward, words["reason"], "Given twice")
        write(steward, words["amount"], "5.01")
        press(steward, words["refund"])
        expect(steward.get_by_role("alert")).to_be_visible()  # more than was given; what was written is kept
        expect(steward.get_by_label(words["reason"])).to_have_value("Given twice")
        go_to(steward, steward.get_by_label(words["amount"], exact=True))
        steward.keyboard.press("Control+a")
        steward.keyboard.type("3")
        press(steward, words["refund"])
        expect(steward.get_by_role("table")).to_be_visible()
        look_again_until(steward, steward.get_by_role("cell", name=words["done"], exact=True))
        giver.reload()
        expect(giver.locator("main")).to_contain_text(words["back"])
        expect(giver.locator("main")).to_contain_text("3.00")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_appeal_is_asked_warned_of_and_adopted(site: Site, browser: Browser, language: str, tmp_path: Path) -> None:
    words = WORDS[language]
    file = tmp_path / "paper.png"
    file.write_bytes(paper("SAMPLE LETTER", 4))
    title = f"给一位护林员配眼镜 {language}"
    with plain(site, browser, ASKER[language]) as asker:
        asker.goto(site.address("giving:appeal_ask", language=language))
        write(asker, words["title"], title)
        write(asker, words["story"], "看不清树牌上的字。")
        topics = asker.get_by_role("group", name=words["topic"]).get_by_role("radio")
        go_to(asker, topics.first)
        asker.keyboard.press("Space")
        write(asker, words["yuan"], "800")
        asker.get_by_label(words["papers"]).set_input_files(file)  # the file chooser is the browser's own
        press(asker, words["ask"])
        asker.wait_for_url(re.compile(r"/appeals/[0-9a-f-]{36}/$"))
        address = asker.url
        expect(asker.locator("main")).to_contain_text(words["not fundraising"])
    with plain(site, browser, "steward@demo.example") as steward:
        steward.goto(address)
        press(steward, words["show"])
        expect(steward.get_by_role("heading", level=1)).to_have_text(title)
    with (
        plain(site, browser, "teacher@demo.example") as anybody,
        plain(site, browser, "charity@demo.example") as charity,
    ):
        anybody.goto(address)
        expect(anybody.locator("main")).to_contain_text(words["not fundraising"])
        expect(anybody.get_by_role("button", name=words["give"], exact=True)).to_have_count(0)
        charity.goto(address)
        offered = charity.locator("input[name=campaign]").first
        campaign = offered.input_value()
        go_to(charity, offered)
        charity.keyboard.press("Space")
        press(charity, words["adopt"])
        expect(charity.get_by_role("link", name=words["adopted"])).to_be_visible()
        anybody.reload()
        press(anybody, words["adopted"])
        anybody.wait_for_url(re.compile(campaign))
        expect(anybody.locator("main")).to_contain_text(title)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_card_is_bought_by_one_given_by_another_and_its_rest_refunded(
    site: Site, browser: Browser, language: str
) -> None:
    (campaign,), words = site.row(HELD), WORDS[language]
    with plain(site, browser, "giver@demo.example") as buyer, plain(site, browser, "teacher@demo.example") as holder:
        buyer.goto(site.address("giving:card_buy", campaign, language=language))
        write(buyer, words["amount"], "50")
        press(buyer, words["pay"])
        press(buyer, words["now"])
        press(buyer, words["code"])
        code = buyer.get_by_role("status").inner_text()
        assert re.fullmatch(r"(\w{4}-){3}\w{4}", code)
        holder.goto(site.address("giving:redeem", language=language))
        write(holder, words["card"], code.lower())
        _choose(holder, words["campaign"], str(campaign))
        write(holder, "金额" if language == "zh" else "How much", "20")
        press(holder, words["give"])
        expect(holder.get_by_role("heading", level=1)).to_have_text(words["thanks"])
        buyer.reload()
        expect(buyer.locator("main")).to_contain_text(words["left"])
        with plain(site, browser, "steward@demo.example") as steward:
            steward.goto(f"{buyer.url}refund/")
            write(steward, words["amount"], "30")
            write(steward, words["reason"], "Asked for")
            press(steward, words["refund"])
            expect(steward.get_by_role("table")).to_be_visible()
            look_again_until(steward, steward.get_by_role("cell", name=words["done"], exact=True))
        buyer.goto(buyer.url)
        expect(buyer.locator("main")).to_contain_text(words["done"])


def _choose(page: Page, label: str, value: str) -> None:
    """Walk to a list and down in it until this is chosen."""
    field = page.get_by_label(label)
    go_to(page, field)
    for _ in range(30):
        if field.input_value() == value:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{label} does not offer {value}")
