"""What a plan, a text, an appeal, an amount or a split is refused for: each rule by the input that breaks it alone."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import appeals, plans, receipts, returns, texts
from commonweal.services.giving.rules.needs import Need
from commonweal.services.giving.rules.plans import Plan

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SAID = Text("a", "一")
LESSON = Need(SAID, 50_00, 2, SAID)
PLAN = Plan(
    organisation=uuid.UUID(int=1),
    title=SAID,
    summary=SAID,
    story=SAID,
    topic="education",
    place=SAID,
    needs=(LESSON,),
    opens_at=NOW + timedelta(days=10),
    closes_at=NOW + timedelta(days=40),
    filing_number="F-1",
    filed_at=NOW,
)


def test_a_plan_that_is_filed_in_time_can_be_published() -> None:
    plans.check(PLAN, NOW)  # raises nothing
    emergency = dataclasses.replace(PLAN, topic="disaster", opens_at=NOW)
    plans.check(emergency, NOW)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"topic": "weather"}, "plan.topic"),
        ({"needs": ()}, "plan.needs"),
        ({"needs": (dataclasses.replace(LESSON, price=0),)}, "plan.needs"),
        ({"needs": (LESSON,) * (plans.MOST_NEEDS + 1)}, "plan.needs"),
        ({"cap": 0}, "plan.cap"),
        ({"cap": plans.CAP + 1}, "plan.cap"),
        ({"closes_at": PLAN.opens_at}, "plan.period"),
        ({"filed_at": NOW + timedelta(seconds=1)}, "filing.future"),
        ({"opens_at": NOW + timedelta(days=9)}, "filing.too-late"),
    ],
)
def test_a_plan_is_refused(change: dict[str, object], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        plans.check(dataclasses.replace(PLAN, **change), NOW)  # type: ignore[arg-type]
    assert refused.value.code == code


def test_a_text_has_a_longest_length() -> None:
    assert texts.check("一" * 10, "story", 10) == "一" * 10
    with pytest.raises(Invalid) as refused:
        texts.check("一" * 11, "story", 10)
    assert refused.value.code == "text.too-long"


def test_nobody_adopts_their_own_appeal() -> None:
    shown = appeals.Standing(uuid.UUID(int=1), shows=True, adopted=False, withdrawn_at=None)
    appeals.check_adopt(shown, uuid.UUID(int=2))
    with pytest.raises(NotAllowed) as refused:
        appeals.check_adopt(shown, shown.asker)
    assert refused.value.code == "appeal.own"


@pytest.mark.parametrize("fen", [-1, 10**18])
def test_a_receipt_writes_amounts_within_its_numerals(fen: int) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        receipts.capitals(fen)


def test_nothing_is_told_of_nothing() -> None:
    assert receipts.impact([], 500) is None
    assert receipts.impact([LESSON], 0) is None
    assert receipts.impact([LESSON], 100_00) is not None


@pytest.mark.parametrize("amount", [0, 101])
def test_no_more_is_split_than_there_was(amount: int) -> None:
    assert sum(returns.split({"charity": 90, "fee": 10}, 100).values()) == 100
    with pytest.raises(Conflict) as refused:
        returns.split({"charity": 90, "fee": 10}, amount)
    assert refused.value.code == "refund.above-gift"
