"""Gift cards: what each holds, and where it went."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel.arrays import ids
from commonweal.kernel.errors import NotFound
from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.campaigns import asset_of

CARD = """
    SELECT k.book, k.id, k.buyer, k.amount, k.channel, k.expires, k.at, c.asset, c.title_en, c.title_zh,
           p.reference, d.digest IS NOT NULL AS shown, giving_card_left(k.book, k.id) AS left
    FROM giving_card k
    JOIN giving_campaign c ON c.id = k.book
    LEFT JOIN giving_card_payment p ON p.book = k.book AND p.card = k.id
    LEFT JOIN giving_card_code d ON d.book = k.book AND d.card = k.id"""


@dataclass(frozen=True, slots=True)
class Card:
    """A card. `campaign` gets what is `left` when it expires; `shown`: its code has been shown."""

    campaign: uuid.UUID
    id: uuid.UUID
    buyer: uuid.UUID
    amount: int
    left: int
    asset: Asset
    channel: str
    title: Text
    expires: datetime
    at: datetime
    reference: str | None
    """What the provider calls its payment, once it is paid."""
    shown: bool

    @property
    def paid(self) -> bool:
        """Whether it is paid."""
        return self.reference is not None


def _card(found: dict[str, Any]) -> Card:
    return Card(
        campaign=found["book"],
        id=found["id"],
        buyer=found["buyer"],
        amount=found["amount"],
        left=found["left"],
        asset=asset_of(found["asset"]),
        channel=found["channel"],
        title=Text(found["title_en"], found["title_zh"]),
        expires=found["expires"],
        at=found["at"],
        reference=found["reference"],
        shown=found["shown"],
    )


def find(campaign: uuid.UUID, id: uuid.UUID) -> Card | None:
    """One card, if there is such."""
    found = row(f"{CARD} WHERE k.book = %(book)s AND k.id = %(id)s", {"book": campaign, "id": id})
    return _card(found) if found else None


def among(named: Collection[tuple[uuid.UUID, uuid.UUID]]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Those of what is named, `(book, id)`, that are cards."""
    query = """
        SELECT k.book, k.id FROM unnest(%(books)s::uuid[], %(ids)s::uuid[]) AS asked (book, id)
        JOIN giving_card k ON k.book = asked.book AND k.id = asked.id"""
    values = {"books": ids(book for book, _ in named), "ids": ids(id for _, id in named)}
    return {(found["book"], found["id"]) for found in rows(query, values)}


def of_buyer(buyer: uuid.UUID, campaign: uuid.UUID, id: uuid.UUID) -> Card:
    """A card of one's own. Raises `NotFound` (`card.not-yours`) also for that of somebody else."""
    found = find(campaign, id)
    if found is None or found.buyer != buyer:
        raise NotFound("card.not-yours", Text("There is no such card of yours.", "没有这张礼品卡。"))
    return found


def bought(buyer: uuid.UUID) -> list[Card]:
    """The cards that somebody has bought, newest first."""
    return [_card(found) for found in rows(f"{CARD} WHERE k.buyer = %(buyer)s ORDER BY k.id DESC", {"buyer": buyer})]


def newest(limit: int = 50) -> list[Card]:
    """The newest cards that are paid."""
    query = f"{CARD} WHERE p.card IS NOT NULL ORDER BY k.at DESC, k.id LIMIT %(limit)s"
    return [_card(found) for found in rows(query, {"limit": limit})]


def of_code(digest: bytes) -> Card | None:
    """The card whose code has this hash."""
    found = row(f"{CARD} WHERE d.digest = %(digest)s", {"digest": digest})
    return _card(found) if found else None


@dataclass(frozen=True, slots=True)
class Use:
    """What of a card was given to a campaign. Its buyer sees where it went, and not who gave it."""

    target: uuid.UUID
    title: Text
    amount: int
    at: datetime


def uses(card: Card) -> list[Use]:
    """What was given of a card, oldest first."""
    query = """
        SELECT u.target, c.title_en, c.title_zh, u.amount, u.at
        FROM giving_card_use u JOIN giving_campaign c ON c.id = u.target
        WHERE u.book = %(book)s AND u.card = %(card)s AND NOT u.again ORDER BY u.at, u.key"""
    return [
        Use(found["target"], Text(found["title_en"], found["title_zh"]), found["amount"], found["at"])
        for found in rows(query, {"book": card.campaign, "card": card.id})
    ]


def expired(now: datetime, limit: int = 1000) -> list[Card]:
    """Paid cards that are over and hold something."""
    query = f"""SELECT * FROM ({CARD} WHERE k.expires <= %(now)s AND p.card IS NOT NULL) over
        WHERE "left" > 0 ORDER BY expires LIMIT %(limit)s"""
    return [_card(found) for found in rows(query, {"now": now, "limit": limit})]


def misses(party: uuid.UUID, since: datetime) -> int:
    """How many wrong codes somebody has tried since."""
    query = "SELECT count(*) AS number FROM giving_card_miss WHERE party = %(party)s AND at > %(since)s"
    found = row(query, {"party": party, "since": since})
    return int(found["number"]) if found else 0


def open_to(asset: str, now: datetime) -> list[tuple[uuid.UUID, Text]]:
    """The open campaigns to which a card can be given: those whose money is held by the host."""
    query = """
        SELECT id, title_en, title_zh FROM giving_campaign
        WHERE kind = 'campaign' AND custody = 'custodian' AND asset = %(asset)s AND opens_at <= %(now)s
          AND closes_at > %(now)s AND (stopped_at IS NULL OR stopped_at > %(now)s) ORDER BY opens_at DESC LIMIT 100"""
    return [
        (found["id"], Text(found["title_en"], found["title_zh"])) for found in rows(query, {"asset": asset, "now": now})
    ]
