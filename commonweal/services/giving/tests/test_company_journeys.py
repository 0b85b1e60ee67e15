"""A company's ways, by keyboard and without JavaScript: a campaign of its own, its people, an invoice, matching."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from commonweal.services.giving.tests.stage import title
from commonweal.services.giving.tests.test_charity_journeys import STEWARDS
from tests.browser.walking import Enter

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


YEAR = datetime.now(ZoneInfo("Asia/Shanghai")).year


def test_a_company_makes_a_campaign_its_own_and_reads_its_report(
    stage: dict[str, str], enter: Enter, language: str
) -> None:
    company, officer, colleague = enter("company"), enter("charity"), enter("steward2")
    company.opens("giving:partners", stage["spent"])
    company.choose_by_name("company", "Dianchi Tea (made up)", "滇池茶业（虚构）")
    company.press("Propose", "提出")
    officer.opens("giving:partners", stage["spent"])
    officer.press("Accept", "接受", near=officer.say("Dianchi Tea", "滇池茶业"))
    colleague.opens("giving:campaign", stage["spent"])
    colleague.reads("Together with Dianchi Tea", "与滇池茶业")
    company.opens("giving:company")
    company.reads(title("spent", language))
    company.press(
        "The link to send them, good for 30 days", "发给员工的加入链接（30 天有效）",
        near=company.say("Dianchi Tea", "滇池茶业"),
    )  # fmt: skip
    link = company.address
    for word in (("Join", "加入"), ("Leave", "退出")):
        colleague.goes(link)
        colleague.press(*word)
    company.opens("giving:company")
    company.press(f"Report of {YEAR}", f"{YEAR} 年报告", near=company.say("Dianchi Tea", "滇池茶业"))
    company.reads("People who have joined", "已加入的员工")


def test_a_company_gives_by_invoice(stage: dict[str, str], enter: Enter, tmp_path: Path) -> None:
    company, officer = enter("company"), enter("charity")
    company.opens("giving:campaign", stage["spent"])
    company.press("Give as a company, by bank transfer", "企业捐赠（银行转账）")
    company.write("amount", "120")
    company.press("Get the invoice", "生成通知单")
    reference = re.search(r"RF\d{15}", company.page.inner_text("main"))
    assert reference is not None
    statement, today = tmp_path / "statement.csv", datetime.now(ZoneInfo("Asia/Shanghai"))
    statement.write_text(f"date,amount,id,text\n{today:%Y-%m-%d},120.00,B-{company.language},{reference[0]}\n")
    officer.opens("giving:bank", stage["charity"])
    officer.attach("statement", statement)
    officer.press("Take it in", "导入")
    officer.reads("1 paid", "1 已付")
    company.goes(company.address)
    company.is_at("Receipt", "捐赠收据")


def test_a_pool_is_entered_by_its_form_and_seen_by_everybody(stage: dict[str, str], enter: Enter) -> None:
    officer, stranger, now = enter("charity"), enter(""), datetime.now(UTC)
    officer.opens("giving:pools", stage["unspent"])
    officer.write("registration", "DEMO-TEA-0001")
    officer.write("amount", "100")
    officer.choose("scheme", "proportional")
    officer.write_moment("opens_at", now - timedelta(days=2))
    officer.write_moment("closes_at", now + timedelta(days=9))
    officer.write("slices", "3")
    officer.write("rate", "0.5")
    officer.write("gift_cap", "20")
    officer.press("Enter", "登记")
    officer.is_refused("A pool opens in the future", "开始时间不能早于现在")
    officer.write_moment("opens_at", now + timedelta(days=1))
    officer.press("Enter", "登记")
    officer.is_at("Matching by Dianchi Tea", "滇池茶业")
    pool = officer.address

    stranger.opens("giving:campaign", stage["unspent"])
    stranger.press("Companies that match", "企业配捐")
    stranger.press_what_has(stranger.say("Dianchi Tea", "滇池茶业"))
    assert stranger.address == pool
    for words in (("Put in", "投入"), ("Parts of time", "各时段的资金"), ("At most for one gift", "单笔上限")):
        stranger.reads(*words)
    stranger.reads("100.00")
    stranger.reads("0.5")
    assert b'"proportional"' in stranger.download("Download the file", "下载文件")


def test_a_pool_whose_review_is_over_is_settled_by_two_stewards(stage: dict[str, str], enter: Enter) -> None:
    for name in STEWARDS:
        steward = enter(name)
        steward.opens("giving:pool", stage["spent"], stage["pool"])
        steward.waits_for("of 2 stewards have agreed", "/2 位审核员确认")
        steward.press("Agree", "确认")
    anybody = enter("")
    anybody.opens("giving:pool", stage["spent"], stage["pool"])
    anybody.waits_for("Paid on", "支付。")
    anybody.reads("50.00")
    assert b'"matches"' in anybody.download("Download the file", "下载文件")
