"""What hand-written SQL cannot do to time banks: the database keeps their promises too."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from commonweal.kernel.ledger.neighbours import within
from commonweal.services.giving.queries import banks as queries
from commonweal.services.giving.tests.test_banks import (
    BEARS,
    FLOOR,
    LIMIT,
    There,
    ally,
    ask,
    asking,
    exchange,
    north,
    south,
    today,
)

__all__ = ["north", "south", "today"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE giving_exchange SET minutes = 1",
        "DELETE FROM giving_exchange_end",
        "UPDATE giving_bank SET may_owe = 6000",
        "UPDATE giving_clearing SET struck = 0",
        "UPDATE ledger_account SET floor = NULL WHERE name LIKE 'member:%'",
        "UPDATE ledger_balance SET posted = 0",
        # an exchange of more minutes than are held, with oneself, with somebody who is no member, between strangers
        "INSERT INTO giving_exchange SELECT book, gen_random_uuid(), asking, payer, payee, payee_bank, alliance, "
        "minutes + 1, category, held, at, expires_at FROM giving_exchange WHERE held IS NOT NULL",
        "INSERT INTO giving_exchange SELECT book, gen_random_uuid(), asking, payer, payer, payee_bank, alliance, "
        "minutes, category, NULL, at, expires_at FROM giving_exchange",
        "INSERT INTO giving_exchange SELECT book, gen_random_uuid(), asking, payee, payer, payee_bank, NULL, "
        "0, category, NULL, at, expires_at FROM giving_exchange",
        "INSERT INTO giving_exchange SELECT payee_bank, gen_random_uuid(), asking, payer, payee, payee_bank, NULL, "
        "minutes, category, NULL, at, expires_at FROM giving_exchange WHERE alliance IS NOT NULL",
        "INSERT INTO giving_exchange SELECT book, gen_random_uuid(), asking, payer, payee, payee_bank, "
        "gen_random_uuid(), minutes, category, NULL, at, expires_at FROM giving_exchange WHERE alliance IS NOT NULL",
        # a confirmation without a movement, a second end, more back than was given
        "INSERT INTO giving_exchange_end SELECT book, id, 'confirmed', held, id, at FROM giving_exchange e "
        "WHERE NOT EXISTS (SELECT FROM giving_exchange_end d WHERE d.id = e.id)",
        "INSERT INTO giving_exchange_end SELECT book, id, 'declined', NULL, NULL, at FROM giving_exchange_end",
        "INSERT INTO giving_exchange_back SELECT e.book, e.id, e.minutes + 1, 0, e.payer, d.moved, d.fact, d.at "
        "FROM giving_exchange e JOIN giving_exchange_end d ON d.id = e.id",
        "INSERT INTO giving_exchange_back SELECT e.book, e.id, e.minutes, 0, e.payer, d.moved, d.fact, d.at "
        "FROM giving_exchange e JOIN giving_exchange_end d ON d.id = e.id",
        # somebody admits themselves, or is in a bank twice; two alliances of a pair
        "UPDATE giving_bank_member SET admitted_by = person",
        "INSERT INTO giving_bank_member SELECT gen_random_uuid(), bank, number + 100, person, sealed, asked_at "
        "FROM giving_bank_member",
        "INSERT INTO giving_alliance SELECT gen_random_uuid(), other, one, most, accepted_by, proposed_at, "
        "proposed_by, accepted_at FROM giving_alliance",
    ],
)
def test_raw_sql_breaks_no_promise(north: There, south: There, statement: str) -> None:
    ally(north, south)
    exchange(north, 1, south, 1)
    ask(north, 2, asking(north, 3))
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


MOVE = """
WITH t AS (
    INSERT INTO ledger_transfer (book, id, key, request, kind, phase, legs, at)
    VALUES (%(book)s, gen_random_uuid(), 'by hand', sha256(''), 'x', 'posted', 2, now())
    RETURNING book, id
), p AS (
    INSERT INTO ledger_posting (book, transfer, seq, account, amount)
    SELECT t.book, t.id, n, a.id, amount
    FROM t, (VALUES (0, %(debit)s, %(amount)s), (1, %(credit)s, -%(amount)s)) AS leg (n, name, amount)
    JOIN ledger_account a ON a.book = %(book)s AND a.name = leg.name
)
SELECT id FROM t
"""


def move(cursor: Any, book: uuid.UUID, debit: str, credit: str, amount: int) -> None:
    """By hand, as one statement on whichever machine the book is."""
    values = {"book": book, "debit": debit, "credit": credit, "amount": amount}
    within(cursor, MOVE, lambda _: values, [book], lambda book: book)


def test_raw_sql_takes_no_member_below_the_floor_and_no_bank_beyond_its_limit(north: There, south: There) -> None:
    alliance = ally(north, south)
    exchange(north, 1, south, 1, LIMIT)
    member = queries.by_number(north.id, [1])[1].id
    for debit, credit, amount in (
        (f"member:{member}", "common", FLOOR - LIMIT + 1),
        ("common", f"ally:{alliance}", 1),
        ("common", f"member:{member}", BEARS + 1),
    ):
        with pytest.raises(IntegrityError, match="floor"), transaction.atomic(), connection.cursor() as cursor:
            move(cursor, north.id, debit, credit, amount)
