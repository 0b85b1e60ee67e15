"""Payments that came for what was paid already, or for what a campaign may not have any more."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from commonweal.kernel.sql import row


@dataclass(frozen=True, slots=True)
class Twice:
    """Such a payment: `reference` is what its provider calls it; `given_back`: it has gone back."""

    campaign: uuid.UUID
    id: uuid.UUID
    gift: uuid.UUID
    provider: str
    reference: str
    amount: int
    asset: str
    given_back: bool


def find(campaign: uuid.UUID, id: uuid.UUID) -> Twice | None:
    """One of them, if there is such."""
    query = """
        SELECT t.book AS campaign, t.id, t.gift, t.provider, t.reference, t.amount, c.asset,
               EXISTS (SELECT FROM giving_twice_end e WHERE e.book = t.book AND e.id = t.id) AS given_back
        FROM giving_twice t JOIN giving_campaign c ON c.id = t.book WHERE t.book = %(book)s AND t.id = %(id)s"""
    found = row(query, {"book": campaign, "id": id})
    return Twice(**found) if found else None
