"""Invoices for company gifts, for programs of either side."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Path, Router, Schema, Status
from pydantic import Field

from commonweal.kernel.doors import Amount, Body, IdempotencyKey
from commonweal.kernel.errors import NotFound
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import invoices as actions
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import invoices as queries
from commonweal.services.giving.rules.invoices import LARGEST_STATEMENT, Outcome

router = Router()
ADDRESS = "/charities/{uuid:charity}/invoices/{int:year}/{int:number}"


class NewInvoice(Amount):
    """A promise; without `due` it is to be paid within 30 days."""

    company: uuid.UUID
    due: date | None = None


class Invoice(Schema):
    """An invoice; `reference` is written beside the transfer, `gift` is there once it is paid."""

    charity: uuid.UUID
    company: uuid.UUID
    campaign: uuid.UUID
    year: int
    number: int
    reference: str
    amount: Amount
    due: date
    state: Literal["open", "overdue", "paid", "cancelled"]
    gift: uuid.UUID | None

    @classmethod
    def of(cls, found: queries.Invoice) -> Invoice:
        return cls(
            charity=found.charity.id,
            company=found.company.id,
            campaign=found.campaign,
            year=found.year,
            number=found.number,
            reference=found.reference,
            amount=Amount.of(found.amount, found.asset),
            due=found.due,
            state=found.state.value,
            gift=found.gift,
        )


class Statement(Body):
    """A bank statement as CSV, with the columns `date`, `amount`, `id` and `text`."""

    csv: Annotated[str, Field(max_length=LARGEST_STATEMENT)]


class Outcomes(Schema):
    """How many new lines that name an invoice came to what."""

    paid: int
    differs: int
    unknown: int
    refused: int


def _organisation(id: uuid.UUID) -> Party:
    found = people.named(id)
    if found is None:
        raise NotFound("organisation.unknown", Text("There is no such organisation.", "没有这个机构。"))
    return found


@router.post("/campaigns/{uuid:campaign}/invoices", response={201: Invoice}, summary="Promise a gift of a company")
def ask(
    request: HttpRequest, campaign: Annotated[uuid.UUID, Path()], invoice: NewInvoice, key: IdempotencyKey
) -> Status[Invoice]:
    """For officers of the company. The number follows the one before, without gaps."""
    party, asset = session.signed_in(request), campaigns.card(campaign).asset
    company = _organisation(invoice.company)
    return Status(201, Invoice.of(actions.ask(party, company, campaign, invoice.read(asset), key, invoice.due)))


@router.get(ADDRESS, response=Invoice, summary="An invoice")
def invoice(
    request: HttpRequest,
    charity: Annotated[uuid.UUID, Path()],
    year: Annotated[int, Path(ge=2000, le=2200)],
    number: Annotated[int, Path(ge=1, le=999_999_999)],
) -> Invoice:
    """For officers of either side."""
    return Invoice.of(queries.one(session.signed_in(request).id, charity, year, number))


@router.delete(ADDRESS, response=Invoice, summary="Cancel an invoice")
def cancel(
    request: HttpRequest,
    charity: Annotated[uuid.UUID, Path()],
    year: Annotated[int, Path(ge=2000, le=2200)],
    number: Annotated[int, Path(ge=1, le=999_999_999)],
) -> Invoice:
    """Its number stays taken."""
    party = session.signed_in(request)
    actions.cancel(party, charity, year, number)
    return Invoice.of(queries.one(party.id, charity, year, number))


@router.post("/charities/{uuid:charity}/statements", response=Outcomes, summary="Take in a bank statement")
def take_in(request: HttpRequest, charity: Annotated[uuid.UUID, Path()], statement: Statement) -> Outcomes:
    """For officers of the charity. The same line again changes nothing."""
    said = actions.take_in(session.signed_in(request), _organisation(charity), statement.csv)
    return Outcomes(**{outcome.value: said[outcome] for outcome in Outcome})
