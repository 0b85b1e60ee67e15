"""The clock of disclosure, and the question whether what was bought is in use."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import clocks as queries
from commonweal.services.giving.queries import payouts
from commonweal.services.giving.rules import clocks as rules
from commonweal.services.giving.rules import texts


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


@transaction.atomic
def answer(officer: Party, campaign: uuid.UUID, request: uuid.UUID, after: int, said: Text) -> None:
    """A charity tells how what was bought is used, once for each question.

    Raises `NotFound` (`payout.unknown`), `NotAllowed`, `Invalid` (`text.*`) and `Conflict` (`use.not-asked`).
    """
    paid = payouts.payout(campaign, request)
    people.require_role(officer, people.OFFICER, Party(id=paid.organisation_id))
    said = texts.both(said.en, said.zh, "said", 2_000, lines=True)
    now = clock.now()
    fact = Fact("giving.use", now, {"campaign": str(campaign), "request": str(request), "after": after})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE giving_use SET answered_at = %s, said_en = %s, said_zh = %s, fact = %s
            WHERE book = %s AND request = %s AND after = %s AND answered_at IS NULL RETURNING true
            """,
            [now, said.en, said.zh, fact.id, campaign, request, after],
        )
        if cursor.fetchone() is None:
            raise Conflict("use.not-asked", Text("This was not asked, or is answered.", "尚未询问或已经答复。"))
        append(cursor, fact)
