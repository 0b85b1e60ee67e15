"""Recurring gifts for programs."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Path, Router, Schema, Status
from pydantic import Field

from commonweal.kernel.doors import Amount, Body, IdempotencyKey
from commonweal.kernel.parties import session
from commonweal.services.giving.actions import agreements
from commonweal.services.giving.actions import recurring as actions
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import recurring as queries
from commonweal.services.giving.rules.recurring import Every, Word

router = Router()


class NewRecurring(Amount):
    """A recurring gift; `foretold` asks for a notice before each renewal."""

    every: Literal["week", "month"]
    channel: Annotated[str, Field(max_length=20)] = "simulator"
    foretold: bool = False
    team: Annotated[uuid.UUID | None, Field(description="with whom each of them is given")] = None


class Recurring(Schema):
    """A recurring gift of one's own; `agree` is where its giver agrees with the provider, where that is needed."""

    id: uuid.UUID
    campaign: uuid.UUID
    amount: Amount
    every: Literal["week", "month"]
    standing: Literal["waiting", "active", "paused", "ended"]
    next_due: datetime | None
    agree: str | None
    gifts: list[uuid.UUID]

    @classmethod
    def of(cls, found: queries.Recurring) -> Recurring:
        return cls(
            id=found.id,
            campaign=found.campaign,
            amount=Amount.of(found.amount, found.asset),
            every=found.every.value,
            standing=found.standing.value,
            next_due=found.next_due,
            agree=agreements.where_to_agree(found) if found.needs_agreement else None,
            gifts=[each.gift for each in queries.renewals(found.campaign, found.id)],
        )


class Saying(Body):
    """A word on a recurring gift; `amount` belongs to `change`."""

    word: Literal["pause", "resume", "change", "end"]
    amount: Amount | None = None


WORDS = {"pause": Word.PAUSED, "resume": Word.RESUMED, "change": Word.CHANGED, "end": Word.ENDED}


@router.post("/campaigns/{uuid:campaign}/recurring", response={201: Recurring}, summary="Begin a recurring gift")
def begin(
    request: HttpRequest, campaign: Annotated[uuid.UUID, Path()], recurring: NewRecurring, key: IdempotencyKey
) -> Status[Recurring]:
    """It runs once its giver has agreed at `agree`."""
    party, asset = session.signed_in(request), campaigns.card(campaign).asset
    wish = actions.Wish(
        campaign,
        recurring.read(asset),
        asset.code,
        Every(recurring.every),
        recurring.channel,
        recurring.foretold,
        recurring.team,
    )
    return Status(201, Recurring.of(queries.recurring_of(party.id, campaign, actions.begin(party, wish, key))))


@router.get("/recurring", response=list[Recurring], summary="One's own recurring gifts")
def mine(request: HttpRequest) -> list[Recurring]:
    """All of them, newest first."""
    return [Recurring.of(each) for each in queries.of(session.signed_in(request).id)]


@router.post("/campaigns/{uuid:campaign}/recurring/{uuid:id}/words", response=Recurring, summary="Pause, change or end")
def say(
    request: HttpRequest, campaign: Annotated[uuid.UUID, Path()], id: Annotated[uuid.UUID, Path()], saying: Saying
) -> Recurring:
    """Takes effect at once."""
    party = session.signed_in(request)
    found = queries.recurring_of(party.id, campaign, id)
    amount = saying.amount.read(found.asset) if saying.amount else None
    agreements.say(party, campaign, id, WORDS[saying.word], amount)
    return Recurring.of(queries.recurring_of(party.id, campaign, id))
