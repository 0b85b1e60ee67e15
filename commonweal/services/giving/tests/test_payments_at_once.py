"""Payments that meet: in one batch, and in two processes at the same moment. Each fen is booked once, or owed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, LiteralString, Self

import psycopg
import pytest
from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.ledger import audit
from commonweal.kernel.sql import Prepared, prepared
from commonweal.services.giving.actions import gifts, payments
from commonweal.services.giving.payment import Callback
from commonweal.services.giving.rules.gifts import PAY_WITHIN, Give, Outcome
from commonweal.services.giving.tests import conftest as giving
from commonweal.services.giving.tests.conftest import NOW
from tests import cluster

LATE = NOW + PAY_WITHIN + timedelta(minutes=1)


@pytest.fixture
def world(fresh_database: str) -> Iterator[giving.World]:
    yield giving.make_world()
    connection.close()


@pytest.fixture
def other() -> Iterator[ThreadPoolExecutor]:
    """Another process, as far as the database can tell: a thread with a session of its own."""
    with ThreadPoolExecutor(1) as thread:
        yield thread
        thread.submit(connection.close)


def promise(world: giving.World, key: str = "k") -> uuid.UUID:
    with clock.stopped(NOW):
        return gifts.give(Give(world.campaign.id, world.giver.id, 500, "CNY", "simulator", key)).id


def report(world: giving.World, gift: uuid.UUID, reference: str, nonce: str, **changed: Any) -> Callback:
    return replace(Callback("simulator", nonce, world.campaign.id, gift, 500, "CNY", reference), **changed)


def take_in(reported: Sequence[Callback], at: Any = NOW) -> list[Outcome | None]:
    with transaction.atomic(), prepared() as cursor:
        return payments.take_in(cursor, reported, at)


def balances(session: psycopg.Connection, world: giving.World) -> dict[str, int]:
    found = session.execute(
        "SELECT a.name, (sum(b.posted) * a.side)::bigint FROM ledger_balance b "
        "JOIN ledger_account a ON a.book = b.book AND a.id = b.account WHERE b.book = %s GROUP BY a.name, a.side",
        [world.campaign.id],
    )
    return {name: amount for name, amount in found if amount}


def check(session: psycopg.Connection, world: giving.World, *, owed: int, payments: int = 1) -> None:
    """The gift is paid once, what came beside it is owed, and the books are right."""
    expected = {"provider:simulator": 500 * payments + owed, "received": 500 * payments, "owed": owed}
    assert balances(session, world) == {name: amount for name, amount in expected.items() if amount}
    assert session.execute("SELECT count(*) FROM giving_payment").fetchone() == (payments,)
    assert session.execute("SELECT count(*) FROM ledger_open").fetchone() == (0,)
    with session.cursor() as cursor:
        assert audit(cursor) == []


def test_two_different_payments_of_one_gift_in_one_batch(world: giving.World, session: psycopg.Connection) -> None:
    gift = promise(world)
    said = [report(world, gift, "first", "1"), report(world, gift, "second", "2"), report(world, gift, "first", "3")]
    assert take_in(said) == [Outcome.PAID, Outcome.TWICE, Outcome.KNOWN]
    check(session, world, owed=500)
    assert session.execute("SELECT reference FROM giving_payment").fetchall() == [("first",)]
    assert session.execute("SELECT reference, amount FROM giving_twice").fetchall() == [("second", 500)]
    assert take_in(said) == [Outcome.KNOWN] * 3, "the same callbacks again"
    check(session, world, owed=500)


def test_two_payments_that_come_late_in_one_batch(world: giving.World, session: psycopg.Connection) -> None:
    gift = promise(world)
    said = [report(world, gift, "first", "1"), report(world, gift, "second", "2")]
    assert take_in(said, LATE) == [Outcome.PAID, Outcome.TWICE]
    check(session, world, owed=500)


def test_one_that_differs_between_two_that_fit(world: giving.World, session: psycopg.Connection) -> None:
    gift = promise(world)
    said = [
        report(world, gift, "yuan", "1", amount=5),
        report(world, gift, "first", "2"),
        report(world, gift, "dollars", "3", asset="USD"),
        report(world, gift, "second", "4"),
    ]
    assert take_in(said) == [Outcome.DIFFERS, Outcome.PAID, Outcome.DIFFERS, Outcome.TWICE]
    check(session, world, owed=500)


class Interrupted(Prepared):
    """A cursor whose owner is interrupted once, after it has read what was promised and before it pays."""

    meanwhile: Callable[[], object] | None = None

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        if "INSERT INTO ledger_transfer" in f"{query} {params}" and self.meanwhile:  # an errand carries it along
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        super().execute(query, params, **options)
        return self


def interrupted(reported: Sequence[Callback], meanwhile: Callable[[], object], at: Any = NOW) -> list[Outcome | None]:
    """Take in, while somebody else does something between the reading and the writing."""
    with transaction.atomic():
        connection.ensure_connection()
        with Interrupted(connection.connection) as cursor:
            cursor.meanwhile = meanwhile
            return payments.take_in(cursor, reported, at)


@pytest.mark.parametrize("at", [NOW, LATE], ids=["in time", "late"])
@pytest.mark.parametrize(
    ("reference", "nonce", "outcome", "owed"),
    [
        ("first", "2", Outcome.KNOWN, 0),  # the same payment, told to two processes
        ("first", "1", Outcome.KNOWN, 0),  # the very same callback
        ("second", "2", Outcome.TWICE, 500),
    ],
)
def test_somebody_else_has_paid_between_the_steps(
    world: giving.World, other: ThreadPoolExecutor, session: psycopg.Connection, at: Any, reference: str, nonce: str,
    outcome: Outcome, owed: int,
) -> None:  # fmt: skip
    gift, beside = promise(world), promise(world, "beside")
    mine = [report(world, gift, reference, nonce), report(world, beside, "beside", "b")]
    theirs: list[Outcome | None] = []

    def pay() -> None:
        theirs.extend(other.submit(take_in, [report(world, gift, "first", "1")], at).result(60))

    assert interrupted(mine, pay, at) == [outcome, Outcome.PAID]
    assert theirs == [Outcome.PAID]
    check(session, world, owed=owed, payments=2)


def waits_for_another(session: psycopg.Connection) -> bool:
    waiting: LiteralString = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    if cluster.named():
        waiting = f"SELECT sum(result::int) FROM run_command_on_all_nodes($${waiting}$$)"
    return session.execute(waiting).fetchone() != (0,)


@pytest.mark.parametrize(
    ("reference", "outcome", "owed"), [("first", Outcome.KNOWN, 0), ("second", Outcome.TWICE, 500)]
)
def test_somebody_else_pays_and_has_not_committed_yet(
    world: giving.World, other: ThreadPoolExecutor, session: psycopg.Connection, reference: str, outcome: Outcome,
    owed: int,
) -> None:  # fmt: skip
    gift = promise(world)
    mine: Future[list[Outcome | None]]
    with transaction.atomic(), prepared() as cursor:
        assert payments.take_in(cursor, [report(world, gift, "first", "1")], NOW) == [Outcome.PAID]
        mine = other.submit(take_in, [report(world, gift, reference, "2")])
        deadline = time.monotonic() + 60
        while not waits_for_another(session):
            assert not mine.done(), mine.result()
            assert time.monotonic() < deadline
    assert mine.result(60) == [outcome]
    check(session, world, owed=owed)


def test_somebody_else_pays_and_is_gone_before_the_commit(
    world: giving.World, other: ThreadPoolExecutor, session: psycopg.Connection
) -> None:
    gift = promise(world)
    mine: Future[list[Outcome | None]]
    with transaction.atomic(), prepared() as cursor:
        payments.take_in(cursor, [report(world, gift, "first", "1")], NOW)
        mine = other.submit(take_in, [report(world, gift, "second", "2")])
        deadline = time.monotonic() + 60
        while not waits_for_another(session):
            assert not mine.done(), mine.result()
            assert time.monotonic() < deadline
        transaction.set_rollback(True)
    assert mine.result(60) == [Outcome.PAID]
    check(session, world, owed=0)
    assert session.execute("SELECT reference FROM giving_payment").fetchall() == [("second",)]
