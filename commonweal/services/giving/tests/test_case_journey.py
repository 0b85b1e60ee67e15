"""A signal as people meet it, without JavaScript and by keyboard: the giver reads and objects, two stewards decide."""

from __future__ import annotations

import pytest

from commonweal.services.giving.tests.stage import LEADERS, title
from commonweal.services.giving.tests.test_charity_journeys import STEWARDS
from tests.browser.walking import Enter

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

OTHERS = ("steward3", "steward4")
"""Whoever has decided does not decide about the objection."""
WORDS = "我们八位老师共用一部手机。"


def test_from_signal_to_decision_objection_and_release(stage: dict[str, str], enter: Enter, language: str) -> None:
    giver = enter(LEADERS[language])
    giver.opens("giving:gift", stage["ring"], stage["leader"])
    giver.reads("its match waits for a check", "您的捐款已全额到账；配捐待核查")
    _decide(enter, STEWARDS, ("Do not match", "不予配捐"), note="八个账号共用一部手机。")
    giver.opens("giving:gift", stage["ring"], stage["leader"])
    giver.reads("this gift is not matched", "这笔捐款不予配捐")
    giver.reads("八个账号共用一部手机。")
    giver.write("words", WORDS)
    giver.press("Object", "提出异议")
    giver.reads("Your objection is with the stewards", "您的异议已送达审核员")
    barred = enter(STEWARDS[0])
    barred.opens("giving:cases")
    barred.press_near(title("ring", barred.language))
    barred.reads("other stewards decide.", "须由其他审核员裁定。")
    _decide(enter, OTHERS, ("Match as any other", "照常配捐"), reads=WORDS)
    giver.opens("giving:gift", stage["ring"], stage["leader"])
    giver.reads("this gift is matched like any other", "这笔捐款照常配捐")


def _decide(enter: Enter, stewards: tuple[str, ...], word: tuple[str, str], note: str = "", reads: str = "") -> None:
    """Two stewards say the same of the case on the stage."""
    for name in stewards:
        steward = enter(name)
        steward.opens("giving:cases")
        steward.press_near(title("ring", steward.language))
        steward.reads(reads)
        if note:
            steward.write("note", note)
        steward.press(*word, near=steward.say("Two stewards must say the same.", "两位审核员意见一致才生效。"))
        steward.reads("What stewards have said", "审核员意见")
