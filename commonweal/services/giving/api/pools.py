"""Pools of matching."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import AwareDatetime

from commonweal.kernel.doors import Amount, IdempotencyKey
from commonweal.kernel.parties import session
from commonweal.kernel.quantity import parse_amount
from commonweal.services.giving import matching
from commonweal.services.giving.actions import matches as actions
from commonweal.services.giving.api.shapes import Both, Made
from commonweal.services.giving.matching import pool_file
from commonweal.services.giving.queries import campaigns, companies, estimates
from commonweal.services.giving.queries import pools as queries
from commonweal.services.giving.rules import matches as rules
from commonweal.services.giving.rules.matches import Promise

router = Router()


class Pool(Schema):
    """A pool: `put_in` = `matched` - `taken_back` + `reserved` + `free`. `rules` are those of its file, without gifts.

    `again` of `matched` was paid anew because a chargeback was won; for `short` there was no money left.
    `seed` is there after the close, `digest` is that of the file which stewards agree to.
    """

    id: uuid.UUID
    company: Both
    campaigns: list[uuid.UUID]
    rules: dict[str, Any]
    state: str
    seed: str
    digest: str
    opens_at: datetime
    closes_at: datetime
    put_in: Amount
    matched: Amount
    taken_back: Amount
    again: Amount
    short: Amount
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
    """Money received from the company with this registration code. Caps are decimal strings in the same asset.

    `scheme` is as in a pool's file, by default `rate` in proportion; the time is divided into `slices` equal parts.
    Schemes that share after the end may match other `campaigns` of the same charity, too.
    """

    registration: str
    rate: str = "1"
    gift_cap: str | None = None
    day_cap: str | None = None
    project_cap: str | None = None
    opens_at: AwareDatetime
    closes_at: AwareDatetime
    scheme: dict[str, Any] | None = None
    slices: int = 1
    review_days: int = 7
    campaigns: tuple[uuid.UUID, ...] = ()


class Guess(Schema):
    """What a gift would add by one pool: `now` if nobody else gave, between `least` and `most`; null if unknowable.

    An estimate, not a promise: `note` says how far it holds. It is computed `as_of` a moment, once a second at most.
    What the gift gets is decided from `decided_at` on, when its review is over.
    """

    pool: uuid.UUID
    company: Both
    now: Amount | None
    least: Amount
    most: Amount | None
    note: Both
    as_of: datetime
    decided_at: datetime


class Seed(Schema):
    """The seed of a pool's lots, and the fingerprint that was published before the start."""

    commitment: str
    seed: str


def _pool(each: queries.Pool) -> Pool:
    amounts = {
        name: Amount.of(getattr(each, name), each.asset)
        for name in ("put_in", "matched", "taken_back", "again", "short", "reserved", "free")
    }
    return Pool(
        id=each.id,
        company=Both.of(each.company),
        campaigns=list(each.campaigns),
        rules=pool_file.write_rules(each.rules),
        state=each.state.value,
        seed=each.seed,
        digest=each.digest.hex() if each.digest else "",
        opens_at=each.rules.opens,
        closes_at=each.rules.closes,
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
    caps = {"gift": pool.gift_cap, "donor_day": pool.day_cap, "project": pool.project_cap}
    scheme = (
        matching.Proportional(rules.parse_rate(pool.rate))
        if pool.scheme is None
        else pool_file.read_scheme(pool.scheme, asset)
    )
    promise = Promise(
        company=companies.by_registration(pool.registration),
        campaigns=(campaign, *pool.campaigns),
        scheme=scheme,
        slices=rules.even_slices(pool.opens_at, pool.closes_at, pool.read(asset), pool.slices),
        caps=matching.Caps(
            **{name: parse_amount(cap, asset, field=f"{name}_cap") if cap else None for name, cap in caps.items()}
        ),
        review_days=pool.review_days,
    )
    return Status(201, Made(id=actions.fund(party, promise, key)))


@router.get(
    "/campaigns/{uuid:campaign}/estimate", response=list[Guess], auth=None, summary="What a gift would be matched with"
)
def estimate(request: HttpRequest, campaign: uuid.UUID, amount: str) -> list[Guess]:
    """For a gift that is not made yet, by each open pool of the campaign."""
    card, party = campaigns.card(campaign), session.visitor(request)
    asked = parse_amount(amount, card.asset, maximum=card.cap)

    def money(of: int | None) -> Amount | None:
        return None if of is None else Amount.of(of, card.asset)

    return [
        Guess(
            pool=guess.pool.id,
            company=Both.of(guess.pool.company),
            now=money(guess.estimates[0].now),
            least=Amount.of(guess.estimates[0].least, card.asset),
            most=money(guess.estimates[0].most),
            note=Both.of(guess.note),
            as_of=guess.as_of,
            decided_at=guess.pool.rules.due,
        )
        for guess in estimates.of_gift(campaign, [asked], party.id if party else None)
    ]


@router.get("/campaigns/{uuid:campaign}/pools/{uuid:pool}/file", auth=None, summary="The file of a pool")
def file(request: HttpRequest, campaign: uuid.UUID, pool: uuid.UUID) -> HttpResponse:
    """From it anybody computes the matches again: `commonweal giving recompute`."""
    written = queries.published(queries.one(campaign, pool))
    return HttpResponse(written, content_type="application/json; charset=utf-8")


@router.get(
    "/campaigns/{uuid:campaign}/pools/{uuid:pool}/seed", response=Seed, auth=None, summary="The seed of a pool's lots"
)
def seed(request: HttpRequest, campaign: uuid.UUID, pool: uuid.UUID) -> Seed:
    """After the close; 409 (`seed.early`) before, 404 (`seed.none`) for a pool that draws no lots."""
    found = queries.one(campaign, pool)
    return Seed(commitment=found.commitment, seed=queries.revealed(found).hex())
