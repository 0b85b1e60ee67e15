"""A charity's ways, by keyboard and without JavaScript: signing up, its plan, news and thanks, payouts, its year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commonweal.services.giving.tests.stage import title
from commonweal.services.giving.tests.test_journeys import give
from tests.browser.fixtures import Site
from tests.browser.walking import Enter

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

DAY = timedelta(days=1)
STEWARDS = ("steward", "steward2")


def test_a_charity_signs_up_is_checked_and_files_its_plan(site: Site, enter: Enter, language: str, sheet: Path) -> None:
    officer, now = enter("charity"), datetime.now(UTC)
    name, code = f"滇池读书会 {language}", f"53100000500{language.upper()}00009"
    officer.opens("giving:charity")
    officer.press("Sign up a charity", "机构入驻")
    officer.write("name_zh", name)
    officer.write("registration", code)
    officer.write("about_zh", "陪孩子读书。")
    officer.write("contact", "office@dianchi.example")
    officer.press("Sign up", "入驻")
    officer.write("number", f"MZ-{language}")
    officer.write("issuer", "云南省民政厅")
    officer.write_day("valid_from", now - 400 * DAY)
    officer.write_day("valid_until", now + 400 * DAY)
    officer.attach("evidence", sheet)
    officer.press("File it", "提交核验")

    officer.press("A new campaign", "发布募捐项目", near=name)
    officer.write("filing_number", f"{code}A26001")
    officer.write_day("filed_at", now - 40 * DAY)
    officer.write_moment("opens_at", now - 20 * DAY)
    officer.write_moment("closes_at", now + 60 * DAY)
    officer.write("title_zh", f"三百本绘本 {language}")
    officer.write("place_zh", "云南 昆明")
    officer.write("summary_zh", "一个书架，三百本书。")
    officer.write("story_zh", "书读破了。")
    officer.attach("picture", sheet)
    officer.write("shows_zh", "读破的书")
    for field, words in (("what_zh", "绘本"), ("unit_zh", "本"), ("price", "28.50"), ("quantity", "300")):
        officer.write(f"{field}-1", words)
    officer.unfold("Need 2", "第 2 项")
    for field, words in (("what_zh", "书架"), ("unit_zh", "个"), ("price", "450"), ("quantity", "1")):
        officer.write(f"{field}-2", words)
    officer.press("Publish", "发布")
    officer.is_at(f"三百本绘本 {language}")
    officer.reads("9,000.00")  # 300 books and a shelf
    officer.reads("Qualification missing", "缺少公开募捐资格")
    officer.reads("This campaign takes no gifts now.", "本项目目前不接受捐赠。")
    campaign = officer.address

    (credential,) = site.row(
        f"""SELECT c.id FROM parties_credential c JOIN parties_party p ON p.id = c.holder_id
            WHERE p.registration = '{code}'"""
    )
    for name in STEWARDS:
        steward = enter(name)
        steward.opens("console_credential", credential)
        steward.press("It is what its evidence says", "核验属实")
    giver = enter("giver")
    giver.goes(campaign)
    giver.reads(f"MZ-{language}")
    give(giver)


def test_news_with_a_picture_reach_the_givers_and_everybody_is_thanked(
    stage: dict[str, str], enter: Enter, language: str, sheet: Path
) -> None:
    officer, giver = enter("charity"), enter("giver")
    officer.opens("giving:charity")
    officer.press("Tell how it goes", "发布进展", near=title("spent", language))
    officer.write("title_zh", "书到了")
    officer.write("title_en", "The books have come")
    officer.write("body_zh", "一箱一箱搬进来。<script>alert(1)</script>")
    officer.attach("picture", sheet)
    officer.write("shows_zh", "一箱书")
    officer.press("Publish", "发布")
    officer.reads("The books have come", "书到了")
    officer.reads("<script>alert(1)</script>")  # a text like any other
    officer.opens("giving:thank", stage["spent"])
    officer.write("said_zh", "谢谢每一位。")
    officer.write("said_en", "Thank you, each of you.")
    officer.press("Thank them", "发送感谢")
    officer.reads("Thank you, each of you.", "谢谢每一位。")
    giver.opens("inbox")
    giver.waits_for("Foundation (made up) thanks you", "山那边公益基金会（虚构）感谢您")
    giver.waits_for(f"News of “{title('spent', language)}”", f"“{title('spent', language)}”有新进展")


def test_a_late_report_stops_a_campaign_and_opens_it_again(stage: dict[str, str], enter: Enter, language: str) -> None:
    giver, officer = enter("giver"), enter("charity")
    giver.opens("giving:campaign", stage["late"])
    giver.reads("Report overdue", "报告逾期")
    giver.reads("This campaign takes no gifts now.", "本项目目前不接受捐赠。")
    officer.opens("giving:charity")
    officer.reads("overdue", "已逾期")
    officer.press("Tell how it goes", "发布进展", near=title("late", language))
    officer.write("title_zh", "进展报告")
    officer.write("body_zh", "这半年做了什么。")
    officer.tick("report")
    officer.press("Publish", "发布")
    officer.reads("进展报告")
    giver.opens("giving:campaign", stage["late"])
    give(giver)


def test_from_the_charitys_wish_to_what_the_gift_became(
    stage: dict[str, str], enter: Enter, language: str, sheet: Path
) -> None:
    officer, giver = enter("charity"), enter("giver")
    officer.opens("giving:charity")
    officer.press("Ask for a payout", "申请拨款", near=title("spent", language))
    officer.write("amount", "18")
    officer.write("what_zh", "第二批图书")
    officer.write("what_en", "The second box of books")
    officer.attach("evidence", sheet)
    officer.press("Ask", "提交申请")
    for nth, name in enumerate(STEWARDS, 1):
        steward = enter(name)
        steward.opens("giving:payouts")
        steward.press_what_has(steward.say("The second box of books", "第二批图书"))
        steward.press("Approve", "批准")
        steward.reads(f"{nth} of 2 different people", f"两人中的 {nth} 人")
    officer.waits_for("The gifts that paid it", "由这些捐款支付")
    giver.opens("giving:mine")
    giver.press("The second box of books", "第二批图书")
    giver.reads("Number 1, yours", "第 1 笔，您的")
    giver.press("File 1", "文件 1")


def test_a_payout_is_declined_and_asked_for_again_with_better_evidence(
    stage: dict[str, str], enter: Enter, language: str, sheet: Path
) -> None:
    officer, steward = enter("charity"), enter("steward")
    officer.opens("giving:ask", stage["unspent"])
    officer.reads("30.00")  # the other gift was taken back by its bank
    officer.write("amount", "30")
    officer.write("what_zh", "书架")
    officer.write("what_en", "A shelf")
    officer.attach("evidence", sheet)
    officer.press("Ask", "提交申请")
    asked = officer.address
    steward.opens("giving:payouts")
    steward.press_what_has(steward.say("A shelf", "书架"), near=title("unspent", language))
    steward.press("Decline", "否决")
    steward.is_refused("Write something here.", "请填写此项。")
    steward.write("note", "发票没有抬头 / the invoice names nobody")
    steward.press("Decline", "否决")
    steward.reads("Declined", "未批准")

    officer.opens("inbox")
    officer.waits_for("Not approved: A shelf", "未批准：书架")
    officer.goes(asked)
    officer.reads("the invoice names nobody")
    officer.opens("giving:ask", stage["unspent"])
    officer.reads("30.00")  # what was declined is free again
    officer.write("amount", "30")
    officer.write("what_zh", "书架，附新发票")
    officer.write("what_en", "A shelf, with another invoice")
    officer.attach("evidence", sheet)
    officer.press("Ask", "提交申请")
    for name in STEWARDS:
        judge = enter(name)
        judge.goes(officer.address)
        judge.press("Approve", "批准")
    officer.waits_for("The gifts that paid it", "由这些捐款支付")


def test_a_charity_states_the_figures_of_a_year(stage: dict[str, str], enter: Enter, sheet: Path) -> None:
    officer = enter("charity")
    officer.opens("giving:charity")
    officer.press("Figures of the years", "年度数据", near=officer.say("Beyond the Mountains", "山那边"))
    figures = {
        "year": "2024",
        "income": "3000000",
        "spending": "3000000",
        "programme": "2700000",
        "management": "240000",
    }
    for field, words in figures.items():
        officer.write(field, words)
    officer.attach("accounts", sheet)
    officer.press("State", "填报")
    officer.reads("at most 10 %: kept", "不高于 10%：达标")
    stranger = enter("")
    stranger.opens("giving:organisation", stage["charity"])
    stranger.reads("at most 10 %: kept", "不高于 10%：达标")
