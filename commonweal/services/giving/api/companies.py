"""Companies: the report of a year, and the campaigns that they make their own."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Path, Router, Schema, Status

from commonweal.kernel.doors import Amount, Body
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.services.giving.actions import partners as actions
from commonweal.services.giving.api.shapes import Both
from commonweal.services.giving.queries import campaigns, companies
from commonweal.services.giving.queries import partners as queries

router = Router()


class ReportLine(Schema):
    """What employees gave to a campaign in a quarter: `number` gifts of money, or shifts of `MINUTES`."""

    quarter: int
    campaign: uuid.UUID
    title: Both
    people: int
    number: int
    amount: Amount


class Report(Schema):
    """The quarters of a year that are over. `kept_back` counts the sums of fewer than three people."""

    year: int
    employees: int
    lines: list[ReportLine]
    kept_back: int
    next: datetime | None


class Partner(Schema):
    """A company beside a campaign."""

    company: uuid.UUID
    name: Both
    fact: uuid.UUID | None


class NewPartner(Body):
    """The company for which one acts."""

    company: uuid.UUID


class PartnerWord(Body):
    """The charity's answer."""

    accepts: bool


@router.get("/companies/{uuid:company}/reports/{year}", response=Report, summary="What a company's people gave")
def report(request: HttpRequest, company: uuid.UUID, year: Annotated[int, Path(ge=2000, le=2200)]) -> Report:
    """For its officers: sums of whole quarters and at least three people."""
    people.require_role(session.signed_in(request), people.OFFICER, Party(id=company))
    made = companies.report(company, year)
    lines = [
        ReportLine(
            quarter=each.quarter,
            campaign=each.campaign,
            title=Both.of(each.title),
            people=each.people,
            number=each.number,
            amount=Amount.of(each.amount, each.asset),
        )
        for each in (*made.gifts, *made.hours)
    ]
    return Report(year=year, employees=made.employees, lines=lines, kept_back=made.kept_back, next=made.next)


@router.get(
    "/campaigns/{uuid:campaign}/partners", response=list[Partner], auth=None, summary="Companies that carry a campaign"
)
def partners(request: HttpRequest, campaign: uuid.UUID) -> list[Partner]:
    """Those that its charity has accepted."""
    campaigns.card(campaign)
    return [
        Partner(company=each.company, name=Both.of(each.name), fact=each.fact) for each in queries.accepted(campaign)
    ]


@router.post("/campaigns/{uuid:campaign}/partners", response={204: None}, summary="Make a campaign one's own")
def propose(request: HttpRequest, campaign: uuid.UUID, partner: NewPartner) -> Status[None]:
    """For companies; the charity then answers."""
    actions.propose(session.signed_in(request), Party(id=partner.company), campaign)
    return Status(204, None)


@router.put(
    "/campaigns/{uuid:campaign}/partners/{uuid:company}", response={204: None}, summary="Accept a company or not"
)
def answer(request: HttpRequest, campaign: uuid.UUID, company: uuid.UUID, word: PartnerWord) -> Status[None]:
    """For the campaign's charity, once."""
    actions.answer(session.signed_in(request), campaign, company, accepts=word.accepts)
    return Status(204, None)
