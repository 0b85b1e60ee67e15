"""Recurring gifts and company gifts as people walk them: without JavaScript, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from commonweal.services.giving.tests.test_journeys import look_again_until, signed_in, walk_to
from tests.browser.fixtures import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

MUSIC = "SELECT id FROM giving_campaign WHERE title_en LIKE 'A music teacher%'"
HELD = "SELECT id FROM giving_campaign WHERE title_en LIKE 'After the flood%'"
WORDS = {
    "zh": {
        "again": "定期捐赠", "month": "每月捐", "agree": "同意扣款协议", "received": "已收到", "end": "结束",
        "ended": "已结束",
        "amount": "金额", "invoice": "生成通知单", "receipt": "捐赠收据", "take": "导入", "paid": "1 已付",
    },
    "en": {
        "again": "Give again and again", "month": "Every month", "agree": "Agree to be charged", "received": "Received",
        "end": "End it", "ended": "Ended", "amount": "Amount", "invoice": "Get the invoice", "receipt": "Receipt",
        "take": "Take it in", "paid": "1 paid",
    },
}  # fmt: skip


@contextmanager
def plain(site: Site, browser: Browser, visitor: str) -> Iterator[Page]:
    """A tab of somebody, without JavaScript."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    context.add_cookies(site.cookies(visitor))  # type: ignore[arg-type]
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_gift_every_month_begins_and_ends(site: Site, browser: Browser, language: str) -> None:
    (campaign,), words = site.row(MUSIC), WORDS[language]
    with plain(site, browser, "giver@demo.example") as page:
        page.goto(site.address("giving:campaign", campaign, language=language))
        page.get_by_text(words["again"], exact=True).click()
        page.get_by_role("button", name=words["month"]).click()
        page.get_by_role("button", name=words["agree"]).click()
        look_again_until(page, page.get_by_text(words["received"], exact=True))
        mine = page.url
        page.get_by_role("button", name=words["end"], exact=True).click()  # two clicks from the list of one's gifts
        assert page.url == mine
        expect(page.locator("main .tag")).to_contain_text(words["ended"])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_company_gives_by_invoice(site: Site, browser: Browser, language: str, tmp_path: Path) -> None:
    (campaign,), words = site.row(MUSIC), WORDS[language]
    with (
        plain(site, browser, "company@demo.example") as company,
        plain(site, browser, "charity@demo.example") as charity,
    ):
        company.goto(site.address("giving:invoice_ask", campaign, language=language))
        company.get_by_label(words["amount"], exact=True).fill("120")
        company.get_by_role("button", name=words["invoice"]).click()
        reference = re.search(r"RF\d{15}", company.inner_text("main"))
        assert reference is not None
        statement = tmp_path / "statement.csv"
        statement.write_text(f"date,amount,id,text\n2026-11-25,120.00,B-{language},{reference[0]}\n")
        (organisation,) = site.row(f"SELECT organisation_id FROM giving_campaign WHERE id = '{campaign}'")
        charity.goto(site.address("giving:bank", organisation, language=language))
        charity.locator("input[type=file]").set_input_files(statement)
        charity.get_by_role("button", name=words["take"]).click()
        expect(charity.get_by_role("status")).to_contain_text(words["paid"])
        company.reload()
        expect(company.get_by_role("heading", level=1)).to_contain_text(words["receipt"])


def test_by_keyboard_alone_a_running_gift_is_paused_and_goes_on(site: Site, browser: Browser) -> None:
    page = signed_in(site, browser, "giver@demo.example")
    campaign, id = site.row("SELECT book, id FROM giving_recurring ORDER BY at LIMIT 1")
    page.goto(site.address("giving:recurring", campaign, id, language="en"))
    for words, then in (("Pause", "Paused"), ("Go on", "Running")):
        walk_to(page, words)
        page.keyboard.press("Enter")
        expect(page.locator("main .tag")).to_contain_text(then)
    page.context.close()
