"""Actions and time."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import AwareDatetime, Field

from commonweal.kernel.doors import Amount, Body, IdempotencyKey
from commonweal.kernel.parties import session
from commonweal.services.giving.actions import deeds as actions
from commonweal.services.giving.api.shapes import Both, Made, Words
from commonweal.services.giving.queries import campaigns, deeds
from commonweal.services.giving.rules import deeds as rules

router = Router()


class Got(Schema):
    """What a campaign has been given of one asset beside money, and by how many; what it needs and has been promised,
    null where nobody has said how much.
    """

    asset: str
    amount: int
    people: int
    needed: int | None
    promised: int | None


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
    people = deeds.people(campaign)
    return [
        Got(
            asset=each.asset.code,
            amount=each.amount,
            people=people.get(each.asset.code, 0),
            needed=each.needed,
            promised=each.promised,
        )
        for each in deeds.got(campaign)
    ]


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


class NewShift(Body):
    """When a charity wants help, and by how many."""

    what: Words
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    seats: int


class Minutes(Body):
    """How long somebody was there."""

    minutes: int


class Confirmed(Minutes):
    """Who was there, and how long."""

    person: uuid.UUID


@router.post("/campaigns/{uuid:campaign}/shifts", response={201: Made}, summary="Call for help")
def call(request: HttpRequest, campaign: uuid.UUID, shift: NewShift) -> Status[Made]:
    """For the campaign's charity."""
    when = rules.Shift(shift.starts_at, shift.ends_at, shift.seats)
    return Status(201, Made(id=actions.call(session.signed_in(request), campaign, shift.what.text, when)))


@router.post("/shifts/{uuid:shift}/check-in", response={204: None}, summary="Check in at a shift")
def check_in(request: HttpRequest, shift: uuid.UUID) -> Status[None]:
    """While the shift is on."""
    actions.check_in(session.signed_in(request), shift)
    return Status(204, None)


@router.post("/shifts/{uuid:shift}/hours", response={204: None}, summary="Confirm somebody's time")
def confirm(request: HttpRequest, shift: uuid.UUID, hours: Confirmed) -> Status[None]:
    """For the receiving charity, once."""
    actions.confirm(session.signed_in(request), shift, hours.person, hours.minutes)
    return Status(204, None)


@router.post("/shifts/{uuid:shift}/dispute", response={204: None}, summary="Dispute one's confirmed time")
def dispute(request: HttpRequest, shift: uuid.UUID, claim: Minutes) -> Status[None]:
    """Within 14 days."""
    actions.dispute(session.signed_in(request), shift, claim.minutes)
    return Status(204, None)


@router.post("/shifts/{uuid:shift}/decision", response={204: None}, summary="End a dispute about time")
def decide(request: HttpRequest, shift: uuid.UUID, hours: Confirmed) -> Status[None]:
    """For stewards."""
    actions.decide(session.signed_in(request), shift, hours.person, hours.minutes)
    return Status(204, None)
