"""Who wants to hear of a campaign, and what there is to tell."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel.quantity import format_amount
from commonweal.kernel.sql import row, rows
from commonweal.services.giving.queries import campaigns, payouts, returns


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address as its owner sees it. `waiting` deliveries have not arrived yet, or never will."""

    id: uuid.UUID
    campaign: uuid.UUID
    address: str
    at: datetime
    delivered: int
    waiting: int


def of(party: uuid.UUID) -> list[Webhook]:
    """Somebody's webhooks, oldest first."""
    query = """
        SELECT w.id, w.campaign, w.address, w.at, count(d.delivered_at) AS delivered,
               count(d.id) - count(d.delivered_at) AS waiting
        FROM giving_webhook w LEFT JOIN giving_delivery d ON d.webhook = w.id
        WHERE w.party = %(party)s AND w.ended_at IS NULL GROUP BY w.id ORDER BY w.at, w.id"""
    return [Webhook(**found) for found in rows(query, {"party": party})]


def to_call(campaign: uuid.UUID) -> list[uuid.UUID]:
    """The webhooks of a campaign."""
    query = "SELECT id FROM giving_webhook WHERE campaign = %(campaign)s AND ended_at IS NULL ORDER BY id"
    return [found["id"] for found in rows(query, {"campaign": campaign})]


def update_event(update: uuid.UUID) -> tuple[uuid.UUID, dict[str, Any]] | None:
    """The campaign of an update, and what is told of it."""
    found = row("SELECT * FROM giving_update WHERE id = %(id)s", {"id": update})
    if found is None:
        return None
    return found["campaign_id"], {
        "update": str(update),
        "report": found["report"],
        "title": {"en": found["title_en"], "zh": found["title_zh"]},
        "body": {"en": found["body_en"], "zh": found["body_zh"]},
        "fact": str(found["fact"]),
        "at": found["at"].isoformat(),
    }


def payout_event(campaign: uuid.UUID, request: uuid.UUID) -> dict[str, Any]:
    """What is told of a payout."""
    paid = payouts.payout(campaign, request)
    return {
        "payout": str(paid.id),
        "amount": format_amount(paid.amount, paid.asset, grouped=False),
        "asset": paid.asset.code,
        "what": {"en": paid.what.en, "zh": paid.what.zh},
        "fact": str(paid.paid_fact) if paid.paid_fact else None,
        "at": paid.paid_at.isoformat() if paid.paid_at else None,
    }


def return_event(campaign: uuid.UUID, id: uuid.UUID) -> dict[str, Any]:
    """What is told of a refund, a chargeback or a match that was taken back: of which gift, and how far it has come."""
    back = returns.one(campaign, id)
    return {
        "return": str(id),
        "gift": str(back.gift),
        "number": back.nth,
        "what": back.cause.value,
        "standing": back.standing.value,
        "amount": format_amount(back.amount, back.asset, grouped=False),
        "owed_by_charity": format_amount(back.receivable, back.asset, grouped=False),
        "asset": back.asset.code,
        "fact": str(back.fact),
    }


def gifts_event(campaign: uuid.UUID, after: int, limit: int) -> tuple[int, dict[str, Any]] | None:
    """The gifts of the fund's line after a number, without their givers: the last number, and what is told."""
    query = """
        SELECT nth, gift, amount, fact, at FROM giving_payment
        WHERE book = %(book)s AND nth > %(after)s ORDER BY nth LIMIT %(limit)s"""
    found = rows(query, {"book": campaign, "after": after, "limit": limit})
    if not found:
        return None
    asset = campaigns.card(campaign).asset
    told = [
        {
            "number": each["nth"],
            "gift": str(each["gift"]),
            "amount": format_amount(each["amount"], asset, grouped=False),
            "asset": asset.code,
            "fact": str(each["fact"]),
            "at": each["at"].isoformat(),
        }
        for each in found
    ]
    return found[-1]["nth"], {"gifts": told}


def behind(limit: int = 500) -> list[uuid.UUID]:
    """Webhooks whose campaigns have gifts that were not announced to them."""
    query = """
        SELECT w.id FROM giving_webhook w
        WHERE w.ended_at IS NULL
          AND EXISTS (SELECT FROM giving_payment p WHERE p.book = w.campaign AND p.nth > w.seen)
        ORDER BY w.id LIMIT %(limit)s"""
    return [found["id"] for found in rows(query, {"limit": limit})]
