"""Payouts: where the money went."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from commonweal.kernel.doors import Amount, Body, IdempotencyKey
from commonweal.kernel.parties import session
from commonweal.services.giving.actions import payouts as actions
from commonweal.services.giving.actions import uses as use_actions
from commonweal.services.giving.api.shapes import Both, Documents, Made, Words
from commonweal.services.giving.queries import campaigns, payouts, uses
from commonweal.services.giving.rules import uses as use_rules
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


class Judged(Schema):
    """How far a payout has come."""

    state: str


@router.post("/campaigns/{uuid:campaign}/payouts", response={201: Made}, summary="Ask for a payout")
def ask(request: HttpRequest, campaign: uuid.UUID, payout: NewPayout, key: IdempotencyKey) -> Status[Made]:
    """For the campaign's charity; two stewards then look at it."""
    party, asset = session.signed_in(request), campaigns.card(campaign).asset
    asking = Asking(payout.read(asset), payout.what.text, tuple(payout.evidence))
    return Status(201, Made(id=actions.ask(party, campaign, asking, key)))


@router.post("/campaigns/{uuid:campaign}/payouts/{uuid:payout}/words", response=Judged, summary="Approve or decline")
def judge(request: HttpRequest, campaign: uuid.UUID, payout: uuid.UUID, word: Word) -> Judged:
    """For stewards; the second approval lets the money be paid."""
    party = session.signed_in(request)
    return Judged(state=actions.judge(party, campaign, payout, approves=word.approves, note=word.note).value)


class Use(Schema):
    """Whether what a payout bought is used, so many days `after` it; `pictures` are public files."""

    after: int
    asked_at: datetime
    overdue: bool
    standing: str | None
    said: Both | None
    pictures: list[str]
    fact: uuid.UUID | None


class NewUse(Body):
    """What the charity says and shows."""

    standing: use_rules.Standing
    said: Words
    pictures: Documents = Field(default_factory=list)


class Note(Body):
    """A steward's note; everybody can read it."""

    note: Words


class Moved(Note):
    """Where it goes."""

    target: uuid.UUID


@router.get(
    "/campaigns/{uuid:campaign}/payouts/{uuid:payout}/uses", response=list[Use], auth=None, summary="Is it in use?"
)
def used(request: HttpRequest, campaign: uuid.UUID, payout: uuid.UUID) -> list[Use]:
    """What was asked after 30, 90 and 365 days, and answered."""
    payouts.payout(campaign, payout)
    return [
        Use(
            after=each.after,
            asked_at=each.asked_at,
            overdue=each.overdue,
            standing=each.standing.value if each.standing else None,
            said=Both.of(each.said) if each.said else None,
            pictures=[f"/files/{digest}" for digest in each.pictures],
            fact=each.fact,
        )
        for each in uses.of_payout(campaign, payout)
    ]


@router.post(
    "/campaigns/{uuid:campaign}/payouts/{uuid:payout}/uses/{int:after}",
    response={204: None},
    summary="Say how it is used",
)
def answer(request: HttpRequest, campaign: uuid.UUID, payout: uuid.UUID, after: int, use: NewUse) -> Status[None]:
    """For the charity, once for each question."""
    given = use_rules.Answer(use.standing, use.said.text, tuple(use.pictures))
    use_actions.answer(session.signed_in(request), campaign, payout, after, given)
    return Status(204, None)


@router.post("/campaigns/{uuid:campaign}/payouts/{uuid:payout}/idle", response={204: None}, summary="Mark as idle")
def mark_idle(request: HttpRequest, campaign: uuid.UUID, payout: uuid.UUID, note: Note) -> Status[None]:
    """For stewards: what it bought stands unused."""
    use_actions.mark_idle(session.signed_in(request), campaign, payout, note.note.text)
    return Status(204, None)


@router.post("/campaigns/{uuid:campaign}/payouts/{uuid:payout}/move", response={204: None}, summary="Pass it on")
def move(request: HttpRequest, campaign: uuid.UUID, payout: uuid.UUID, moved: Moved) -> Status[None]:
    """For stewards: what stands idle goes to another campaign."""
    use_actions.move(session.signed_in(request), campaign, payout, moved.target, moved.note.text)
    return Status(204, None)
