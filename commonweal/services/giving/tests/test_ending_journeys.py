"""When a campaign ends or goes wrong, by keyboard and without JavaScript: left-over property, a stop, what is owed."""

from __future__ import annotations

from pathlib import Path

import pytest

from commonweal.services.giving.tests.stage import title
from commonweal.services.giving.tests.test_charity_journeys import STEWARDS
from tests.browser.walking import Enter

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_left_over_property_goes_where_the_law_lets_it_and_the_trace_follows(
    stage: dict[str, str], enter: Enter, language: str, sheet: Path
) -> None:
    officer, giver = enter("charity"), enter("giver")
    officer.opens("giving:charity")
    officer.unfold("More", "更多", near=title("ended", language))
    officer.press("Left-over property", "剩余财产", near=title("ended", language))
    officer.choose("target", stage["spent"])
    officer.write("amount", "50")
    officer.write("what_zh", "剩余善款转入")
    officer.write("what_en", "What was left over")
    officer.attach("evidence", sheet)
    officer.press("Propose", "提出")
    officer.reads("Left over, passed on to", "剩余财产转入")
    for name in STEWARDS:
        steward = enter(name)
        steward.goes(officer.address)
        steward.press("Approve", "批准")
    giver.opens("giving:gift", stage["ended"], stage["left"])
    giver.waits_for("What was left over", "剩余善款转入")


def test_a_steward_stops_a_campaign_in_public(stage: dict[str, str], enter: Enter) -> None:
    steward, stranger = enter("steward"), enter("")
    steward.opens("giving:campaign", stage["stopped"])
    steward.press("Stop this campaign", "停止本项目")
    steward.write("why_zh", "资料不实。")
    steward.write("why_en", "Its papers were not true.")
    steward.press("Stop it", "停止")
    stranger.opens("giving:campaign", stage["stopped"])
    stranger.reads("Its papers were not true.", "资料不实。")
    stranger.reads("This campaign takes no gifts now.", "本项目目前不接受捐赠。")


def test_a_spent_gift_that_the_bank_took_back_is_owed_and_repaid(
    stage: dict[str, str], enter: Enter, language: str
) -> None:
    officer, steward, giver = enter("charity"), enter("steward"), enter("giver")
    giver.opens("giving:gift", stage["taken"], stage["taken_gift"])
    giver.reads("Chargeback", "拒付")
    steward.opens("giving:returns")
    steward.reads(title("taken back", language))
    officer.opens("giving:charity")
    officer.unfold("More", "更多", near=title("taken back", language))
    officer.press("Repay", "偿还", near=title("taken back", language))
    officer.reads("20.00")
    officer.write("amount", "20.01")
    officer.press("Enter it", "登记偿还")
    officer.is_refused("20.00", "20.00")
    officer.write("amount", "20")
    officer.press("Enter it", "登记偿还")
    officer.reads("Still owed: ¥ 0.00", "尚欠 0.00")
    officer.opens("giving:money", stage["taken"])
    officer.reads("Chargeback", "拒付")


def test_a_gift_that_the_bank_took_back_before_it_was_spent_costs_nobody_else(
    stage: dict[str, str], enter: Enter, language: str
) -> None:
    giver, stranger, steward, officer = enter("giver"), enter(""), enter("steward"), enter("charity")
    giver.opens("giving:gift", stage["unspent"], stage["back"])
    giver.reads("Chargeback", "拒付")
    giver.reads("20.00")
    stranger.opens("giving:campaign", stage["unspent"])
    stranger.reads("30.00")  # what the other gave is untouched
    stranger.opens("giving:money", stage["unspent"])
    stranger.reads("Chargeback", "拒付")
    steward.opens("giving:returns")
    steward.misses(title("unspent", language))  # nothing is owed for it
    officer.opens("giving:repay", stage["unspent"])
    officer.reads("Still owed: ¥ 0.00", "尚欠 0.00")
