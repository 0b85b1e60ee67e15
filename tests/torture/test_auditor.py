"""The auditor is audited: it finds nothing where nothing is wrong, and each fault that is planted behind its back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
        paid = {gift.transfer for gift in self.promised}
        with psycopg.connect(self.connection.info.dsn) as session:
            return audit(session, str(SIGNER.verifier), self.promised, paid=paid, earlier=self.earlier, seen=self.seen)

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
            promised.append(Acknowledged(f"key-{number}", book, gift, number))
        if number in (6, 10):
            sequence(session, SIGNER, NOW)
    seen = {note for (note,) in session.execute("SELECT note FROM proof_head")}
    yield Books(session, promised, seen, earlier)


def test_nothing_is_found_where_nothing_is_wrong(books: Books) -> None:
    assert books.audit() == []
    assert gifts(books.connection) == {gift.transfer for gift in books.promised} | books.earlier


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
    "a floor is broken": ("overdrawn", "UPDATE ledger_account SET floor = 1000000 WHERE name = 'fund'"),
    "a leaf is altered": (
        "unproved",
        "UPDATE proof_leaf SET entry = convert_to(replace(convert_from(entry, 'UTF8'), '000,', '001,'), 'UTF8')"
        " WHERE seq = 2",
    ),
    "a leaf is gone": ("unproved", "DELETE FROM proof_leaf WHERE seq = 2"),
    "the last leaf is gone": ("unproved", "DELETE FROM proof_leaf WHERE seq = 9"),
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


MISTAKES: dict[str, tuple[str, Callable[[list[Acknowledged]], None]]] = {
    "two gifts for one key": ("doubled", lambda gifts: gifts.__setitem__(1, replaced(gifts[1], key=gifts[0].key))),
    "one gift for two keys": (
        "lost",
        lambda gifts: gifts.append(replaced(gifts[0], key="another key")),
    ),
    "a gift that never was": ("lost", lambda gifts: gifts.append(replaced(gifts[0], "never", uuid.uuid4()))),
}


def replaced(gift: Acknowledged, key: str, transfer: uuid.UUID | None = None) -> Acknowledged:
    return Acknowledged(key, gift.book, transfer or gift.transfer, gift.amount)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_false_answer_is_found(books: Books, mistake: str) -> None:
    kind, change = MISTAKES[mistake]
    change(books.promised)
    assert kind in {finding.kind for finding in books.audit()}


def test_a_log_by_another_key_is_found(books: Books) -> None:
    other = SignerKey("audited.example/log", b"o" * 32)
    with psycopg.connect(books.connection.info.dsn) as session:
        found = audit(session, str(other.verifier), [])
    assert {finding.kind for finding in found} >= {"unproved"}
