"""Actions and time, by keyboard and without JavaScript: deeds, contracts, shifts, disputes, time banks."""

from __future__ import annotations

import uuid
from calendar import month_name
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.browser.fixtures import Site
from tests.browser.walking import Enter

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LAKE = "SELECT id FROM giving_bank WHERE name_en LIKE 'Cuihu%'"
SHORE = "SELECT id FROM giving_bank WHERE name_en LIKE 'Erhai%'"
MINUTE = timedelta(minutes=1)
VOLUNTEER = {"zh": "giver", "en": "teacher"}
"""Nobody is at two shifts at a time."""


def test_a_call_is_answered_confirmed_disputed_and_decided(stage: dict[str, str], enter: Enter, language: str) -> None:
    officer, volunteer, steward = enter("charity"), enter(VOLUNTEER[language]), enter("steward")
    what, other = f"写信 {uuid.uuid4().hex[:6]}", f"寄信 {uuid.uuid4().hex[:6]}"
    officer.opens("giving:needs", stage["spent"])
    for called, starts in ((what, 2 * MINUTE), (other, 30 * MINUTE)):
        officer.write("what_zh", called)
        officer.write_moment("starts_at", datetime.now(UTC) + starts)
        officer.write_moment("ends_at", datetime.now(UTC) + starts + 60 * MINUTE)
        officer.write("seats", "2")
        officer.press("Call", "发布")
        officer.reads(called)
    volunteer.opens("giving:campaign", stage["spent"])
    volunteer.press("Give steps, flowers, books or time", "捐步数、小红花、图书或时间")
    volunteer.press("Sign up", "报名", near=what)
    volunteer.press("Sign up", "报名", near=other)
    volunteer.is_refused("You have signed up for another shift at that time", "该时段您已报名其他班次")
    volunteer.press("Check in", "签到", near=what)
    volunteer.reads("Waits for the charity", "待机构确认")

    officer.opens("giving:needs", stage["spent"])
    for minutes in ("61", "40"):
        officer.write("minutes", minutes, near=what)
        officer.press("Confirm", "确认", near=what)
        if minutes == "61":
            officer.is_refused("Not more than the shift lasted.", "不能超过班次时长。")

    volunteer.opens("giving:needs", stage["spent"])
    volunteer.reads("40 minutes confirmed", "已确认 40 分钟")
    volunteer.write("minutes", "50", near=what)
    volunteer.press("Dispute", "申诉", near=what)

    steward.opens("giving:disputes")
    steward.reads("confirmed 40, claimed 50", "机构确认 40，志愿者主张 50")
    steward.write("minutes", "45", near=what)
    steward.press("Decide", "裁定", near=what)
    volunteer.opens("giving:needs", stage["spent"])
    volunteer.reads("45 minutes confirmed", "已确认 45 分钟")


def test_a_sponsors_contract_from_the_offer_to_its_close(site: Site, stage: dict[str, str], enter: Enter) -> None:
    company, officer, giver = enter("company"), enter("charity"), enter("giver")
    company.opens("giving:sponsors", stage["spent"])
    company.write("per", "1000")
    company.write("pays", "1")
    company.write("most", "100")
    company.write_moment("closes_at", datetime.now(UTC) + timedelta(hours=2))
    company.press("Offer", "提出")
    contract = company.address
    officer.goes(contract)
    officer.press("Accept for the charity", "代表机构接受")

    giver.opens("giving:needs", stage["spent"])
    giver.write("amount", "100000")
    giver.press("Give", "捐出")
    giver.is_refused("At most 30,000", "每天最多 30,000")
    giver.write("amount", "2500")
    giver.press("Give", "捐出")
    giver.choose("asset", "FLOWERS")
    giver.write("amount", "1")
    giver.press("Give", "捐出")

    # Two hours later, as far as this contract and the clerk can tell.
    id = contract.rstrip("/").rpartition("/")[2]
    site.row(f"UPDATE giving_sponsorship SET closes_at = now() WHERE id = '{id}' RETURNING id")
    site.row("UPDATE jobs_recurrence SET next = now() WHERE task = 'giving.settle' RETURNING task")
    officer.goes(contract)
    officer.waits_for("The money has come", "款项已到账")
    officer.reads("2.00")
    officer.press("The money has come", "款项已到账")
    officer.reads("Closed", "已结清")
    giver.opens("giving:needs", stage["spent"])
    giver.reads("2,500")


