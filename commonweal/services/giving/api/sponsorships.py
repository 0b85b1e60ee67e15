"""Sponsors' contracts for actions."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import AwareDatetime, Field

from commonweal.kernel import clock
from commonweal.kernel.doors import Amount, Body
from commonweal.kernel.parties import session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import CNY, parse_amount
from commonweal.services.giving.actions import deeds as actions
from commonweal.services.giving.api.shapes import Both, Made
from commonweal.services.giving.queries import campaigns, deeds
from commonweal.services.giving.rules import deeds as rules

router = Router()


class Sponsorship(Schema):
    """A contract: `pays` for every `per` units of `asset`. `comes_to` is fixed once it is `settled`."""

    id: uuid.UUID
    sponsor: Both
    state: Both
    asset: str
    per: int
    pays: Amount
    most: Amount
    opens_at: datetime
    closes_at: datetime
    given: int
    comes_to: Amount
    settled: bool
    gift: uuid.UUID | None
    fact: uuid.UUID


class NewSponsorship(Body):
    """An offer of a company for which one acts; `pays` and `most` in yuan."""

    company: uuid.UUID
    asset: str
    per: Annotated[int, Field(gt=0)]
    pays: str
    most: str
    closes_at: AwareDatetime


@router.get(
    "/campaigns/{uuid:campaign}/sponsorships", response=list[Sponsorship], auth=None, summary="Sponsors of actions"
)
def sponsorships(request: HttpRequest, campaign: uuid.UUID) -> list[Sponsorship]:
    """The contracts of a campaign, offered, running and closed."""
    campaigns.card(campaign)
    return [
        Sponsorship(
            id=each.id,
            sponsor=Both.of(each.name),
            state=Both.of(each.state_title),
            asset=each.terms.asset,
            per=each.terms.per,
            pays=Amount.of(each.terms.pays, CNY),
            most=Amount.of(each.terms.most, CNY),
            opens_at=each.terms.opens_at,
            closes_at=each.terms.closes_at,
            given=each.given,
            comes_to=Amount.of(each.by_now, CNY),
            settled=each.due is not None,
            gift=each.gift,
            fact=each.fact,
        )
        for each in deeds.sponsorships(campaign)
    ]


@router.post("/campaigns/{uuid:campaign}/sponsorships", response={201: Made}, summary="Offer a contract")
def offer(request: HttpRequest, campaign: uuid.UUID, contract: NewSponsorship) -> Status[Made]:
    """The charity then accepts it."""
    asset = rules.action(contract.asset)
    terms = rules.Sponsorship(
        asset=asset.code,
        per=contract.per,
        pays=parse_amount(contract.pays, CNY, field="pays"),
        most=parse_amount(contract.most, CNY, field="most"),
        opens_at=clock.now(),
        closes_at=contract.closes_at,
    )
    id = actions.sponsor(session.signed_in(request), Party(id=contract.company), campaign, terms)
    return Status(201, Made(id=id))


@router.post("/sponsorships/{uuid:id}/accept", response={204: None}, summary="Accept a contract")
def accept(request: HttpRequest, id: uuid.UUID) -> Status[None]:
    """For the campaign's charity."""
    actions.accept(session.signed_in(request), id)
    return Status(204, None)


@router.post("/sponsorships/{uuid:id}/receive", response={201: Made}, summary="A sponsor's money has come")
def receive(request: HttpRequest, id: uuid.UUID) -> Status[Made]:
    """It becomes the sponsor's gift, once; the answer is the gift."""
    return Status(201, Made(id=actions.receive(session.signed_in(request), id)))
