"""A charity thanks everyone who gave to a campaign: one text, each person once."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.ids import derived
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger.books import check_key
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import thanks as queries
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules import thanks as rules

AT_ONCE = 500
"""People who are thanked in one job."""


@transaction.atomic
def thank(officer: Party, campaign: uuid.UUID, said: Text, key: str) -> uuid.UUID:
    """Thank everyone of whose gifts something has stayed; a job then tells them. The same key again is the same thanks.

    Raises `NotFound` (`campaign.unknown`), `NotAllowed`, `Invalid` (`text.*`) and `Conflict` (`thanks.recent`,
    `thanks.nobody`, `key.reused`).
    """
    card = campaigns.card(campaign)
    people.require_role(officer, people.OFFICER, Party(id=card.organisation_id))
    said = texts.both(said.en, said.zh, "said", rules.LONGEST, lines=True)
    id, now = derived(campaign, f"thanks:{check_key(key)}"), clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"giving:thanks:{campaign}"])
        cursor.execute("SELECT said_en, said_zh FROM giving_thanks WHERE book = %s AND id = %s", [campaign, id])
        if (known := cursor.fetchone()) is not None:
            if known != (said.en, said.zh):
                raise Conflict(
                    "key.reused",
                    Text("This key was used for another text.", "这个幂等键已用于另一段文字。"),
                    field="key",
                )
            return id
        rules.check(queries.last(campaign), now)
        if not queries.people(campaign):
            raise Conflict("thanks.nobody", Text("Nobody has given yet.", "还没有人捐助。"))
        cursor.execute(
            "INSERT INTO giving_thanks (book, id, officer, said_en, said_zh, at) VALUES (%s, %s, %s, %s, %s, %s)",
            [campaign, id, officer.id, said.en, said.zh, now],
        )
        enqueue("giving.thank_all", campaign=str(campaign), thanks=str(id))
    return id


@transaction.atomic
def take(campaign: uuid.UUID, thanks: uuid.UUID, limit: int = AT_ONCE) -> list[uuid.UUID]:
    """Take the next people who are to be thanked, so that each is thanked once."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO giving_thanks_to (book, thanks, giver)
            SELECT %(book)s, %(thanks)s, kept.giver FROM ({queries.KEPT}) kept
            WHERE NOT EXISTS (SELECT FROM giving_thanks_to d
                              WHERE d.book = %(book)s AND d.thanks = %(thanks)s AND d.giver = kept.giver)
            LIMIT %(limit)s ON CONFLICT DO NOTHING RETURNING giver
            """,
            {"book": campaign, "thanks": thanks, "limit": limit},
        )
        return [giver for (giver,) in cursor.fetchall()]
