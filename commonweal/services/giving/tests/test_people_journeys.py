"""Giver and charity write to each other; a new charity comes as far as its first payout. Without JavaScript."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from commonweal.services.giving.seed import paper
from commonweal.services.giving.tests.test_journeys import look_again_until, signed_in, walk_to
from commonweal.services.giving.tests.test_money_journeys import MUSIC, plain
from tests.browser.fixtures import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

WORDS = {
    "zh": {
        "write": "给机构留言", "message": "留言内容", "send": "发送", "unread": "条未读",
        "unnamed": "本项目的一位捐助人", "answer": "答复", "news": "条新回复", "pay": "立即付款", "give": "捐助",
        "thanks": "谢谢您",
        "approve": "批准", "true": "核验属实", "paid": "由这些捐款支付",
    },
    "en": {
        "write": "Write to the charity", "message": "Your message", "send": "Send", "unread": "unread",
        "unnamed": "A giver of this campaign", "answer": "Your answer", "news": "new answers", "pay": "Pay now",
        "give": "Give", "thanks": "Thank you", "approve": "Approve", "true": "It is what its evidence says",
        "paid": "The gifts that paid it",
    },
}  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_giver_writes_and_the_charity_answers(site: Site, browser: Browser, language: str) -> None:
    (campaign, gift), words = site.row(GIFT), WORDS[language]
    with plain(site, browser, "giver@demo.example") as giver, plain(site, browser, "charity@demo.example") as charity:
        giver.goto(site.address("giving:gift", campaign, gift, language=language))
        giver.get_by_role("link", name=words["write"]).click()
        giver.get_by_label(words["message"]).fill(f"How are they? {language} <b>")
        giver.get_by_role("button", name=words["send"]).click()
        expect(giver.get_by_text(f"How are they? {language} <b>")).to_be_visible()
        charity.goto(site.address("giving:charity", language=language))
        charity.get_by_role("link").filter(has_text=words["unread"]).first.click()
        charity.locator("main ul.list h2 a").first.click()
        expect(charity.locator("main")).to_contain_text(words["unnamed"])
        charity.get_by_label(words["answer"]).fill("Very well.")
        charity.get_by_role("button", name=words["send"]).click()
        expect(charity.get_by_text("Very well.")).to_be_visible()
        giver.goto(site.address("giving:mine", language=language))
        giver.get_by_role("link").filter(has_text=words["news"]).click()
        giver.locator("main ul.list h2 a").first.click()
        expect(giver.get_by_text("Very well.").last).to_be_visible()


GIFT = f"""SELECT p.book, p.gift FROM giving_payment p JOIN giving_gift g ON g.book = p.book AND g.id = p.gift
    JOIN parties_login l ON l.party_id = g.giver WHERE l.email = 'giver@demo.example' AND p.book = ({MUSIC}) LIMIT 1"""


def test_by_keyboard_alone_an_answer_is_written(site: Site, browser: Browser) -> None:
    page = signed_in(site, browser, "charity@demo.example")
    campaign, thread = site.row("SELECT book, id FROM giving_thread ORDER BY at LIMIT 1")
    page.goto(site.address("giving:thread", campaign, thread, language="zh"))
    walk_to(page, "请审核员查看")  # behind the form: everything before it can be reached
    page.locator("main textarea[name=text]").focus()
    page.keyboard.type("每周二下午。")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("每周二下午。")).to_be_visible()
    page.context.close()


def fill(page: Page, **fields: str) -> None:
    """Fill the fields of a form by their names (`_` before a number is the `-` of a row)."""
    for name, value in fields.items():
        page.locator(f"main [name='{name.replace('_1', '-1')}']").fill(value)


def send(page: Page) -> None:
    """Press the button of the page's form."""
    page.locator("main form button.btn").first.click()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_charity_from_signing_up_to_its_first_payout(
    site: Site, browser: Browser, language: str, tmp_path: Path
) -> None:
    words, today = WORDS[language], datetime.now(UTC)
    code, title = f"53100000500{language.upper()}00009", f"三百本绘本 {language}"
    certificate = tmp_path / "certificate.png"
    certificate.write_bytes(paper("SAMPLE CERTIFICATE", 6 if language == "zh" else 8))

    def day(ago: int) -> str:
        return (today - timedelta(days=ago)).strftime("%Y-%m-%d")

    with plain(site, browser, "charity@demo.example") as charity:
        charity.goto(site.address("giving:found", language=language))
        fill(
            charity, name_zh=f"滇池读书会 {language}", registration=code, about_zh="陪孩子读书。", contact="a@b.example"
        )
        send(charity)
        fill(charity, number=f"MZ-{language}", issuer="云南省民政厅", valid_from=day(400), valid_until=day(-400))
        charity.locator("input[type=file]").set_input_files(certificate)
        send(charity)
        (organisation,) = site.row(f"SELECT id FROM parties_party WHERE registration = '{code}'")
        (credential,) = site.row(f"SELECT id FROM parties_credential WHERE holder_id = '{organisation}'")
        for steward in ("steward@demo.example", "steward2@demo.example"):
            with plain(site, browser, steward) as judge:
                judge.goto(site.address("console_credential", credential, language=language))
                judge.get_by_role("button", name=words["true"]).click()
        charity.goto(site.address("giving:plan", organisation, language=language))
        fill(
            charity, filing_number=f"{code}A26001", filed_at=day(40), opens_at=f"{day(20)}T08:00",
            closes_at=f"{day(-60)}T08:00", title_zh=title, place_zh="云南 昆明", summary_zh="一个书架，三百本书。",
            story_zh="书读破了。", what_zh_1="绘本", unit_zh_1="本", price_1="28.50", quantity_1="300",
        )  # fmt: skip
        send(charity)
        (campaign,) = site.row(f"SELECT id FROM giving_campaign WHERE title_zh = '{title}'")
        with plain(site, browser, "giver@demo.example") as giver:
            giver.goto(site.address("giving:campaign", campaign, language=language))
            giver.get_by_role("button", name=words["give"], exact=True).click()
            giver.get_by_role("button", name=words["pay"]).click()
            expect(giver.get_by_role("heading", level=1)).to_have_text(words["thanks"])
        charity.goto(site.address("giving:ask", campaign, language=language))
        fill(charity, amount="5", what_zh="第一批绘本")
        charity.locator("input[type=file]").set_input_files(certificate)
        send(charity)
        payout = charity.url
        for steward in ("steward@demo.example", "steward2@demo.example"):
            with plain(site, browser, steward) as judge:
                judge.goto(payout)
                judge.get_by_role("button", name=words["approve"]).click()
        look_again_until(charity, charity.get_by_role("heading", name=words["paid"]))
