"""One gift among a million, followed to its payouts and back."""

from __future__ import annotations

import random
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from bench.figure import Figure, figure
from bench.ground import server
from commonweal.kernel.ledger import audit

if TYPE_CHECKING:
    from commonweal.services.giving.rules.plans import Asking
    from commonweal.services.giving.tests.conftest import World

BATCH = 1_000
LAID = 20_000
PAYOUTS = 200
TOLD = 1_000_000
HOLES = 1_000
OF_ONE = 1_000
"""Gifts of the one giver whose statement is asked for."""
MOST = 20.0
MOST_STATEMENT = 100.0
ASKED = 1_000


def trace(number: int) -> list[Figure]:
    """All gifts go in by the batch path (`take`, 1,000 a transaction), are laid as the clerk lays them, and half of the
    money is paid out in 200 payouts. A thousand gifts are refunded in part before, so the line has holes.

    Before a speed is said: every payout is the sum of its gifts exactly, the forward trace tells of each gift what the
    backward one does, the books are audited, and no plan reads all payments.
    """
    with server():
        from commonweal.kernel import clock
        from commonweal.services.giving.tests.conftest import NOW, make_world

        with clock.stopped(NOW):
            world, chance = make_world(), random.Random(1)
            marked = [chance.sample(range(number), size) for size in (HOLES, ASKED, ASKED)]
            built, named = _build(world, number, {n for numbers in marked for n in numbers})
            return [
                figure(
                    "gifts built and laid", number / built, "1/s", anchor="seconds in all", anchor_value=built, n=number
                ),
                *_ask(world, number, *([named[n] for n in numbers] for numbers in marked)),
            ]


def _build(world: World, number: int, marked: set[int]) -> tuple[float, dict[int, uuid.UUID]]:
    """Take and lay so many gifts; the seconds that it took, and the ids of those whose numbers are marked."""
    from django.db import connection, transaction

    from commonweal.kernel.sql import prepared
    from commonweal.services.giving.actions import gifts as giving
    from commonweal.services.giving.actions import payouts
    from commonweal.services.giving.rules.gifts import COLLECTED, Give
    from commonweal.services.giving.tests.conftest import NOW

    book, every = world.campaign.id, max(1, number // OF_ONE)
    named: dict[int, uuid.UUID] = {}
    begin, laying = time.perf_counter(), 0.0
    for first in range(0, number, BATCH):
        batch = [
            Give(book, None if n % every else world.giver.id, 500, "CNY", COLLECTED, str(n))
            for n in range(first, first + BATCH)
        ]
        with transaction.atomic(), prepared() as cursor:
            taken = giving.take(cursor, batch, NOW)
        for n, answer in enumerate(taken, first):
            assert isinstance(answer, giving.Taken)
            if n in marked:
                named[n] = answer.id
        if (first + BATCH) % LAID == 0:
            laying += _seconds(partial(payouts.lay, book))
        if (first + BATCH) % TOLD == 0:
            print(f"{first + BATCH:,} gifts in {time.perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)
    laying += _seconds(partial(payouts.lay, book))
    built = time.perf_counter() - begin
    print(f"{number:,} gifts in {built:.0f} s, {laying:.0f} s of them for laying", file=sys.stderr, flush=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM giving_payment WHERE start IS NOT NULL")
        assert cursor.fetchone() == (number,)
        cursor.execute("ANALYZE")
    return built, named


def _ask(
    world: World, number: int, refunded: list[uuid.UUID], asked: list[uuid.UUID], checked: list[uuid.UUID]
) -> list[Figure]:
    """Refund, pay out, and then trace."""
    from django.db import connection

    from commonweal.services.giving.actions import payouts, returns
    from commonweal.services.giving.queries import gifts as queries
    from commonweal.services.giving.queries import givers, traces
    from commonweal.services.giving.rules.plans import Asking
    from commonweal.services.giving.tests.conftest import DAY, NOW, picture
    from commonweal.services.giving.tests.test_payouts import WHAT

    book = world.campaign.id
    for gift in refunded:
        returns.refund(world.officer, book, gift, 123, "bench", "k")
    asking = Asking(number * 250 // PAYOUTS, WHAT, (picture(),))
    requests = [_paid_out(payouts, world, asking, str(n)) for n in range(PAYOUTS)]
    forward = [_milliseconds(partial(traces.gift, gift)) for gift in asked]
    back = [_milliseconds(partial(queries.sources, book, request)) for request in requests]
    year = partial(givers.statement, world.giver.id, NOW - DAY, NOW + DAY)
    statement = [_milliseconds(lambda: year().rows) for _ in range(20)]
    assert len(year().rows) == min(OF_ONE, number)
    used: dict[uuid.UUID, int] = {}
    for request in requests:
        sources = queries.sources(book, request)
        assert sum(source.amount for source in sources) == asking.amount, "a payout is not the sum of its parts"
        for source in sources:
            used[source.gift] = used.get(source.gift, 0) + source.amount
    for gift in checked:
        assert sum(part.amount for part in queries.trace(book, gift)) == used.get(gift, 0)
    with connection.cursor() as cursor:
        which = "p.book = %s AND p.gift = %s"
        cursor.execute(f"EXPLAIN {queries.TRACE.format(which=which)}", [book, asked[0]])
        plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "Seq Scan on giving_payment" not in plan, plan
        assert audit(cursor) == []
    goal, n = {"anchor": "goal", "anchor_value": MOST}, len(forward)
    named = f"trace of a gift of {number:,}"
    return [
        figure(f"{named}, median", _at(forward, 50), "ms", n=n, most=MOST, **goal),  # type: ignore[arg-type]
        figure(f"{named}, p95", _at(forward, 95), "ms", n=n, most=MOST, **goal),  # type: ignore[arg-type]
        figure(f"{named}, longest", max(forward), "ms", n=n, **goal),  # type: ignore[arg-type]
        figure("gifts of a payout, median", _at(back, 50), "ms", n=len(back), **goal),  # type: ignore[arg-type]
        figure(
            f"statement of {OF_ONE:,} gifts, p95", _at(statement, 95), "ms", anchor="goal",
            anchor_value=MOST_STATEMENT, n=len(statement), most=MOST_STATEMENT,
        ),
    ]  # fmt: skip


def _paid_out(payouts: ModuleType, world: World, asking: Asking, key: str) -> uuid.UUID:
    request: uuid.UUID = payouts.ask(world.officer, world.campaign.id, asking, key)
    for steward in world.stewards:
        payouts.judge(steward, world.campaign.id, request, approves=True)
    payouts.pay(world.campaign.id, request)
    return request


def _at(times: list[float], percent: int) -> float:
    return sorted(times)[min(len(times) - 1, len(times) * percent // 100)]


def _seconds(do: Callable[[], object]) -> float:
    begin = time.perf_counter()
    do()
    return time.perf_counter() - begin


def _milliseconds(ask: Callable[[], Sequence[object] | dict[str, object]]) -> float:
    begin = time.perf_counter()
    assert ask()
    return (time.perf_counter() - begin) * 1_000
