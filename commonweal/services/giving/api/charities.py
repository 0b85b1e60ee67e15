"""A charity signs up, shows its qualification and publishes a campaign."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import AwareDatetime, Base64Bytes, Field

from commonweal.kernel.doors import Amount, Body
from commonweal.kernel.parties import session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import CNY, parse_amount
from commonweal.services.giving.actions import campaigns as actions
from commonweal.services.giving.actions import years as year_actions
from commonweal.services.giving.actions.campaigns import Charity, Qualification
from commonweal.services.giving.api.shapes import Made, Words
from commonweal.services.giving.queries import grants, years
from commonweal.services.giving.rules import plans, spending
from commonweal.services.giving.rules.campaigns import Custody
from commonweal.services.giving.rules.needs import Need
from commonweal.services.giving.rules.plans import Plan

router = Router()


class NewCharity(Body):
    """A charity that signs up."""

    name: Words
    registration: Annotated[str, Field(max_length=64)]
    about: Words
    contact: Annotated[str, Field(max_length=200)]


class NewQualification(Body):
    """A certificate of public fundraising; `evidence` is the document in base64."""

    number: Annotated[str, Field(max_length=100)]
    issuer: Annotated[str, Field(max_length=200)]
    valid_from: date
    valid_until: date | None = None
    evidence: Base64Bytes


class NewNeed(Body):
    """One line of the budget: `price` of one, in yuan."""

    what: Words
    unit: Words
    price: str
    quantity: Annotated[int, Field(gt=0, le=1_000_000)]


class NewCampaign(Body):
    """A campaign whose plan is filed. `cap` is the largest single gift, in yuan."""

    title: Words
    summary: Words
    story: Words
    topic: Annotated[str, Field(max_length=20)]
    place: Words
    needs: Annotated[list[NewNeed], Field(max_length=plans.MOST_NEEDS)]
    opens_at: AwareDatetime
    closes_at: AwareDatetime
    filing_number: Annotated[str, Field(max_length=60)]
    filed_at: AwareDatetime
    custody: Custody = Custody.MIRROR
    cap: str | None = None


@router.post("/charities", response={201: Made}, summary="Sign a charity up")
def found(request: HttpRequest, charity: NewCharity) -> Status[Made]:
    """Whoever does it acts for it."""
    wanted = Charity(charity.name.text, charity.registration, charity.about.text, charity.contact)
    return Status(201, Made(id=actions.found(session.signed_in(request), wanted).id))


@router.post("/charities/{uuid:charity}/qualifications", response={201: Made}, summary="Show a qualification")
def claim(request: HttpRequest, charity: uuid.UUID, qualification: NewQualification) -> Status[Made]:
    """It counts once two stewards have attested it."""
    shown = Qualification(**{field: getattr(qualification, field) for field in type(qualification).model_fields})
    grants.organisation(charity)
    return Status(201, Made(id=actions.claim(session.signed_in(request), Party(id=charity), shown).id))


@router.post("/charities/{uuid:charity}/campaigns", response={201: Made}, summary="Publish a campaign")
def publish(request: HttpRequest, charity: uuid.UUID, campaign: NewCampaign) -> Status[Made]:
    """A campaign whose plan is filed with the authority."""
    party = session.signed_in(request)
    grants.organisation(charity)
    needs = tuple(
        Need(each.what.text, parse_amount(each.price, CNY, field="needs"), each.quantity, each.unit.text)
        for each in campaign.needs
    )
    plan = Plan(
        organisation=charity,
        title=campaign.title.text,
        summary=campaign.summary.text,
        story=campaign.story.text,
        topic=campaign.topic,
        place=campaign.place.text,
        needs=needs,
        opens_at=campaign.opens_at,
        closes_at=campaign.closes_at,
        filing_number=campaign.filing_number,
        filed_at=campaign.filed_at,
        custody=campaign.custody,
        cap=plans.CAP if campaign.cap is None else parse_amount(campaign.cap, CNY, field="cap"),
    )
    return Status(201, Made(id=actions.publish(party, plan).id))


class Ratio(Schema):
    """A share in per cent beside its limit; `kept` is null where the limit does not apply."""

    percent: int
    limit: int
    kept: bool | None


class Year(Schema):
    """A year as its charity states it, in yuan."""

    year: int
    form: str
    income: Amount
    spending: Amount
    programme: Amount
    management: Amount
    programme_of_last_income: Ratio | None
    management_of_spending: Ratio | None
    corrections: int
    fact: uuid.UUID


class NewYear(Body):
    """The figures of a year that is over, in yuan; `accounts` is the document in base64."""

    year: int
    form: spending.Form
    income: str
    spending: str
    programme: str
    management: str
    accounts: Base64Bytes


def _ratio(ratio: spending.Ratio | None) -> Ratio | None:
    return Ratio(percent=ratio.percent, limit=ratio.limit, kept=ratio.kept) if ratio else None


@router.get("/charities/{uuid:charity}/years", response=list[Year], auth=None, summary="What a charity states")
def stated(request: HttpRequest, charity: uuid.UUID) -> list[Year]:
    """Its years, newest first, beside the limits of the law."""
    grants.organisation(charity)
    return [
        Year(
            year=each.year,
            form=each.figures.form.value,
            income=Amount.of(each.figures.income, CNY),
            spending=Amount.of(each.figures.spending, CNY),
            programme=Amount.of(each.figures.programme, CNY),
            management=Amount.of(each.figures.management, CNY),
            programme_of_last_income=_ratio(each.programme),
            management_of_spending=_ratio(each.management),
            corrections=each.corrections,
            fact=each.fact,
        )
        for each in years.of(charity)
    ]


@router.post("/charities/{uuid:charity}/years", response={204: None}, summary="State a year")
def state(request: HttpRequest, charity: uuid.UUID, year: NewYear) -> Status[None]:
    """For the charity; a year that is stated again is a correction."""
    party = session.signed_in(request)
    grants.organisation(charity)
    amounts = {
        field: parse_amount(getattr(year, field), CNY, field=field, minimum=0)
        for field in ("income", "spending", "programme", "management")
    }
    year_actions.state(party, charity, year.year, spending.Year(year.form, **amounts), year.accounts)
    return Status(204, None)
