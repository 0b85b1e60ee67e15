"""A steward's ways, by keyboard and without JavaScript: the queues, notes and looks on record, words to everybody."""

from __future__ import annotations

import pytest

from commonweal.services.giving import SERVICE
from commonweal.services.giving.tests.test_journeys import HELD, give
from tests.browser.fixtures import Site
from tests.browser.walking import Enter

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_every_queue_is_reached_from_the_console(enter: Enter) -> None:
    steward = enter("steward")
    for link in SERVICE.console:
        steward.opens("console")
        steward.press(f"Giving: {link.title.en}", f"捐助：{link.title.zh}")
        assert steward.address == steward.site.address(f"giving:{link.url_name}", language=steward.language)
    steward.opens("giving:mismatches")
    steward.reads("Daily reconciliation", "每日对账")


def test_a_note_on_a_charity_is_kept_and_the_look_is_on_record(stage: dict[str, str], enter: Enter) -> None:
    steward, officer = enter("steward"), enter("charity")
    steward.opens("giving:risks")
    steward.press("Beyond the Mountains Foundation (made up)", "山那边公益基金会（虚构）")
    steward.write("note", f"两份发票号码相同 {steward.language}")
    steward.write("reason", "抽查")
    steward.choose("campaign", stage["spent"])
    steward.press("Add", "添加")
    steward.reads(f"两份发票号码相同 {steward.language}")
    steward.opens("giving:views")
    steward.reads("Beyond the Mountains", "山那边")
    officer.opens("giving:organisation", stage["charity"])
    officer.misses("两份发票号码相同")


def test_an_announcement_is_made_and_withdrawn(enter: Enter) -> None:
    steward, stranger = enter("steward"), enter("")
    steward.opens("giving:control")
    steward.write("text_zh", "今晚十点维护十分钟。")
    steward.write("text_en", "Ten minutes of maintenance at ten tonight.")
    steward.press("Announce", "发布公告")
    stranger.opens("giving:campaigns")
    stranger.reads("Ten minutes of maintenance", "今晚十点维护")
    steward.press("End it now", "立即撤下")
    stranger.opens("giving:campaigns")
    stranger.misses("Ten minutes of maintenance", "今晚十点维护")


def test_what_the_foundation_earns_is_paid_when_two_others_agree(
    site: Site, stage: dict[str, str], enter: Enter, language: str
) -> None:
    giver, asks, (campaign,) = enter("giver"), enter("steward"), site.row(HELD)
    giver.opens("giving:campaign", campaign)
    giver.write("tip", "5")
    give(giver)
    asks.opens("giving:incomes")
    asks.waits_for("After the flood", "洪水之后")
    asks.choose("campaign", campaign)
    asks.write("amount", "1")
    asks.write("what_zh", f"服务器费用 {language}")
    asks.press("Ask", "提交申请")
    for name in ("steward2", "steward3"):
        agrees = enter(name)
        agrees.opens("giving:incomes")
        agrees.press("Approve", "批准", near=f"服务器费用 {language}")
    asks.opens("giving:incomes")
    asks.waits_for("Paid out", "已拨付")