def test_minutes_go_from_one_bank_to_another_and_back(site: Site, enter: Enter) -> None:
    giver, teacher, (shore,) = enter("giver"), enter("teacher"), site.row(SHORE)
    giver.opens("giving:timebank", *site.row(LAKE))
    giver.press("My account", "我的账户")
    giver.write("numbers", "1")
    giver.write("minutes", "20")
    giver.press("Send for confirmation", "请对方确认")
    giver.is_refused("somebody else than yourself", "不能与自己互助")
    giver.choose("bank", shore)
    giver.write("minutes", "1440")
    giver.press("Send for confirmation", "请对方确认")
    giver.is_refused("There is not enough left", "余额不足")
    giver.write("minutes", "20")
    giver.choose("category", "lessons")
    giver.press("Send for confirmation", "请对方确认")
    giver.press_what_has(giver.say("Erhai", "洱海"))
    giver.reads("Lessons and reading", "教学伴读")
    exchange = giver.address
    teacher.opens("inbox")
    teacher.waits_for("Lessons and reading", "教学伴读")
    teacher.goes(exchange)
    teacher.press("Confirm: I get the time", "确认收到")
    teacher.reads("Confirmed", "已确认")
    teacher.unfold("Give it all back", "全部退回")
    teacher.press("Give back", "退回")
    giver.goes(exchange)
    giver.reads("Settled", "已裁定或退回")


def test_help_of_several_is_entered_and_withdrawn(site: Site, enter: Enter) -> None:
    giver = enter("giver")
    giver.opens("giving:bank_account", *site.row(LAKE))
    giver.write("numbers", "2，3")
    giver.write("minutes", "5")
    giver.press("Send for confirmation", "请对方确认")
    for _ in range(2):
        giver.opens("giving:bank_account", *site.row(LAKE))
        giver.press_what_has(
            giver.say("I give 5 minutes", "我付出 5 分钟"), near=giver.say("Waits for the other side", "待对方确认")
        )
        giver.press("Withdraw", "撤回")
        giver.reads("Withdrawn", "已撤回")


def test_what_circles_between_banks_is_cleared_in_public(enter: Enter) -> None:
    stranger = enter("")
    stranger.opens("giving:banks")
    stranger.press("Clearings between time banks", "时间银行之间的清算")
    stranger.press_what_has(stranger.say("No. 1", "第 1 次"))
    stranger.reads("All together: 0", "合计为 0")
    assert b'"struck"' in stranger.download("Statement (JSON)", "清算单（JSON）")


def test_somebody_joins_a_bank_and_is_let_in(site: Site, enter: Enter, language: str) -> None:
    joiner, officer = enter("steward" if language == "zh" else "steward2"), enter("teacher")
    joiner.opens("giving:timebank", *site.row(LAKE))
    joiner.write("name", f"新邻居 {language}")
    joiner.press("Ask to join", "申请加入")
    officer.opens("giving:bank_members", *site.row(LAKE))
    officer.press("Let in", "批准", near=f"新邻居 {language}")
    joiner.opens("giving:timebank", *site.row(LAKE))
    joiner.press("My account", "我的账户")


