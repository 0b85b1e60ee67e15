"""People who need help and people who write to each other, by keyboard, without JavaScript, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from commonweal.services.giving.tests.stage import title
from tests.browser.walking import Enter

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ASKER = {"zh": "giver", "en": "company"}
"""Somebody has one appeal at a time."""


def test_an_appeal_is_asked_warned_of_adopted_and_given_for(
    stage: dict[str, str], enter: Enter, language: str, sheet: Path
) -> None:
    asker, steward, anybody, officer = enter(ASKER[language]), enter("steward"), enter(""), enter("charity")
    title = f"给一位护林员配眼镜 {language}"
    asker.opens("giving:appeals")
    asker.reads("Not charity fundraising", "非慈善募捐")
    asker.press("Ask for help", "我要求助")
    asker.write("title_zh", title)
    asker.write("story_zh", "看不清树牌上的字。")
    asker.choose("topic", "health")
    asker.write("amount", "300000.01")
    asker.attach("evidence", sheet)
    asker.press("Ask", "提交求助")
    asker.is_refused("300,000.00", "300,000.00")
    asker.write("amount", "800")
    asker.attach("evidence", sheet)
    asker.press("Ask", "提交求助")
    address = asker.address
    steward.goes(address)
    steward.press("Show it", "予以公开")
    anybody.goes(address)
    anybody.is_at(title)
    anybody.reads("Not charity fundraising", "非慈善募捐")
    assert anybody.page.get_by_role("button", name=anybody.say("Give", "捐助"), exact=True).count() == 0
    officer.goes(address)
    officer.choose("campaign", stage["spent"])
    officer.press("Adopt", "接手")
    anybody.goes(address)
    anybody.press("Adopted: see the campaign", "已由慈善组织接手：查看项目")
    anybody.reads(title)
    assert anybody.page.get_by_role("button", name=anybody.say("Give", "捐助"), exact=True).count() == 1


def test_a_giver_writes_the_charity_answers_and_a_steward_is_called(
    stage: dict[str, str], enter: Enter, language: str
) -> None:
    giver, officer, steward = enter("giver"), enter("charity"), enter("steward")
    giver.opens("giving:gift", stage["ended"], stage["left"])
    giver.press("Write to the charity", "给机构留言")
    giver.write("text", f"How are they? {giver.language} <b>")
    giver.press("Send", "发送")
    giver.reads(f"How are they? {giver.language} <b>")
    thread = giver.address
    officer.opens("giving:inbox", stage["charity"])
    officer.reads("Unread", "未读")
    officer.goes(thread)
    officer.reads("A giver of this campaign", "本项目的一位捐助人")
    officer.write("text", "Very well.")
    officer.press("Send", "发送")
    giver.opens("giving:mine")
    giver.press_what_has(giver.say("new answers", "条新回复"))
    giver.goes(thread)
    giver.reads("Very well.")
    giver.unfold("Something is wrong here: call a steward", "内容有问题：请审核员查看")
    giver.write("reason", "Please look.")
    giver.press("Call a steward", "请审核员查看")
    steward.opens("giving:calls")
    steward.press_what_has(title("ended", language))
    steward.reads("Your look at this thread is on record", "您对此留言的查看已公开记录")
    steward.press("Leave it open", "保持开放")
    giver.goes(thread)
    giver.reads("A steward has looked", "审核员已查看")
