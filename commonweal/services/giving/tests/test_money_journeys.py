"""Gifts that come again and again, gift cards and refunds, as people walk them: by keyboard, without JavaScript."""

from __future__ import annotations

import re

import pytest

from commonweal.services.giving.tests.test_journeys import HELD, MUSIC, give
from tests.browser.fixtures import Site
from tests.browser.walking import Enter

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_gift_every_month_begins_is_changed_paused_and_ended(site: Site, enter: Enter) -> None:
    giver = enter("giver")
    giver.opens("giving:campaign", *site.row(MUSIC))
    giver.unfold("Give again and again", "定期捐赠")
    giver.tick("foretold")
    giver.press("Every month", "每月捐")
    giver.press("Agree to be charged", "同意扣款协议")
    giver.waits_for("Received", "已收到")
    giver.write("amount", "8")
    giver.press("Change the amount", "修改金额")
    giver.is_at("8.00")
    for word, then in (
        (("Pause", "暂停"), ("Paused", "已暂停")),
        (("Go on", "恢复"), ("Running", "进行中")),
        (("End it", "结束"), ("Ended", "已结束")),
    ):
        giver.press(*word)
        giver.reads(*then)


def test_a_charge_that_fails_asks_for_nothing_and_can_be_tried_again(site: Site, enter: Enter) -> None:
    giver = enter("giver")
    giver.opens("giving:campaign", *site.row(MUSIC))
    giver.unfold("Give again and again", "定期捐赠")
    giver.press("Every week", "每周捐")
    giver.choose("charges", "gone")
    giver.press("Agree to be charged", "同意扣款协议")
    giver.waits_for("Nothing is owed; name another one", "您没有任何欠款，如愿继续")
    giver.press("Agree with the payment provider", "前往支付机构签约")
    giver.press("Agree to be charged", "同意扣款协议")
    giver.waits_for("Running", "进行中")


def test_a_refund_is_asked_for_and_paid(site: Site, enter: Enter) -> None:
    giver, steward = enter("giver"), enter("steward")
    giver.opens("giving:campaign", *site.row(MUSIC))
    give(giver)
    steward.goes(f"{giver.address}refund/")
    steward.write("amount", "5.01")
    steward.write("reason", "Given twice")
    steward.press("Refund", "退款")
    steward.is_refused("More cannot go back than was given", "退款不得超过")
    steward.write("amount", "3")
    steward.press("Refund", "退款")
    steward.waits_for("Done", "已完成")
    giver.goes(giver.address)
    giver.reads("Gone back", "已退回")
    giver.reads("3.00")


def test_a_card_is_bought_by_one_given_by_another_and_its_rest_refunded(site: Site, enter: Enter) -> None:
    buyer, holder, steward = enter("giver"), enter("teacher"), enter("steward")
    (campaign,) = site.row(HELD)
    buyer.opens("giving:campaign", campaign)
    buyer.press("Gift card", "礼品卡")
    buyer.write("amount", "50")
    buyer.press("Go to the payment", "去付款")
    buyer.press("Pay now", "立即付款")
    card = buyer.address
    buyer.press("Show the code, once", "显示卡号（仅一次）")
    code = buyer.page.get_by_role("status").inner_text()
    assert re.fullmatch(r"(\w{4}-){3}\w{4}", code)
    holder.opens("giving:redeem")
    holder.write("code", code.lower())
    holder.choose("target", campaign)
    holder.write("amount", "20")
    holder.press("Give", "捐助")
    holder.is_at("Thank you", "谢谢您")
    steward.goes(f"{card}refund/")
    steward.reads("30.00")
    steward.write("amount", "30")
    steward.write("reason", "Asked for")
    steward.press("Refund", "退款")
    steward.waits_for("Done", "已完成")
    buyer.goes(card)
    buyer.reads("Done", "已完成")
