"""The host's own income, for stewards."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Path, Router, Schema, Status
from pydantic import Field

from commonweal.kernel.doors import Amount, Body, IdempotencyKey
from commonweal.kernel.parties import people, session
from commonweal.services.giving.actions import incomes as actions
from commonweal.services.giving.api.shapes import Both, Made, Words
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import incomes as queries

router = Router()


class Income(Schema):
    """A request for the host's own income."""

    id: uuid.UUID
    campaign: uuid.UUID
    amount: Amount
    what: Both
    state: Literal["asked", "approved", "declined", "paid"]
    approvals: int

    @classmethod
    def of(cls, found: queries.Income) -> Income:
        return cls(
            id=found.id,
            campaign=found.campaign,
            amount=Amount.of(found.amount, found.asset),
            what=Both.of(found.what),
            state=found.state.value,
            approvals=len(found.approved_by),
        )


class NewIncome(Amount):
    """What is asked for, and what for."""

    what: Words


class IncomeWord(Body):
    """A steward's word; a no needs a note."""

    approves: bool
    note: Annotated[str, Field(max_length=1000)] = ""


@router.get("/incomes", response=list[Income], summary="Payouts of the host's own income")
def incomes(request: HttpRequest) -> list[Income]:
    """For stewards, the newest first."""
    people.require_role(session.signed_in(request), people.STEWARD)
    return [Income.of(each) for each in queries.incomes()]


@router.post("/campaigns/{uuid:campaign}/incomes", response={201: Made}, summary="Ask for the host's own income")
def ask(
    request: HttpRequest, campaign: Annotated[uuid.UUID, Path()], income: NewIncome, key: IdempotencyKey
) -> Status[Made]:
    """Two other stewards agree before it is paid."""
    steward, amount = session.signed_in(request), income.read(campaigns.card(campaign).asset)
    return Status(201, Made(id=actions.ask(steward, campaign, amount, income.what.text, key)))


@router.post("/campaigns/{uuid:campaign}/incomes/{uuid:id}/words", response=Income, summary="Agree or decline")
def judge(
    request: HttpRequest, campaign: Annotated[uuid.UUID, Path()], id: Annotated[uuid.UUID, Path()], word: IncomeWord
) -> Income:
    """Not for who asked."""
    actions.judge(session.signed_in(request), campaign, id, approves=word.approves, note=word.note.strip())
    return Income.of(queries.one(campaign, id))
