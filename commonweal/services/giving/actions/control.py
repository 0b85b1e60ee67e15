"""What stewards do on a giving day: announcing; and the counters at checkpoints."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.core.signing import BadSignature, TimestampSigner
from django.db import connection, transaction

from commonweal.kernel import clock, proof
from commonweal.kernel.errors import Invalid
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import control as queries
from commonweal.services.giving.rules import texts

LONGEST = 24
"""Hours that an announcement may stand."""
AT_ONCE = 50_000
"""Leaves that are counted in one transaction."""


def announce(steward: Party, en: str, zh: str, hours: int) -> uuid.UUID:
    """Say something, in one language or both, on the public pages of giving for some hours.

    Raises `NotAllowed` unless a steward asks, and `Invalid` for the words or with `hours.range`.
    """
    people.require_role(steward, people.STEWARD)
    said = texts.both(en, zh, "text", 300)
    if not 1 <= hours <= LONGEST:
        raise Invalid(
            "hours.range",
            Text("Choose 1 to {most} hours.", "请选择 1 至 {most} 小时。").format(most=LONGEST),
            field="hours",
        )
    now, id = clock.now(), uuid7()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO giving_announcement (id, text_en, text_zh, by_party, at, until)
            VALUES (%s, %s, %s, %s, %s, %s)
            """,
            [id, said.en, said.zh, steward.id, now, now + timedelta(hours=hours)],
        )
    return id


def withdraw(steward: Party, id: uuid.UUID) -> None:
    """End an announcement now. Raises `NotAllowed`."""
    people.require_role(steward, people.STEWARD)
    with connection.cursor() as cursor:
        now = clock.now()
        cursor.execute(
            "UPDATE giving_announcement SET until = %(now)s WHERE id = %(id)s AND at < %(now)s AND until > %(now)s",
            {"id": id, "now": now},
        )


TICKETS = TimestampSigner(salt="giving.room")


def ticket(steward: Party) -> str:
    """What opens the stream of the control room for a day. Raises `NotAllowed`."""
    people.require_role(steward, people.STEWARD)
    return TICKETS.sign(str(steward.id))


def admits(ticket: str) -> bool:
    """Whether a ticket was given here, not longer than a day ago."""
    try:
        TICKETS.unsign(ticket, max_age=timedelta(days=1))
    except BadSignature:
        return False
    return True


COUNT = """
WITH leaf AS (
    SELECT id, convert_from(entry, 'UTF8')::jsonb AS said FROM proof_leaf WHERE seq >= %(from)s AND seq < %(to)s
), gift AS (
    SELECT id, (said->>'campaign')::uuid AS book, (said->>'gift')::uuid AS gift, said->>'asset' AS asset,
           (said->>'amount')::bigint AS amount
    FROM leaf WHERE said->>'kind' = 'giving.gift'
), fresh AS (
    SELECT g.asset, count(*) AS gifts, sum(g.amount)::bigint AS amount,
           sum(k.amount - coalesce(t.amount, 0))::bigint AS kept
    FROM gift g
    LEFT JOIN giving_tip t ON t.book = g.book AND t.gift = g.gift
    LEFT JOIN giving_payment p ON p.book = g.book AND p.gift = g.gift AND p.fact = g.id
    LEFT JOIN LATERAL (SELECT sum(o.amount) FILTER (WHERE o.amount > 0) AS amount FROM ledger_posting o
                       WHERE o.book = p.book AND o.transfer = p.transfer) k ON true
    GROUP BY g.asset
), before AS (
    SELECT DISTINCT ON (asset) asset, gifts, amount, kept FROM giving_counter ORDER BY asset, size DESC
)
INSERT INTO giving_counter (size, asset, gifts, amount, kept)
SELECT %(to)s, asset, sum(gifts), sum(amount), sum(coalesce(kept, 0))
FROM (SELECT * FROM fresh UNION ALL SELECT * FROM before UNION ALL SELECT 'CNY', 0, 0, 0) each GROUP BY asset
"""
"""Adds the leaves of gifts to the counters. Each is looked up in the books: what it says must have been moved there. A
tip is of the platform and in no counter."""


def count() -> int:
    """Bring the counters to the newest checkpoint that one transaction carries; returns the leaves counted.

    Nothing is left once it returns 0. Raises the database's own error, and counts nothing, if the log and the books do
    not say the same.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('giving:counter', 0))")
        since = queries.counted()
        upto = proof.head(cursor, most=since + AT_ONCE)
        if upto is None or upto.size <= since:  # the next checkpoint alone is more than that
            upto = proof.head(cursor, since + 1)
        if upto is None:
            return 0
        cursor.execute(COUNT, {"from": since, "to": upto.size})
    return int(upto.size - since)
