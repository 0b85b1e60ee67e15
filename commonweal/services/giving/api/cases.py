"""Cases: signals of fraud that stewards decide, and the objections of givers."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Router, Schema, Status
from pydantic import Field

from commonweal.kernel.doors import Amount, Body
from commonweal.kernel.parties import people, session
from commonweal.services.giving.actions import cases as actions
from commonweal.services.giving.api.shapes import Both, Made
from commonweal.services.giving.queries import cases as queries
from commonweal.services.giving.queries import gifts
from commonweal.services.giving.rules.cases import State

router = Router()


class Case(Schema):
    """A case: `gifts` whose matches wait, `amount` in all. `objects_to`: the case whose decision a giver objects to."""

    id: uuid.UUID
    campaign: uuid.UUID
    kind: Both
    state: State
    at: datetime
    due_at: datetime
    ended_at: datetime | None
    gifts: int
    amount: Amount
    objections: int
    objects_to: uuid.UUID | None
    fact: uuid.UUID

    @classmethod
    def of(cls, found: queries.Case) -> Case:
        return cls(**_case(found))


class CaseGift(Schema):
    """A gift of a case, by its number in its campaign and never by its giver; `objection` is what they say."""

    gift: uuid.UUID
    number: int | None
    amount: Amount
    at: datetime
    refunded: bool
    objection: str


class CaseWord(Schema):
    """What a steward has said."""

    withholds: bool
    note: str
    at: datetime
    fact: uuid.UUID


class WholeCase(Case):
    """A case with its reasons, the first 500 of its gifts, and what has been said."""

    reasons: list[Both]
    named: list[CaseGift]
    words: list[CaseWord]


class NewCaseWord(Body):
    """A steward's word. Withholding needs a note: the givers read it."""

    withholds: bool
    note: Annotated[str, Field(max_length=1000)] = ""


class Check(Schema):
    """What the giver of a gift is told: why its match waits or is withheld, and until when they can object."""

    case: uuid.UUID
    kind: Both
    state: State
    due_at: datetime
    reasons: list[Both]
    notes: list[str]
    object_until: datetime | None
    objected: bool
    fact: uuid.UUID


class Objection(Body):
    """Why it is wrong; only stewards read it."""

    words: Annotated[str, Field(max_length=1000)]


def _case(found: queries.Case) -> dict[str, Any]:
    return {
        "id": found.id, "campaign": found.campaign, "kind": Both.of(found.kind), "state": found.state, "at": found.at,
        "due_at": found.due_at, "ended_at": found.ended_at, "gifts": found.gifts,
        "amount": Amount.of(found.amount, found.asset), "objections": found.objections, "objects_to": found.objects_to,
        "fact": found.fact,
    }  # fmt: skip


@router.get("/cases", response=list[Case], summary="Cases of signals")
def cases(request: HttpRequest, which: Literal["waiting", "ended"] = "waiting") -> list[Case]:
    """For stewards: what waits, the nearest deadline first, or the newest fifty that have ended."""
    people.require_role(session.signed_in(request), people.STEWARD)
    return [Case.of(each) for each in (queries.waiting() if which == "waiting" else queries.decided())]


@router.get("/cases/{uuid:case}", response=WholeCase, summary="A case")
def case(request: HttpRequest, case: Annotated[uuid.UUID, Path()]) -> WholeCase:
    """For stewards. That one has read the objections of givers is on record."""
    found = actions.read(session.signed_in(request), case)
    return WholeCase(
        **_case(found),
        reasons=[Both.of(reason) for reason in queries.reasons(found)],
        named=[
            CaseGift(
                gift=each.gift,
                number=each.nth,
                amount=Amount.of(each.amount, found.asset),
                at=each.at,
                refunded=each.refunded,
                objection=each.said,
            )
            for each in queries.gifts(found)
        ],
        words=[
            CaseWord(withholds=each.withholds, note=each.note, at=each.at, fact=each.fact)
            for each in queries.words(found.id)
        ],
    )


@router.post("/cases/{uuid:case}/words", response=Case, summary="Withhold or clear")
def judge(request: HttpRequest, case: Annotated[uuid.UUID, Path()], word: NewCaseWord) -> Case:
    """The second same word, of another steward, decides. Not for who has judged what is objected to."""
    actions.judge(session.signed_in(request), case, withholds=word.withholds, note=word.note)
    return Case.of(queries.one(case))


@router.get("/campaigns/{uuid:campaign}/gifts/{uuid:gift}/checks", response=list[Check], summary="Checks of a match")
def checks(
    request: HttpRequest, campaign: Annotated[uuid.UUID, Path()], gift: Annotated[uuid.UUID, Path()]
) -> list[Check]:
    """For the giver of the gift, the newest first."""
    gifts.gift_of(session.signed_in(request).id, campaign, gift)
    return [
        Check(
            case=each.case.id,
            kind=Both.of(each.case.kind),
            state=each.case.state,
            due_at=each.case.due_at,
            reasons=[Both.of(reason) for reason in each.reasons],
            notes=list(each.notes),
            object_until=each.object_until,
            objected=each.objected,
            fact=each.case.fact,
        )
        for each in queries.of_gift(campaign, gift)
    ]


@router.post(
    "/campaigns/{uuid:campaign}/gifts/{uuid:gift}/checks/{uuid:case}/objections",
    response={201: Made},
    summary="Object to a check",
)
def object_to(
    request: HttpRequest,
    campaign: Annotated[uuid.UUID, Path()],
    gift: Annotated[uuid.UUID, Path()],
    case: Annotated[uuid.UUID, Path()],
    objection: Objection,
) -> Status[Made]:
    """For the giver, once. Answers with the case that decides about it: other stewards than before, if there were."""
    giver = session.signed_in(request)
    return Status(201, Made(id=actions.object_to(giver, case, campaign, gift, objection.words)))
