"""The auditor is audited: it finds nothing where nothing is wrong, and each fault that is planted behind its back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from commonweal.kernel.ledger import Account, Leg, Transfer, open_accounts, open_assets, post, request_hash, resolve
from commonweal.kernel.proof import Fact, SignerKey, append, sequence
from commonweal.kernel.quantity import CNY
from commonweal.operation.torture.auditor import Acknowledged, Finding, audit, gifts

NOW = datetime(2026, 5, 1, tzinfo=UTC)
SIGNER = SignerKey("audited.example/log", b"k" * 32)


@dataclass
class Books:
    """Ten gifts that were acknowledged and paid, two sheets of checkpoints, and what was seen of them."""

    connection: psycopg.Connection[Any]
    promised: list[Acknowledged]
    seen: set[str]
    earlier: set[uuid.UUID]

    def audit(self) -> list[Finding]:
        with psycopg.connect(self.connection.info.dsn) as session:
            return audit(session, str(SIGNER.verifier), self.promised, earlier=self.earlier, seen=self.seen)

    def waiting(self) -> Acknowledged:
        """The gift of before the test, which is not paid."""
        return Acknowledged("key-999", self.promised[0].book, tuple(self.earlier), 999, paid=True)

    def spoil(self, statement: str) -> None:
        """With the database's own powers, so that no trigger fires."""
        with self.connection.transaction():
            self.connection.execute("SET LOCAL session_replication_role = replica")
            assert self.connection.execute(statement).rowcount, "nothing was spoilt"


@pytest.fixture
def books(session: psycopg.Connection[Any]) -> Iterator[Books]:
    book = uuid.uuid4()
    clearing, fund = Account(book, "clearing", "CNY", 1), Account(book, "fund", "CNY", -1, floor=0)
    promised: list[Acknowledged] = []

    def give(cursor: Any, number: int) -> uuid.UUID:
        legs = (Leg(clearing.id, number), Leg(fund.id, -number))
        transfer = Transfer(
            book,
            f"key-{number}",
            request_hash(str(number)),
            "giving.gift",
            legs,
            NOW,
            "pending",
            NOW.replace(year=2027),
        )
        return post(cursor, [transfer])[0].id

    with session.transaction(), session.cursor() as cursor:
        open_assets(cursor, [CNY])
        open_accounts(cursor, [clearing, fund])
        earlier = {give(cursor, 999)}
    for number in range(1, 11):
        with session.transaction(), session.cursor() as cursor:
            gift = give(cursor, number)
            resolve(cursor, book, gift, "post", NOW)
            append(cursor, Fact("giving.gift", NOW, {"gift": str(gift), "amount": number}))
            promised.append(Acknowledged(f"key-{number}", book, (gift,), number, paid=True))
        if number in (6, 10):
            sequence(session, SIGNER, NOW)
    seen = {note for (note,) in session.execute("SELECT note FROM proof_head")}
    yield Books(session, promised, seen, earlier)


def test_nothing_is_found_where_nothing_is_wrong(books: Books) -> None:
    assert books.audit() == []
    assert gifts(books.connection) == {gift.transfer for gift in books.promised} | books.earlier


