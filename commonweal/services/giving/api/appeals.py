"""Persons who ask for help."""

from __future__ import annotations

import uuid

from django.http import HttpRequest
from ninja import Router, Schema, Status

from commonweal.kernel.doors import Amount, Body
from commonweal.kernel.parties import session
from commonweal.kernel.quantity import CNY
from commonweal.services.giving.actions import appeals as actions
from commonweal.services.giving.api.shapes import Both, Documents, Made, Words
from commonweal.services.giving.queries import appeals
from commonweal.services.giving.rules import appeals as rules

router = Router()


class Appeal(Schema):
    """A person's appeal: no fundraising by a charity, see `warning`. `campaign` is the one that has adopted it."""

    id: uuid.UUID
    title: Both
    state: str
    amount: Amount
    campaign: uuid.UUID | None
    warning: Both


@router.get("/appeals", response=list[Appeal], auth=None, summary="Persons who ask for help")
def public_appeals(request: HttpRequest) -> list[Appeal]:
    """What is public, newest first. None of them takes money."""
    return [
        Appeal(
            id=each.id,
            title=Both.of(each.title),
            state=each.state.value,
            amount=Amount.of(each.amount, CNY),
            campaign=each.campaign,
            warning=Both.of(rules.WARNING),
        )
        for each in appeals.public()
    ]


class NewAppeal(Amount):
    """What a person asks for; `evidence` are papers that only stewards and an adopting charity see."""

    title: Words
    story: Words
    topic: str
    evidence: Documents


class AppealWord(Body):
    """A steward's word; `note` is needed to decline."""

    shows: bool
    note: str = ""


class Adoption(Body):
    """The campaign within which a charity adopts it."""

    campaign: uuid.UUID


@router.post("/appeals", response={201: Made}, summary="Ask for help")
def ask(request: HttpRequest, appeal: NewAppeal) -> Status[Made]:
    """Never fundraising: see `warning` of an appeal."""
    amount = appeal.read(CNY, maximum=rules.CAP)
    asked = rules.Appeal(appeal.title.text, appeal.story.text, appeal.topic, amount, tuple(appeal.evidence))
    return Status(201, Made(id=actions.ask(session.signed_in(request), asked)))


@router.post("/appeals/{uuid:appeal}/word", response={204: None}, summary="Show an appeal or not")
def judge(request: HttpRequest, appeal: uuid.UUID, word: AppealWord) -> Status[None]:
    """For stewards, who have looked at the papers."""
    actions.judge(session.signed_in(request), appeal, shows=word.shows, note=word.note)
    return Status(204, None)


@router.post("/appeals/{uuid:appeal}/adoption", response={204: None}, summary="Adopt an appeal")
def adopt(request: HttpRequest, appeal: uuid.UUID, adoption: Adoption) -> Status[None]:
    """For charities: from now on one gives to the campaign."""
    actions.adopt(session.signed_in(request), appeal, adoption.campaign)
    return Status(204, None)


@router.delete("/appeals/{uuid:appeal}", response={204: None}, summary="Withdraw one's appeal")
def withdraw(request: HttpRequest, appeal: uuid.UUID) -> Status[None]:
    """Take it back."""
    actions.withdraw(session.signed_in(request), appeal)
    return Status(204, None)
