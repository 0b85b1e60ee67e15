"""The documents of a trace: a gift and its payouts, a payout and its gifts, and what they sum to."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal

import pytest

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.services.giving.actions import payouts, returns
from commonweal.services.giving.commands import trace_lines
from commonweal.services.giving.queries import traces
from commonweal.services.giving.tests.conftest import NOW, World
from commonweal.services.giving.tests.test_payouts import ask, pay_out, put_in


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


def test_a_gift_is_what_is_spent_returned_and_left(world: World) -> None:
    first, second = put_in(world, 3_000, 4_000)
    returns.refund(world.officer, world.campaign.id, first, 500, "asked for it", "k")
    paid = pay_out(world, 4_001, "a")

    found = traces.gift(second)
    (part,) = found["payouts"]
    assert (part["payout"], part["amount"], part["of"]) == (str(paid), "15.01", "40.01")
    assert part["evidence"] and all(len(digest) == 64 for digest in part["evidence"])
    assert found["place"] == [3_000, 7_000]
    assert (found["spent"], found["returned"], found["left"]) == ("15.01", "0.00", "24.99")

    earlier = traces.gift(first)
    assert (earlier["spent"], earlier["returned"], earlier["left"]) == ("25.00", "5.00", "0.00")
    assert [(each["what"], each["amount"], each["standing"]) for each in earlier["returns"]] == [
        ("refunded", "5.00", "done")
    ]
    lines = list(trace_lines(earlier))
    assert lines[0].startswith(f"gift 1 ({first}): CNY 30.00, paid")
    assert lines[-1].strip() == "spent 25.00, returned 5.00, left 0.00"
    assert any(f"/files/{part['evidence'][0]}" in line for line in lines)


def test_a_payout_is_the_sum_of_its_gifts_and_names_nobody(world: World) -> None:
    put_in(world, 3_000, 4_000)
    paid = pay_out(world, 4_001, "a")
    found = traces.payout(paid)
    assert [(each["number"], each["amount"]) for each in found["gifts"]] == [(1, "30.00"), (2, "10.01")]
    assert found["sum"] == found["amount"] == "40.01"
    assert sum(Decimal(each["amount"]) for each in found["gifts"]) == Decimal("40.01")
    assert str(world.giver.id) not in str(found)
    assert list(trace_lines(found))[-1].strip() == "sum 40.01 of 40.01 from 2 gifts"


def test_what_is_not_paid_out_has_no_parts_yet(world: World) -> None:
    (gift,) = put_in(world, 3_000)
    assert traces.gift(gift)["place"] is None, "not laid yet"
    payouts.lay(world.campaign.id)
    assert (traces.gift(gift)["payouts"], traces.gift(gift)["left"]) == ([], "30.00")
    asked = traces.payout(ask(world, 1_000))
    assert (asked["state"], asked["gifts"], asked["sum"], asked["paid_at"]) == ("asked", [], "0.00", None)


def test_what_is_unknown_is_said(db: None) -> None:
    with pytest.raises(NotFound, match=r"gift\.unknown"):
        traces.gift(uuid.uuid4())
    with pytest.raises(NotFound, match=r"payout\.unknown"):
        traces.payout(uuid.uuid4())
