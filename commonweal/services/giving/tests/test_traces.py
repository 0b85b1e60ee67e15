"""The documents of a trace: a gift and its payouts, a payout and its gifts, and what they sum to."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import connection

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.kernel.parties.models import Party
from commonweal.services.giving.actions import orders, payouts, returns
from commonweal.services.giving.commands import trace_lines
from commonweal.services.giving.queries import gifts, givers, pools, traces
from commonweal.services.giving.rules.orders import Billed
from commonweal.services.giving.tests.conftest import DAY, NOW, World, picture
from commonweal.services.giving.tests.test_fees import hosted
from commonweal.services.giving.tests.test_orders import arrive, offer, order, vendor
from commonweal.services.giving.tests.test_payouts import approve, ask, pay_out, put_in
from tests import cluster
from tests.cluster import unguarded

__all__ = ["vendor"]


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


def test_what_a_vendor_was_paid_is_shown_line_by_line(world: World, vendor: Party) -> None:
    first, second = put_in(world, 5_000, 20_000)
    music, lesson = offer(world, vendor, 1_500), offer(world, vendor, 4_000, "Lesson")
    request = order(world, vendor, (1, music, 4), (0, lesson, 3))
    waiting = traces.payout(request)
    assert (waiting["order"]["saved"], {line["amount"] for line in waiting["order"]["lines"]}) == (None, {"0.00"})
    approve(world, request)
    arrive(world, request, {1: 4, 2: 2})
    orders.invoice(world.officer, world.campaign.id, request, [Billed(1, 1_400, 4), Billed(2, 4_000, 2)], picture())
    payouts.pay(world.campaign.id, request)
    plain = pay_out(world, 100, "plain")

    paid = traces.payout(request)
    bought = [(line["what"]["en"], line["paid_for"], line["amount"]) for line in paid["order"]["lines"]]
    assert bought == [("Songs", 4, "56.00"), ("Lesson", 2, "80.00")]
    assert sum(Decimal(line["amount"]) for line in paid["order"]["lines"]) == Decimal(paid["amount"]) == Decimal("136")
    assert (paid["order"]["saved"], paid["order"]["vendor"]["zh"]) == ("44.00", "洱海乐器")
    assert all(each["evidence"] and each["fact"] for each in paid["order"]["arrivals"])
    assert traces.payout(plain)["order"] is None
    lines: Counter[str] = Counter()
    for gift in (first, second):
        for part in traces.gift(gift)["payouts"]:
            of_it = [Decimal(line["amount"]) for line in part["lines"]]
            assert sum(of_it) == (Decimal(part["amount"]) if part["payout"] == str(request) else 0)
            for line in part["lines"]:
                lines[line["what"]["en"]] += int(Decimal(line["amount"]) * 100)
    assert lines == {"Songs": 5_600, "Lesson": 8_000}, "the shares of all gifts are each line, to the fen"
    assert any("Lesson" in line for line in trace_lines(traces.gift(second)))
    assert any("paid to Erhai Music" in line for line in trace_lines(paid))


def test_fees_are_parts_of_a_gift_too(world: World) -> None:
    home = hosted(world, Fraction(5, 100))
    (gift,) = put_in(home, 10_000)
    pay_out(home, 3_000, "a")
    returns.refund(home.officer, home.campaign.id, gift, 2_000, "asked for it", "k")
    found = traces.gift(gift)
    assert found["fees"] == [{"to": "host", "amount": "5.00"}]
    parts = [Decimal(found[name]) for name in ("spent", "kept", "returned", "left")]
    assert parts == [Decimal(part) for part in ("30.00", "5.00", "19.00", "46.00")]
    assert sum(parts) == Decimal(found["amount"])
    assert list(trace_lines(found))[-1].strip() == "spent 30.00, kept 5.00, returned 19.00, left 46.00"


MANY = """
    INSERT INTO giving_return (book, id, gift, cause, amount, spans, reference, reason, transfer, fact, at)
    SELECT %(book)s, gen_random_uuid(), gen_random_uuid(), 'refund', 1, '{}', '', 'r', gen_random_uuid(),
           gen_random_uuid(), now() FROM generate_series(1, 3000);
    INSERT INTO giving_return_end (book, id, outcome, fact, at)
    SELECT book, id, 'done', gen_random_uuid(), now() FROM giving_return WHERE reason = 'r';
"""


@pytest.mark.skipif(cluster.named() is not None, reason="a plan of Citus does not tell what its shards read")
@pytest.mark.parametrize(
    ("query", "where"),
    [(gifts.GIFT, " WHERE g.book = %(book)s AND g.id = %(gift)s"), (givers.STATEMENT, ""),
     (pools.GIFTS.format(only=""), "")],
    ids=["gift", "statement", "pool"],
)  # fmt: skip
def test_before_there_are_statistics_a_gift_is_not_asked_for_with_all_returns_of_its_book(
    world: World, query: str, where: str
) -> None:
    """The blocks that are touched: thousands of returns of others add none."""
    (gift,) = put_in(world, 3_000)
    values: dict[str, Any] = {
        "book": world.campaign.id, "gift": gift, "giver": world.giver.id, "start": NOW - DAY, "end": NOW + DAY,
        "campaigns": [world.campaign.id], "opens": NOW - DAY, "closes": NOW + DAY, "now": NOW + DAY, "settled": False,
        "company": world.charity.id, "channel": "matching", "pool_book": world.campaign.id, "pool": gift, "lots": False,
        "flowers": "FLOWERS",
    }  # fmt: skip

    def touched() -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}{where}", values)
            (plan,) = cursor.fetchone()
        return int(plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"])

    before = touched()
    with connection.cursor() as cursor, unguarded(cursor):
        cursor.execute(MANY, {"book": world.campaign.id})
    assert touched() < before + 30
