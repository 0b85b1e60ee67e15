"""Guards that look into other books, on one machine that keeps their questions as a cluster does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.types.json import Jsonb

from commonweal.kernel.gathering import MARK
from commonweal.kernel.ledger.abroad import ANSWERED, QUESTION
from tests import cluster

HERE, THERE = uuid.UUID(int=1), uuid.UUID(int=2)
TABLES = f"""
CREATE TABLE paid (book uuid, amount bigint, PRIMARY KEY (book, amount));
CREATE TABLE used (book uuid, target uuid, amount bigint, at timestamptz, PRIMARY KEY (book, target));
CREATE FUNCTION check_used() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE n record;
BEGIN
    {MARK}
    FOR n IN SELECT * FROM added LOOP
        PERFORM FROM paid p WHERE p.book = n.target AND p.amount = n.amount;
        IF NOT FOUND THEN PERFORM ledger_refuse(format('%s is not paid there', n.amount)); END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER check_used AFTER INSERT ON used
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_used();
"""
ASK = "INSERT INTO ledger_question VALUES (%s, gen_random_uuid(), 'check_used', %s)"


@pytest.fixture
def asking(session: psycopg.Connection) -> Iterator[psycopg.Connection]:
    if cluster.named():
        pytest.skip("the cluster asks itself")
    for statement in (*QUESTION, TABLES, ANSWERED, ANSWERED):  # again after an update
        session.execute(statement)
    session.execute("INSERT INTO paid VALUES (%s, 500)", [THERE])
    yield session
    for table in ("ledger_question", "books_copied.ledger_question", "abroad_check_used.added"):
        assert session.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), "nothing of it stays"


def rows(*amounts: int) -> Jsonb:
    return Jsonb([
        {"book": str(HERE), "target": str(THERE), "amount": amount, "at": "2026-11-25T01:02:03.000004+00:00"}
        for amount in amounts
    ])  # fmt: skip


def test_the_guard_itself_answers(asking: psycopg.Connection) -> None:
    with asking.transaction():
        asking.execute(ASK, [HERE, rows(500, 500)])
        asking.execute("SELECT ledger_answer()")


def test_it_refuses_in_its_own_words(asking: psycopg.Connection) -> None:
    with (
        pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="501 is not paid there"),
        asking.transaction(),
    ):
        asking.execute(ASK, [HERE, rows(500, 501)])
        asking.execute("SELECT ledger_answer()")


def test_what_the_same_transaction_has_written_counts(asking: psycopg.Connection) -> None:
    with asking.transaction():
        asking.execute("INSERT INTO paid VALUES (%s, 7)", [THERE])
        asking.execute(ASK, [HERE, rows(7)])
        asking.execute("SELECT ledger_answer()")


@pytest.mark.parametrize(
    "ask",
    [
        ASK,
        "INSERT INTO books_copied.ledger_question SELECT gen_random_uuid(), 'check_used', r FROM (SELECT %s::uuid, %s)"
        " AS asked (b, r)",
    ],
)
def test_without_an_answer_nothing_is_committed(asking: psycopg.Connection, ask: str) -> None:
    refused = pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="has not looked into other books")
    with refused, asking.transaction():
        asking.execute(ask, [HERE, rows(500)])
    with asking.transaction():
        asking.execute(ask, [HERE, rows(500)])
        asking.execute("SELECT ledger_answer()")
