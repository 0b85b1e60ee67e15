"""Time banks: what they state, their members and allies, and clearings."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from commonweal.kernel.doors import Body
from commonweal.kernel.parties import session
from commonweal.kernel.parties.models import Party
from commonweal.services.giving.actions import alliances, members
from commonweal.services.giving.actions import banks as actions
from commonweal.services.giving.api.shapes import Both, Made, Words
from commonweal.services.giving.queries import banks as queries
from commonweal.services.giving.queries import clearings
from commonweal.services.giving.rules import banks as rules

router = Router()


class Bank(Schema):
    """A time bank. A member may owe `may_owe` minutes; the bank bears `may_bear` for members who left owing."""

    id: uuid.UUID
    organisation: uuid.UUID
    name: Both
    may_owe: int
    may_bear: int
    members: int

    @classmethod
    def of(cls, bank: queries.Bank) -> Bank:
        return cls(
            id=bank.id,
            organisation=bank.organisation,
            name=Both.of(bank.name),
            may_owe=bank.may_owe,
            may_bear=bank.may_bear,
            members=bank.members,
        )


class NewBank(Body):
    """An organisation's bank, with its terms for good."""

    organisation: uuid.UUID
    name: Words
    may_owe: int
    may_bear: int


class CategoryLine(Schema):
    """What minutes were for. Sums are null while fewer than three people have exchanged in the category."""

    category: str
    exchanges: int
    people: int
    minutes: int | None
    with_allies: int | None


class NewMember(Body):
    """What members call you."""

    name: Annotated[str, Field(max_length=rules.LONGEST_NAME)]


class Alliance(Schema):
    """Two banks' agreement. `owed`: minutes that the other bank owes this one; negative if this one owes."""

    id: uuid.UUID
    other: uuid.UUID
    most: int
    owed: int
    proposed_at: datetime
    accepted_at: datetime | None
    ended_at: datetime | None


class NewAlliance(Body):
    """With which bank, and the most that either may owe the other, in minutes."""

    other: uuid.UUID
    most: int


class Clearing(Schema):
    """What circled between banks and was struck out, in minutes."""

    id: uuid.UUID
    number: int
    struck: int
    at: datetime
    statement: str


@router.get("/banks", response=list[Bank], auth=None, summary="Time banks")
def banks(request: HttpRequest) -> list[Bank]:
    """All of them, the oldest first."""
    return [Bank.of(each) for each in queries.banks()]


@router.post("/banks", response={201: Made}, summary="Found a time bank")
def found(request: HttpRequest, bank: NewBank) -> Status[Made]:
    """For whoever acts for the organisation."""
    terms = rules.Terms(bank.may_owe, bank.may_bear)
    organisation = Party(id=bank.organisation)
    return Status(201, Made(id=actions.found(session.signed_in(request), organisation, bank.name.text, terms)))


@router.get("/banks/{uuid:bank}", response=Bank, auth=None, summary="A time bank")
def bank(request: HttpRequest, bank: uuid.UUID) -> Bank:
    """Its terms and how many members it has."""
    return Bank.of(queries.bank(bank))


@router.get("/banks/{uuid:bank}/report", response=list[CategoryLine], auth=None, summary="What its time was for")
def report(request: HttpRequest, bank: uuid.UUID) -> list[CategoryLine]:
    """By category, the most first."""
    queries.bank(bank)
    return [
        CategoryLine(
            category=each.category,
            exchanges=each.exchanges,
            people=each.people,
            minutes=each.minutes,
            with_allies=each.with_allies,
        )
        for each in queries.report(bank)
    ]


@router.post("/banks/{uuid:bank}/members", response={201: Made}, summary="Ask to be a member")
def join(request: HttpRequest, bank: uuid.UUID, member: NewMember) -> Status[Made]:
    """Doing it twice is doing it once."""
    return Status(201, Made(id=members.join(session.signed_in(request), bank, member.name)))


@router.post("/banks/{uuid:bank}/members/{uuid:member}/admission", response={204: None}, summary="Let somebody in")
def admit(request: HttpRequest, bank: uuid.UUID, member: uuid.UUID) -> Status[None]:
    """For another officer of the bank."""
    members.admit(session.signed_in(request), bank, member)
    return Status(204, None)


@router.post("/banks/{uuid:bank}/members/{uuid:member}/release", response={204: None}, summary="Let somebody go")
def release(request: HttpRequest, bank: uuid.UUID, member: uuid.UUID) -> Status[None]:
    """For an officer; what they owe is borne by all."""
    members.release(session.signed_in(request), bank, member)
    return Status(204, None)


@router.post("/banks/{uuid:bank}/leave", response={204: None}, summary="Leave a time bank")
def leave(request: HttpRequest, bank: uuid.UUID) -> Status[None]:
    """What is left goes to all."""
    members.leave(session.signed_in(request), bank)
    return Status(204, None)


@router.get("/banks/{uuid:bank}/alliances", response=list[Alliance], auth=None, summary="Allied banks")
def allies(request: HttpRequest, bank: uuid.UUID) -> list[Alliance]:
    """Proposed, agreed, and ended while something is owed."""
    queries.bank(bank)
    return [
        Alliance(
            id=each.id,
            other=each.other,
            most=each.most,
            owed=each.owed,
            proposed_at=each.proposed_at,
            accepted_at=each.accepted_at,
            ended_at=each.ended_at,
        )
        for each in queries.alliances(bank)
    ]


@router.post("/banks/{uuid:bank}/alliances", response={201: Made}, summary="Propose an alliance")
def propose(request: HttpRequest, bank: uuid.UUID, alliance: NewAlliance) -> Status[Made]:
    """For an officer of the bank."""
    party = session.signed_in(request)
    return Status(201, Made(id=alliances.propose(party, bank, alliance.other, alliance.most)))


@router.post(
    "/banks/{uuid:bank}/alliances/{uuid:alliance}/acceptance", response={204: None}, summary="Accept an alliance"
)
def accept(request: HttpRequest, bank: uuid.UUID, alliance: uuid.UUID) -> Status[None]:
    """For an officer of the other bank, who does not act for both."""
    alliances.accept(session.signed_in(request), bank, alliance)
    return Status(204, None)


@router.post("/banks/{uuid:bank}/alliances/{uuid:alliance}/end", response={204: None}, summary="End an alliance")
def end(request: HttpRequest, bank: uuid.UUID, alliance: uuid.UUID) -> Status[None]:
    """For an officer of either bank; what is owed stays until it is cleared."""
    alliances.end(session.signed_in(request), bank, alliance)
    return Status(204, None)


@router.get("/clearings", response=list[Clearing], auth=None, summary="Clearings between time banks")
def cleared(request: HttpRequest) -> list[Clearing]:
    """The newest first; `statement` is the SHA-256 of the published file."""
    return [
        Clearing(id=each.id, number=each.number, struck=each.struck, at=each.at, statement=each.told.digest)
        for each in clearings.clearings()
    ]


@router.get("/clearings/{uuid:id}/statement", auth=None, summary="The statement of a clearing")
def statement(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The published file, from which anybody recomputes it."""
    return HttpResponse(clearings.clearing(id).statement, content_type="application/json")
