"""What is bought and how it is used, by keyboard and without JavaScript: from a vendor's list to the giver's line."""

from __future__ import annotations

from pathlib import Path

import pytest

from commonweal.services.giving.tests.test_charity_journeys import STEWARDS
from tests.browser.walking import Enter

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_an_order_arrives_costs_less_and_the_giver_sees_it(stage: dict[str, str], enter: Enter, sheet: Path) -> None:
    steward, shop, officer = enter("steward"), enter("company"), enter("charity")
    steward.opens("giving:vendors")
    steward.write("registration", stage["shop"])
    steward.write("about_zh", "图书")
    steward.write("contact", "shop@stage.example")
    steward.press("Admit", "入库")
    shop.goes(steward.address)
    shop.write("what_zh", "绘本一册")
    shop.write("what_en", "A picture book")
    shop.write("unit_zh", "册")
    shop.write("price", "10")
    shop.press("Offer", "上架")
    shop.reads("A picture book", "绘本一册")

    officer.opens("giving:orders", stage["spent"])
    officer.press(f"Stage shop {officer.language}", f"舞台书店 {officer.language}")
    officer.write("quantity-1", "2")
    officer.write("what_zh", "绘本两册")
    officer.write("what_en", "Two picture books")
    officer.attach("quote", sheet)
    officer.press("Order", "下单")
    order = officer.address
    for name in STEWARDS:
        judge = enter(name)
        judge.opens("giving:payouts")
        judge.press_what_has(judge.say("Two picture books", "绘本两册"))
        judge.press("Approve", "批准")
    officer.goes(order)
    officer.press("Link to confirm, good for 60 days", "到货确认链接（60 天有效）")
    link = officer.address
    receiver = enter("teacher")
    receiver.goes(link)
    receiver.write("quantity-1", "2")
    receiver.attach("evidence", sheet)
    receiver.press("Confirm", "确认到货")
    officer.goes(order)
    officer.write("price-1", "9")
    officer.attach("document", sheet)
    officer.press("Enter and pay", "登记并付款")
    officer.waits_for("Saved, free in the fund", "节省，仍在资金中")
    officer.reads("2.00")
    giver = enter("giver")
    giver.opens("giving:mine")
    giver.waits_for("Two picture books", "绘本两册")


def test_use_is_asked_after_thirty_days_shown_and_what_is_idle_passed_on(
    stage: dict[str, str], enter: Enter, sheet: Path
) -> None:
    officer, giver, steward = enter("charity"), enter("giver"), enter("steward")
    officer.opens("giving:use", stage["spent"], stage["payout"], 30)
    officer.choose("standing", "partly")
    officer.write("said_zh", "一半在读，一半还在箱子里。")
    officer.write("said_en", "Half are read, half are still in their boxes.")
    officer.press("Publish", "公布")
    officer.is_refused("Add 1 to 10 pictures of it in use", "请附 1 至 10 张使用中的照片")
    officer.attach("pictures", sheet)
    officer.press("Publish", "公布")
    officer.reads("Partly in use", "部分在用")
    giver.opens("giving:payout", stage["spent"], stage["payout"])
    giver.reads("Half are read", "一半在读")
    steward.opens("giving:payout", stage["spent"], stage["payout"])
    steward.unfold("It stands idle", "标记为闲置")
    steward.write("note_zh", "仓库里见到二十册。")
    steward.press("Mark as idle", "标记")
    steward.unfold("Pass it on", "转出闲置物资")
    steward.choose("target", stage["taken"])
    steward.write("note_zh", "隔壁的读书角用得上。")
    steward.press("Pass on", "转出")
    giver.opens("giving:payout", stage["spent"], stage["payout"])
    giver.reads("It went to", "已转给")
    giver.opens("giving:campaign", stage["taken"])
    giver.reads("Passed on to it by others", "其他项目转来的物资")


def test_use_is_asked_after_ninety_days_and_after_a_year_and_an_answer_comes_by_link(
    stage: dict[str, str], enter: Enter, sheet: Path
) -> None:
    stranger, officer, school, giver = enter(""), enter("charity"), enter("teacher"), enter("giver")
    stranger.opens("giving:payout", stage["old"], stage["lasting"])
    stranger.reads("Read every day.", "天天有人读。")  # after 30 days
    stranger.reads("no answer, overdue since", "逾期未答")  # after 90
    stranger.reads("asked, not answered yet", "已询问，尚未答复")  # after a year

    officer.opens("giving:use", stage["old"], stage["lasting"], 90)
    officer.is_at("After 90 days", "90 天后")
    officer.choose("standing", "partly")
    officer.write("said_zh", "有几本读破了，正在修。")
    officer.write("said_en", "Some are worn and being mended.")
    officer.attach("pictures", sheet)
    officer.press("Publish", "公布")
    officer.reads("Some are worn", "读破了")
    officer.misses("no answer, overdue since", "逾期未答")

    officer.opens("giving:use", stage["old"], stage["lasting"], 365)
    officer.press("Link to answer, good for 60 days", "答复链接（60 天有效）")
    school.goes(officer.address)
    school.is_at("After 365 days", "365 天后")
    school.choose("standing", "idle")
    school.write("said_zh", "学校合并，书收进了柜子。")
    school.write("said_en", "The school has moved, they are in a cupboard.")
    school.press("Publish", "公布")
    giver.opens("giving:payout", stage["old"], stage["lasting"])
    for words in (("Read every day.", "天天有人读。"), ("Some are worn", "读破了"), ("in a cupboard", "收进了柜子")):
        giver.reads(*words)
    steward = enter("steward")
    steward.opens("giving:uses")
    steward.reads("Stands idle", "闲置")
    officer.opens("giving:use", stage["old"], stage["lasting"], 90)  # what was said stays said
    officer.choose("standing", "idle")
    officer.write("said_zh", "改一改。")
    officer.press("Publish", "公布")
    officer.is_refused("answered", "已")