REFUND = """
INSERT INTO giving_return (book, id, gift, cause, amount, spans, reference, reason, transfer, fact, at)
SELECT book, gen_random_uuid(), id, 'refund', 2, '{[0,2)}', '', '', id, gen_random_uuid(), now()
FROM ledger_transfer WHERE key = 'key-3'
"""
FAULTS: dict[str, tuple[str, str]] = {
    "a gift is gone": (
        "lost",
        "DELETE FROM ledger_transfer WHERE key = 'key-3'",
    ),
    "a gift has another amount": (
        "lost",
        """UPDATE ledger_posting p SET amount = amount * 2 FROM ledger_transfer t
           WHERE t.book = p.book AND t.id = p.transfer AND t.key = 'key-3'""",
    ),
    "a gift is there twice": (
        "doubled",
        """INSERT INTO ledger_transfer (book, id, key, request, kind, phase, legs, at)
           SELECT book, gen_random_uuid(), 'another', request, kind, 'posted', legs, at
           FROM ledger_transfer WHERE key = 'key-3'""",
    ),
    "a payment is gone": (
        "lost",
        """DELETE FROM ledger_transfer WHERE phase = 'post'
           AND resolves = (SELECT id FROM ledger_transfer WHERE key = 'key-3')""",
    ),
    "a transfer does not balance": ("unbalanced", "UPDATE ledger_posting SET amount = amount + 1 WHERE amount = 4"),
    "a posting is gone": ("unbalanced", "DELETE FROM ledger_posting WHERE amount = -4"),
    "a balance is not the sum": ("unbalanced", "UPDATE ledger_balance SET posted = posted - 1 WHERE posted > 0"),
    "a promise is forgotten": ("unbalanced", "UPDATE ledger_balance SET pending_debit = 0 WHERE pending_debit > 0"),
    "more is promised away than there is": (
        "overdrawn",
        """UPDATE ledger_balance b SET pending_debit = 1000000 FROM ledger_account a
           WHERE a.book = b.book AND a.id = b.account AND a.name = 'fund'""",
    ),
    "a gift is matched twice by one pool": (
        "doubled",
        """INSERT INTO giving_reservation (book, transfer, gift, pool, giver, day, amount)
           SELECT book, gen_random_uuid(), id, '00000000-0000-0000-0000-000000000001', gen_random_uuid(), now(), 1
           FROM ledger_transfer, generate_series(1, 2) WHERE key = 'key-3'""",
    ),
    "a refund of which nobody was told": ("doubled", REFUND),
    "a payment has no place": (
        "stuck",
        """INSERT INTO giving_payment (book, gift, amount, transfer, fact, reference, at)
           SELECT book, id, 3, id, gen_random_uuid(), '', now() FROM ledger_transfer WHERE key = 'key-3'""",
    ),
    "a floor is broken": ("overdrawn", "UPDATE ledger_account SET floor = 1000000 WHERE name = 'fund'"),
    "a leaf is altered": (
        "unproved",
        "UPDATE proof_leaf SET entry = convert_to(replace(convert_from(entry, 'UTF8'), '000,', '001,'), 'UTF8')"
        " WHERE seq = 2",
    ),
    "a leaf is gone": ("unproved", "DELETE FROM proof_leaf WHERE seq = 2"),
    "the last leaf is gone": ("unproved", "DELETE FROM proof_leaf WHERE seq = 9"),
    "a tile is altered": ("unproved", "UPDATE proof_tile SET hashes = substr(hashes, 1, 32) WHERE level = 0"),
    "a tile is gone": ("unproved", "DELETE FROM proof_tile WHERE level = 0"),
    "a tile is too many": ("unproved", "INSERT INTO proof_tile SELECT level, 1, hashes FROM proof_tile"),
    "a checkpoint is gone": ("unproved", "DELETE FROM proof_head WHERE size = 6"),
    "a checkpoint is forged": (
        "unproved",
        "UPDATE proof_head SET note = replace(note, E'\\n6\\n', E'\\n7\\n') WHERE size = 6",
    ),
    "a fact stands twice": (
        "doubled",
        "INSERT INTO proof_leaf SELECT 10, gen_random_uuid(), entry FROM proof_leaf WHERE seq = 2",
    ),
    "a fact waits": ("unproved", "INSERT INTO proof_staged SELECT gen_random_uuid(), entry FROM proof_leaf LIMIT 1"),
    "a job is stuck": (
        "stuck",
        "INSERT INTO jobs_job (id, task, payload, due) SELECT gen_random_uuid(), 'a.b', '{}', now() - interval '61 s'",
    ),
    "a job is counted from the future": (
        "stuck",
        "INSERT INTO jobs_job (id, task, payload, due, counted_from) "
        "SELECT gen_random_uuid(), 'a.b', '{}', now() + interval '1 day', now() + interval '1 day'",
    ),
    "a job is dead": (
        "stuck",
        "INSERT INTO jobs_job (id, task, payload, due, dead_at) VALUES (gen_random_uuid(), 'a.b', '{}', now(), now())",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(books: Books, fault: str) -> None:
    kind, statement = FAULTS[fault]
    books.spoil(statement)
    assert kind in {finding.kind for finding in books.audit()}


def test_a_leased_job_is_not_stuck(books: Books) -> None:
    books.connection.execute(
        "INSERT INTO jobs_job (id, task, payload, due) VALUES (gen_random_uuid(), 'a.b', '{}', now() - interval '50 s')"
    )
    assert books.audit() == []


MISTAKES: dict[str, tuple[str, Callable[[Books], None]]] = {
    "two gifts for one key": (
        "doubled",
        lambda books: books.promised.__setitem__(1, replace(books.promised[1], key=books.promised[0].key)),
    ),
    "another gift for a repeated key": (
        "doubled",
        lambda books: books.promised.__setitem__(
            1, replace(books.promised[1], answers=(*books.promised[1].answers, *books.promised[0].answers))
        ),
    ),
    "one gift for two keys": (
        "lost",
        lambda books: books.promised.append(replace(books.promised[0], key="another key")),
    ),
    "a gift that never was": (
        "lost",
        lambda books: books.promised.append(replace(books.promised[0], key="n", answers=(uuid.uuid4(),))),
    ),
    "a payment that never was": ("lost", lambda books: books.promised.append(books.waiting())),
    "a refund that never was": (
        "lost",
        lambda books: books.promised.__setitem__(1, replace(books.promised[1], refunds=(1,))),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_false_answer_is_found(books: Books, mistake: str) -> None:
    kind, change = MISTAKES[mistake]
    change(books)
    assert kind in {finding.kind for finding in books.audit()}


def test_a_payment_after_the_promise_was_over_is_the_same_gift(books: Books) -> None:
    book, (gift,) = books.promised[0].book, books.earlier
    with books.connection.transaction(), books.connection.cursor() as cursor:
        resolve(cursor, book, gift, "void", NOW)
        legs = (Leg(Account(book, "clearing", "CNY", 1).id, 999), Leg(Account(book, "fund", "CNY", -1).id, -999))
        post(cursor, [Transfer(book, f"late:{gift}", request_hash("late"), "giving.gift", legs, NOW)])
        append(cursor, Fact("giving.gift", NOW, {"gift": str(gift), "amount": 999}))
    sequence(books.connection, SIGNER, NOW)
    books.promised.append(books.waiting())
    assert books.audit() == []


def test_a_log_by_another_key_is_found(books: Books) -> None:
    other = SignerKey("audited.example/log", b"o" * 32)
    with psycopg.connect(books.connection.info.dsn) as session:
        found = audit(session, str(other.verifier), [])
    assert {finding.kind for finding in found} >= {"unproved"}
