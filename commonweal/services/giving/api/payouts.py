"""Payouts: where the money went."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema, Status

from commonweal.kernel.doors import Amount, Body, IdempotencyKey
from commonweal.kernel.parties import session
from commonweal.services.giving.actions import payouts as actions
from commonweal.services.giving.api.shapes import Both, Documents, Made, Words
from commonweal.services.giving.queries import campaigns, payouts
from commonweal.services.giving.rules.plans import Asking

router = Router()


class Payout(Schema):
    """A payout; `fact` is its leaf in the public log once it is paid."""

    id: uuid.UUID
    amount: Amount
    what: Both
    state: str
    asked_at: datetime
    paid_at: datetime | None
    fact: uuid.UUID | None


@router.get("/campaigns/{uuid:campaign}/payouts", response=list[Payout], auth=None, summary="Where the money went")
def paid(request: HttpRequest, campaign: uuid.UUID) -> list[Payout]:
    """The payouts of a campaign, oldest first."""
    campaigns.card(campaign)
    return [
        Payout(
            id=each.id,
            amount=Amount.of(each.amount, each.asset),
            what=Both.of(each.what),
            state=each.state.value,
            asked_at=each.asked_at,
            paid_at=each.paid_at,
            fact=each.paid_fact,
        )
        for each in payouts.payouts_of(campaign)
    ]


class NewPayout(Amount):
    """What a charity asks for, with 1 to 10 files of evidence."""

    what: Words
    evidence: Documents


class Word(Body):
    """A steward's word; `note` is needed to decline."""

    approves: bool
    note: str = ""


class Standing(Schema):
    """How far a payout has come."""

    state: str


@router.post("/campaigns/{uuid:campaign}/payouts", response={201: Made}, summary="Ask for a payout")
def ask(request: HttpRequest, campaign: uuid.UUID, payout: NewPayout, key: IdempotencyKey) -> Status[Made]:
    """For the campaign's charity; two stewards then look at it."""
    party, asset = session.signed_in(request), campaigns.card(campaign).asset
    asking = Asking(payout.read(asset), payout.what.text, tuple(payout.evidence))
    return Status(201, Made(id=actions.ask(party, campaign, asking, key)))


@router.post("/campaigns/{uuid:campaign}/payouts/{uuid:payout}/words", response=Standing, summary="Approve or decline")
def judge(request: HttpRequest, campaign: uuid.UUID, payout: uuid.UUID, word: Word) -> Standing:
    """For stewards; the second approval lets the money be paid."""
    party = session.signed_in(request)
    return Standing(state=actions.judge(party, campaign, payout, approves=word.approves, note=word.note).value)
