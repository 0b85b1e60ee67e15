"""Campaigns: finding them, and what their charities tell."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status

from commonweal.kernel.doors import Amount, Body
from commonweal.kernel.parties import session
from commonweal.services.giving.actions import campaigns as actions
from commonweal.services.giving.api.shapes import Both, Made, Words
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.rules.plans import Telling

router = Router()


class Campaign(Schema):
    """A campaign."""

    id: uuid.UUID
    title: Both
    organisation: Both
    topic: Both
    state: str
    goal: Amount
    raised: Amount
    gifts: int
    opens_at: datetime
    closes_at: datetime

    @classmethod
    def of(cls, card: campaigns.Card) -> Campaign:
        return cls(
            id=card.id,
            title=Both.of(card.title),
            organisation=Both.of(card.organisation),
            topic=Both.of(card.topic),
            state=card.state,
            goal=Amount.of(card.goal, card.asset),
            raised=Amount.of(card.raised, card.asset),
            gifts=card.gifts,
            opens_at=card.standing.opens_at,
            closes_at=card.standing.closes_at,
        )


class Campaigns(Schema):
    """A page of campaigns."""

    count: int
    campaigns: list[Campaign]


class Update(Schema):
    """What a charity has told; `fact` is its leaf in the public log."""

    id: uuid.UUID
    report: bool
    title: Both
    body: Both
    fact: uuid.UUID
    at: datetime


@router.get("/campaigns", response=Campaigns, auth=None, summary="Search campaigns")
def search(
    request: HttpRequest,
    q: Annotated[str, Query(max_length=100)] = "",
    only_open: bool = True,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Campaigns:
    """Campaigns in which the words occur, newest first."""
    found = campaigns.Search(words=q, only_open=only_open)
    cards = found[offset : offset + limit]
    return Campaigns(count=len(found), campaigns=[Campaign.of(card) for card in cards])


@router.get("/campaigns/{uuid:campaign}", response=Campaign, auth=None, summary="One campaign")
def campaign(request: HttpRequest, campaign: uuid.UUID) -> Campaign:
    """One campaign."""
    return Campaign.of(campaigns.card(campaign))


@router.get("/campaigns/{uuid:campaign}/updates", response=list[Update], auth=None, summary="What a charity tells")
def updates(request: HttpRequest, campaign: uuid.UUID) -> list[Update]:
    """The updates and reports of a campaign, newest first."""
    return [
        Update(
            id=each.id,
            report=each.report,
            title=Both.of(each.title),
            body=Both.of(each.body),
            fact=each.fact,
            at=each.at,
        )
        for each in campaigns.page(campaign).updates
    ]


class NewUpdate(Body):
    """What a charity tells; `report` if it is the report that the law asks for."""

    title: Words
    body: Words
    report: bool = False


@router.post("/campaigns/{uuid:campaign}/updates", response={201: Made}, summary="Tell how it goes")
def tell(request: HttpRequest, campaign: uuid.UUID, update: NewUpdate) -> Status[Made]:
    """Everybody who has given or follows is told."""
    telling = Telling(update.title.text, update.body.text, update.report)
    return Status(201, Made(id=actions.tell(session.signed_in(request), campaign, telling).id))
