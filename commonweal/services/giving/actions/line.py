"""The line of a fund: payments are laid on it one behind the other, and what is drawn from it is gone."""

from __future__ import annotations

import uuid
from fractions import Fraction

from commonweal.kernel import clock
from commonweal.kernel.ids import uuid7
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger import Transfer, post, request_hash
from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving.actions import books, fees
from commonweal.services.giving.rules.trace import Span


def lock(cursor: Cursor, campaign: uuid.UUID) -> None:
    """One at a time lays and draws in a book. A statement of its own, so that the next one sees what the last wrote."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"giving:{campaign}"])


def lay(cursor: Cursor, campaign: uuid.UUID) -> int:
    """Lay the payments that have no place, and let their givers be thanked; returns how many."""
    cursor.execute(
        """
        WITH line AS MATERIALIZED (  -- once: rows of this very update stand in its index
            SELECT coalesce(max(start + amount), 0) AS laid, coalesce(max(nth), 0) AS nth
            FROM (SELECT start, amount, nth FROM giving_payment
                  WHERE book = %(book)s AND start IS NOT NULL ORDER BY start DESC LIMIT 1) last
        ), fresh AS (
            SELECT gift, sum(amount) OVER waiting - amount AS before, row_number() OVER waiting AS number
            FROM giving_payment WHERE book = %(book)s AND start IS NULL
            WINDOW waiting AS (ORDER BY transfer)
        )
        UPDATE giving_payment p SET start = line.laid + fresh.before, nth = line.nth + fresh.number
        FROM line, fresh WHERE p.book = %(book)s AND p.gift = fresh.gift
        RETURNING p.amount, p.gift, p.start, p.reference
        """,
        {"book": campaign},
    )
    placed = cursor.fetchall()
    amounts = [row[0] for row in placed]
    if amounts:
        cursor.execute(
            "SELECT asset, host_fee_numerator, host_fee_denominator FROM giving_campaign WHERE id = %s", [campaign]
        )
        asset, *rate = cursor.fetchone()
        legs = books.move(books.received(campaign, asset), books.fund(campaign, asset), sum(amounts))
        id = uuid7()
        request = request_hash("lay", str(id))
        post(cursor, [Transfer(campaign, f"lay:{id}", request, "giving.lay", legs, clock.now(), id=id)])
        enqueue("giving.thank", campaign=str(campaign))
        if rate[0]:
            laid = [(gift, Span(start, start + amount)) for amount, gift, start, said in placed if said != books.WON]
            fees.of_host(cursor, campaign, asset, Fraction(*rate), laid, clock.now())
    return len(amounts)


def laid(cursor: Cursor, campaign: uuid.UUID) -> int:
    cursor.execute(
        "SELECT start + amount FROM giving_payment WHERE book = %s AND start IS NOT NULL ORDER BY start DESC LIMIT 1",
        [campaign],
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def drawn(cursor: Cursor, campaign: uuid.UUID) -> list[Span]:
    """What is gone from the line, or held by a refund under way: neighbouring draws as one span."""
    cursor.execute(
        """
        SELECT lower(s), upper(s) FROM (
            SELECT unnest(range_agg(span)) FROM (
                SELECT span FROM giving_draw WHERE book = %(book)s
                UNION ALL
                SELECT unnest(r.spans) FROM giving_return r
                WHERE r.book = %(book)s
                  AND NOT EXISTS (SELECT FROM giving_return_end e WHERE e.book = r.book AND e.id = r.id)
            ) gone
        ) d (s)
        """,
        {"book": campaign},
    )
    return [Span(lower, upper) for lower, upper in cursor.fetchall()]
