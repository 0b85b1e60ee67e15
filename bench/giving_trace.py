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
        from django.db import connection, transaction

        from commonweal.kernel import clock
        from commonweal.services.giving.actions import gifts as giving
        from commonweal.services.giving.actions import payouts, returns
        from commonweal.services.giving.queries import gifts as queries
        from commonweal.services.giving.queries import givers, traces
        from commonweal.services.giving.rules.gifts import COLLECTED, Give
        from commonweal.services.giving.rules.plans import Asking
        from commonweal.services.giving.tests.conftest import DAY, NOW, make_world, picture
        from commonweal.services.giving.tests.test_payouts import WHAT

        with clock.stopped(NOW):
            world, chance = make_world(), random.Random(1)
            book, given = world.campaign.id, []
            every = max(1, number // OF_ONE)
            begin, laying = time.perf_counter(), 0.0
            for first in range(0, number, BATCH):
                batch = [
                    Give(book, None if n % every else world.giver.id, 500, "CNY", COLLECTED, str(n))
                    for n in range(first, first + BATCH)
                ]
                with transaction.atomic(), connection.cursor() as cursor:
                    given += [taken.id for taken in giving.take(cursor, batch, NOW) if isinstance(taken, giving.Taken)]
                if (first + BATCH) % LAID == 0:
                    laying += _seconds(partial(payouts.lay, book))
            laying += _seconds(partial(payouts.lay, book))
            built = time.perf_counter() - begin
            print(f"{len(given):,} gifts in {built:.0f} s, {laying:.0f} s of them for laying", file=sys.stderr)
            assert len(given) == number
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
            for gift in chance.sample(given, HOLES):
                returns.refund(world.officer, book, gift, 123, "bench", "k")
            asking = Asking(number * 250 // PAYOUTS, WHAT, (picture(),))
            requests = [_paid_out(payouts, world, asking, str(n)) for n in range(PAYOUTS)]
            forward = [_milliseconds(partial(traces.gift, gift)) for gift in chance.sample(given, ASKED)]
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
            for gift in chance.sample(given, ASKED):
                assert sum(part.amount for part in queries.trace(book, gift)) == used.get(gift, 0)
            with connection.cursor() as cursor:
                which = "p.book = %s AND p.gift = %s"
                cursor.execute(f"EXPLAIN {queries.TRACE.format(which=which)}", [book, given[0]])
                plan = "\n".join(row[0] for row in cursor.fetchall())
                assert "Seq Scan on giving_payment" not in plan, plan
                assert audit(cursor) == []
    goal, n = {"anchor": "goal", "anchor_value": MOST}, len(forward)
    named = f"trace of a gift of {number:,}"
    return [
        figure("gifts built and laid", number / built, "1/s", anchor="seconds in all", anchor_value=built, n=number),
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
