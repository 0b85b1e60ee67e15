"""Pools of matching."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import AwareDatetime

from commonweal.kernel.doors import Amount, IdempotencyKey
from commonweal.kernel.parties import session
from commonweal.kernel.quantity import parse_amount
from commonweal.services.giving.actions import matches as actions
from commonweal.services.giving.api.shapes import Both, Made
from commonweal.services.giving.queries import campaigns, companies
from commonweal.services.giving.queries import pools as queries
from commonweal.services.giving.rules import matches as rules
from commonweal.services.giving.rules.matches import Promise

router = Router()


class Pool(Schema):
    """A pool: `put_in` = `matched` - `taken_back` + `reserved` + `free`. `rate` is what one unit is matched with."""

    id: uuid.UUID
    company: Both
    rate: str
    opens_at: datetime
    closes_at: datetime
    put_in: Amount
    matched: Amount
    taken_back: Amount
    reserved: Amount
    free: Amount
    fact: uuid.UUID


class Match(Schema):
    """A gift, by its number in the campaign, and its match; `fact` once it is paid."""

    number: int | None
    gift: Amount
    match: Amount
    fact: uuid.UUID | None


class NewPool(Amount):
    """Money received from the company with this registration code. Caps are decimal strings in the same asset."""

    registration: str
    rate: str = "1"
    gift_cap: str | None = None
    day_cap: str | None = None
    opens_at: AwareDatetime
    closes_at: AwareDatetime


def _pool(each: queries.Pool) -> Pool:
    amounts = {
        name: Amount.of(getattr(each, name), each.asset)
        for name in ("put_in", "matched", "taken_back", "reserved", "free")
    }
    return Pool(
        id=each.id,
        company=Both.of(each.company),
        rate=each.rate,
        opens_at=each.promise.opens_at,
        closes_at=each.promise.closes_at,
        fact=each.fact,
        **amounts,
    )


@router.get("/campaigns/{uuid:campaign}/pools", response=list[Pool], auth=None, summary="Pools of matching")
def pools(request: HttpRequest, campaign: uuid.UUID) -> list[Pool]:
    """The pools of a campaign, oldest first."""
    campaigns.card(campaign)
    return [_pool(each) for each in queries.of(campaign)]


@router.get(
    "/campaigns/{uuid:campaign}/pools/{uuid:pool}/matches", response=list[Match], auth=None, summary="Matched gifts"
)
def matches(request: HttpRequest, campaign: uuid.UUID, pool: uuid.UUID) -> list[Match]:
    """The newest 200, without their givers."""
    asset = queries.one(campaign, pool).asset
    return [
        Match(
            number=each.nth,
            gift=Amount.of(each.gift_amount, asset),
            match=Amount.of(each.amount, asset),
            fact=each.fact,
        )
        for each in queries.matches(campaign, pool)
    ]


@router.post("/campaigns/{uuid:campaign}/pools", response={201: Made}, summary="Enter a pool")
def fund(request: HttpRequest, campaign: uuid.UUID, pool: NewPool, key: IdempotencyKey) -> Status[Made]:
    """For the campaign's charity, once it has received the company's money."""
    party, asset = session.signed_in(request), campaigns.card(campaign).asset
    promise = Promise(
        company=companies.by_registration(pool.registration),
        rate=rules.parse_rate(pool.rate),
        gift_cap=parse_amount(pool.gift_cap, asset, field="gift_cap") if pool.gift_cap else None,
        day_cap=parse_amount(pool.day_cap, asset, field="day_cap") if pool.day_cap else None,
        opens_at=pool.opens_at,
        closes_at=pool.closes_at,
    )
    return Status(201, Made(id=actions.fund(party, campaign, promise, pool.read(asset), key)))
