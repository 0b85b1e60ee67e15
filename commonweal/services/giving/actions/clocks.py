"""The clock of disclosure, and the question whether what was bought is in use."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import clocks as queries
from commonweal.services.giving.rules import clocks as rules


@dataclass(frozen=True, slots=True)
class Warned:
    """What a charity is to be told."""

    campaign: uuid.UUID
    title: Text
    text: Text


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a payout, so many days after it."""

    campaign: uuid.UUID
    request: uuid.UUID
    after: int
    what: Text


@transaction.atomic
def take_warnings() -> list[Warned]:
    """Take what charities are to be told of their reports, each once; that giving has stopped becomes a fact."""
    now = clock.now()
    taken = []
    with connection.cursor() as cursor:
        for near in queries.near():
            cursor.execute(
                """
                INSERT INTO giving_warning (book, due, days, at) VALUES (%s, %s, %s, %s)
                ON CONFLICT DO NOTHING RETURNING true
                """,
                [near.campaign, near.due, near.days, now],
            )
            if cursor.fetchone() is None:
                continue
            if near.days == 0:
                fields = {"campaign": str(near.campaign), "due": near.due.isoformat()}
                append(cursor, Fact("giving.late", now, fields))
            taken.append(Warned(near.campaign, rules.warned(near.days), near.title))
    return taken


@transaction.atomic
def ask_for_use(limit: int = 1000) -> list[Asked]:
    """Take the questions that are due, each once."""
    now = clock.now()
    asked = []
    with connection.cursor() as cursor:
        for after in rules.USE_AFTER:
            cursor.execute(
                """
                WITH due AS (
                    INSERT INTO giving_use (book, request, after, asked_at)
                    SELECT p.book, p.request, %(after)s, %(now)s FROM giving_payout p
                    WHERE p.at <= %(before)s AND NOT EXISTS (
                        SELECT FROM giving_use u
                        WHERE u.book = p.book AND u.request = p.request AND u.after = %(after)s)
                    LIMIT %(limit)s ON CONFLICT DO NOTHING RETURNING book, request
                )
                SELECT r.book, r.id, r.what_en, r.what_zh FROM due
                JOIN giving_request r ON r.book = due.book AND r.id = due.request
                """,
                {"after": after, "now": now, "before": now - timedelta(days=after), "limit": limit},
            )
            asked += [Asked(book, id, after, Text(en, zh)) for book, id, en, zh in cursor.fetchall()]
    return asked
