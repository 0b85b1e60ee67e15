"""What goes back of gift cards, and which gifts were made with them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from commonweal.kernel.sql import row, rows
from commonweal.services.giving.queries.returns import Return, existing, read

RETURN = """
    SELECT r.book, r.id, r.card, r.cause, r.amount, r.from_card, r.from_gifts, r.borne, r.reason, r.transfer, r.fact,
           r.at, k.channel, k.buyer, c.asset, c.title_en, c.title_zh, p.reference AS payment,
           ARRAY(SELECT e.outcome FROM giving_card_return_end e WHERE e.book = r.book AND e.id = r.id) AS ends
    FROM giving_card_return r
    JOIN giving_card k ON k.book = r.book AND k.id = r.card
    JOIN giving_card_payment p ON p.book = r.book AND p.card = r.card
    JOIN giving_campaign c ON c.id = r.book"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardReturn(Return):
    """A refund or chargeback of a card: what of `amount` the card still held, what came back of the gifts made with it,
    and what its host bears, having refunded it before."""

    card: uuid.UUID
    buyer: uuid.UUID
    from_card: int
    from_gifts: int
    borne: int

    @property
    def of(self) -> uuid.UUID:
        """The card."""
        return self.card


def _return(found: dict[str, Any]) -> CardReturn:
    return CardReturn(**read(found))


def find(campaign: uuid.UUID, id: uuid.UUID) -> CardReturn | None:
    """One return, if there is such."""
    found = row(f"{RETURN} WHERE r.book = %(book)s AND r.id = %(id)s", {"book": campaign, "id": id})
    return _return(found) if found else None


def one(campaign: uuid.UUID, id: uuid.UUID) -> CardReturn:
    """One return. Raises `NotFound` (`refund.unknown`)."""
    return existing(find(campaign, id))


def of_card(campaign: uuid.UUID, card: uuid.UUID) -> list[CardReturn]:
    """What goes back of one card, oldest first."""
    query = f"{RETURN} WHERE r.book = %(book)s AND r.card = %(card)s ORDER BY r.at, r.id"
    return [_return(found) for found in rows(query, {"book": campaign, "card": card})]


def newest(limit: int = 100) -> list[CardReturn]:
    """The newest of all cards."""
    return [_return(found) for found in rows(f"{RETURN} ORDER BY r.at DESC, r.id LIMIT %(limit)s", {"limit": limit})]


@dataclass(frozen=True, slots=True)
class Use:
    """A gift made with a card, and what of it has not gone back; `rest`: what was left at the card's end."""

    campaign: uuid.UUID
    card: uuid.UUID
    target: uuid.UUID
    gift: uuid.UUID
    left: int
    rest: bool


USE = """
    SELECT u.book AS campaign, u.card, u.target, u.gift, u.key LIKE 'expiry%%' AS rest,
           (u.amount - coalesce((SELECT sum(r.amount) FROM giving_return r
                WHERE r.book = u.target AND r.gift = u.gift AND NOT EXISTS (SELECT FROM giving_return_end e
                    WHERE e.book = r.book AND e.id = r.id AND e.outcome = 'failed')), 0))::bigint AS left
    FROM giving_card_use u"""


def use_of(target: uuid.UUID, gift: uuid.UUID) -> Use | None:
    """The card with which a gift was made, if it was."""
    found = row(f"{USE} WHERE u.target = %(target)s AND u.gift = %(gift)s", {"target": target, "gift": gift})
    return Use(**found) if found else None


def uses(campaign: uuid.UUID, card: uuid.UUID) -> list[Use]:
    """The gifts made with a card, the newest first."""
    query = f"{USE} WHERE u.book = %(book)s AND u.card = %(card)s ORDER BY u.at DESC, u.key DESC"
    return [Use(**found) for found in rows(query, {"book": campaign, "card": card})]


def charged(campaign: uuid.UUID, id: uuid.UUID) -> list[Use]:
    """The gifts from which a chargeback of their card has taken."""
    query = f"""{USE} JOIN giving_card_back b ON b.book = u.book AND b.card = u.card AND b.target = u.target
        JOIN giving_return r ON r.book = b.target AND r.id = b.gift_return AND r.gift = u.gift
        WHERE b.book = %(book)s AND b.card_return = %(id)s ORDER BY b.gift_return"""
    return [Use(**found) for found in rows(query, {"book": campaign, "id": id})]


def paid_among(campaign: uuid.UUID, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those that are paid cards whose fee is not booked."""
    query = """
        SELECT p.card FROM giving_card_payment p WHERE p.book = %(book)s AND p.card = ANY(%(ids)s)
          AND NOT EXISTS (SELECT FROM giving_card_fee f WHERE f.book = p.book AND f.card = p.card)"""
    return {found["card"] for found in rows(query, {"book": campaign, "ids": list(ids)})}
