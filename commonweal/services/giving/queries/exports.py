"""What leaves in files: read as it is written out."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from commonweal.services.giving.queries.returns import GONE

CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Payment:
    """A gift that has arrived, without its giver. `nth` is None until it is laid on the fund's line; `returned` of
    `amount` has gone back."""

    nth: int | None
    gift: uuid.UUID
    at: datetime
    amount: int
    returned: int
    channel: str
    reference: str
    fact: uuid.UUID


def payments(campaign: uuid.UUID) -> Iterator[Payment]:
    """The gifts of a campaign that have arrived, in the order of the line."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            f"""
            SELECT p.nth, p.gift, p.at, p.amount, {GONE}, g.channel, p.reference, p.fact FROM giving_payment p
            JOIN giving_gift g ON g.book = p.book AND g.id = p.gift
            WHERE p.book = %s ORDER BY p.nth NULLS LAST, p.gift
            """,
            [campaign],
        )
        while chunk := cursor.fetchmany(CHUNK):
            for found in chunk:
                yield Payment(*found)
