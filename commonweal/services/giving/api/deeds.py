"""Actions and time."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from commonweal.kernel.doors import Amount, IdempotencyKey
from commonweal.kernel.parties import session
from commonweal.services.giving.actions import deeds as actions
from commonweal.services.giving.api.shapes import Both
from commonweal.services.giving.queries import campaigns, deeds
from commonweal.services.giving.rules import deeds as rules

router = Router()


class Got(Schema):
    """What a campaign has been given of one asset beside money, and by how many."""

    asset: str
    amount: int
    people: int


class NewAct(Amount):
    """Steps, flowers or books. `device` is a signal of the door's own; only its hash is kept."""

    device: Annotated[str, Field(max_length=64)] = ""


class Act(Schema):
    """A gift of action."""

    id: uuid.UUID


class Shift(Schema):
    """When help is wanted, by how many, and how many have signed up."""

    id: uuid.UUID
    what: Both
    starts_at: datetime
    ends_at: datetime
    seats: int
    taken: int


@router.get("/campaigns/{uuid:campaign}/deeds", response=list[Got], auth=None, summary="Actions and time given")
def got(request: HttpRequest, campaign: uuid.UUID) -> list[Got]:
    """What a campaign has in every asset beside money."""
    campaigns.card(campaign)
    return [Got(asset=each.asset.code, amount=each.amount, people=each.people) for each in deeds.got(campaign)]


@router.post("/campaigns/{uuid:campaign}/deeds", response={201: Act}, summary="Give steps, flowers or books")
def act(request: HttpRequest, campaign: uuid.UUID, deed: NewAct, key: IdempotencyKey) -> Status[Act]:
    """Within the day's limits for each person and device."""
    party, asset = session.signed_in(request), rules.action(deed.asset)
    return Status(201, Act(id=actions.act(party, campaign, asset.code, deed.read(asset), key, deed.device)))


@router.get("/campaigns/{uuid:campaign}/shifts", response=list[Shift], auth=None, summary="When help is wanted")
def shifts(request: HttpRequest, campaign: uuid.UUID) -> list[Shift]:
    """The shifts of a campaign, next first."""
    campaigns.card(campaign)
    return [
        Shift(
            id=each.id,
            what=Both.of(each.what),
            starts_at=each.starts_at,
            ends_at=each.ends_at,
            seats=each.seats,
            taken=each.taken,
        )
        for each in deeds.shifts(campaign)
    ]


@router.post("/shifts/{uuid:shift}/signup", response={204: None}, summary="Sign up for a shift")
def sign_up(request: HttpRequest, shift: uuid.UUID) -> Status[None]:
    """Take a place; doing it twice is doing it once."""
    actions.sign_up(session.signed_in(request), shift)
    return Status(204, None)