def test_an_offer_on_the_board_is_found_asked_about_and_taken_up_from_an_allied_bank(
    site: Site, enter: Enter, language: str
) -> None:
    giver, teacher = enter("giver"), enter("teacher")
    said = f"陪您散步 {language}"
    giver.opens("giving:timebank", *site.row(LAKE))
    giver.press("Offers and needs", "互助信息")
    giver.choose("category", "care")
    giver.write("what_zh", f"{said} 138 0013 8000")
    giver.write("district", "五华区")
    giver.press("Put it up", "发布")
    giver.is_refused("Leave out telephone numbers and addresses", "请不要填写电话、微信等联系方式")
    giver.write("what_zh", said)
    giver.press("Put it up", "发布")
    giver.is_at(said)
    listing = giver.address

    teacher.opens("giving:board", *site.row(SHORE))
    teacher.write("q", said)
    teacher.choose("kinds", "offer")
    teacher.press("Show", "查看")
    teacher.misses("Singing for beginners", "唱歌入门")
    teacher.press(said, said)
    teacher.write("text", "周六上午可以吗？")
    teacher.press("Send", "发送")
    teacher.reads("周六上午可以吗？")
    seen = teacher.address
    giver.opens("inbox")
    giver.waits_for("Care and company: a member has written to you", "照护陪伴：有成员给您留言")
    giver.goes(listing)
    giver.write("text", "可以，湖边见。")
    giver.press("Send", "发送")
    teacher.goes(seen)
    teacher.reads("可以，湖边见。")
    teacher.write("minutes", "30")
    teacher.press("Send for confirmation", "请对方确认")
    teacher.reads("Care and company", "照护陪伴")
    giver.goes(teacher.address)
    giver.press("Confirm: I get the time", "确认收到")
    giver.reads("Confirmed", "已确认")
    giver.goes(listing)
    giver.press("Take it off the board", "撤下")
    giver.misses(said)


def test_the_report_of_a_month_is_read_and_taken_away(site: Site, enter: Enter) -> None:
    stranger, last = enter(""), datetime.now(ZoneInfo("Asia/Shanghai")).replace(day=1) - timedelta(days=1)
    stranger.opens("giving:timebank", *site.row(LAKE))
    stranger.press("Monthly reports", "月度报告")
    stranger.press(f"{month_name[last.month]} {last.year}", f"{last.year}年{last.month}月")
    stranger.is_at(f"Report of {month_name[last.month]} {last.year}", f"{last.year}年{last.month}月报告")
    stranger.reads("Members at the end", "月末成员")
    table = stranger.download("As a table (CSV)", "下载表格（CSV）").decode()
    assert f"{last:%Y-%m},members" in table


def test_a_bank_is_founded_and_allied_with_another_until_it_ends(
    site: Site, stage: dict[str, str], enter: Enter, language: str
) -> None:
    founder, officer, name = enter("company"), enter("teacher"), f"舞台时间银行 {language}"
    founder.opens("giving:banks")
    founder.choose_by_name("organisation", f"Stage shop {language}", f"舞台书店 {language}")
    founder.write("name_zh", name)
    founder.write("may_owe", "6001")
    founder.press("Start the bank", "设立")
    founder.is_refused("The largest possible amount is 6,000", "金额最多为 6,000")
    founder.write("may_owe", "600")
    founder.press("Start the bank", "设立")
    founder.is_at(name)
    founder.reads("It is allied with no other bank yet.", "还没有与其他时间银行结盟。")
    founder.press("Propose and answer alliances", "提出与答复结盟")
    founder.choose_by_name("other", "Cuihu time bank", "翠湖时间银行")
    founder.write("most", "0")
    founder.press("Propose", "提出")
    founder.is_refused("The smallest possible amount is 1", "金额最少为 1")
    founder.write("most", "300")
    founder.press("Propose", "提出")
    founder.reads("Proposed", "待对方同意")
    officer.opens("giving:bank_allies", *site.row(LAKE))
    officer.press("Accept", "同意", near=name)
    founder.goes(founder.address)
    founder.reads("Allied", "已结盟")
    founder.press("End", "终止", near=founder.say("Cuihu", "翠湖"))
    founder.reads("It is allied with no other bank yet.", "还没有与其他时间银行结盟。")
