"""Energy for programs: one's bubbles, gathering, friends' bubbles, watering, groves."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

import ninja
from django.http import HttpRequest
from ninja import Schema, Status
from pydantic import Field

from commonweal.kernel import clock
from commonweal.kernel.doors import Body, IdempotencyKey
from commonweal.kernel.parties import session
from commonweal.services.forest.actions import friends as friend_actions
from commonweal.services.forest.actions import gardens as actions
from commonweal.services.forest.actions import groves as grove_actions
from commonweal.services.forest.queries import friends, gardens, groves
from commonweal.services.forest.queries.holdings import held

router = ninja.Router(tags=["forest"])


class Bubble(Schema):
    """A bubble: `grams` as earned, `left` as not yet gathered. Ripe from `ripe_at` until before `gone_at`."""

    day: date
    kind: int
    behaviour: str
    state: Literal["growing", "ripe", "gone"]
    grams: int
    left: int
    ripe_at: datetime
    gone_at: datetime


class Energy(Schema):
    """What one holds, and one's bubbles."""

    held: int
    bubbles: list[Bubble]


class Which(Body):
    """One bubble."""

    day: date
    kind: Annotated[int, Field(ge=1, le=32767)]


class Wanted(Body):
    """One bubble, or all that are ripe."""

    bubble: Which | None = None


class Gathered(Schema):
    """Grams that were gathered. `drawn_at`: the order of those who asked so early is drawn then."""

    grams: int
    drawn_at: datetime | None = None


def _bubbles(owner: uuid.UUID) -> list[Bubble]:
    return [
        Bubble(
            day=each.bubble.day,
            kind=each.kind,
            behaviour=each.bubble.kind,
            state=each.state,
            grams=each.bubble.grams,
            left=each.bubble.left,
            ripe_at=each.ripe_at,
            gone_at=each.gone_at,
        )
        for each in gardens.bubbles(owner, clock.now())
    ]


@router.get("/energy", response=Energy, summary="One's energy")
def energy(request: HttpRequest) -> Energy:
    """What one holds, and one's bubbles now."""
    person = session.signed_in(request)
    return Energy(held=held(person.id), bubbles=_bubbles(person.id))


@router.post("/energy/gather", response=Gathered, summary="Gather one's own ripe energy")
def gather(request: HttpRequest, wanted: Wanted) -> Gathered:
    """Gather one bubble or all that are ripe. Nothing ripe is 0 g; doing it twice is doing it once."""
    person = session.signed_in(request)
    which = wanted.bubble
    return Gathered(grams=actions.harvest(person, (which.day, which.kind) if which else None))


class Friend(Schema):
    """A friend by the friendship's id, with the name that they have chosen ('' if none)."""

    id: uuid.UUID
    name: str
    ripe: int


class Code(Body):
    """A friend's code."""

    code: Annotated[str, Field(max_length=60)]


@router.get("/friends", response=list[Friend], summary="One's friends")
def all_friends(request: HttpRequest) -> list[Friend]:
    """One's friends, and how many of their bubbles are ripe."""
    person = session.signed_in(request)
    return [Friend(id=each.id, name=each.name, ripe=each.ripe) for each in friends.friends(person.id, clock.now())]


@router.post("/friends/codes", response={201: Code}, summary="A code for one other person")
def invite(request: HttpRequest) -> Status[Code]:
    """A code that makes whoever accepts it a friend: once, within a week."""
    return Status(201, Code(code=friend_actions.invite(session.signed_in(request))))


@router.post("/friends", response={201: Friend}, summary="Accept a code")
def accept(request: HttpRequest, code: Code) -> Status[Friend]:
    """Become friends with whoever gave this code."""
    person = session.signed_in(request)
    found = friends.friend(person.id, friend_actions.accept(person, code.code))
    return Status(201, Friend(id=found.id, name=found.name, ripe=found.ripe))


@router.get("/friends/{uuid:friend}/bubbles", response=list[Bubble], summary="A friend's bubbles")
def of_friend(request: HttpRequest, friend: uuid.UUID) -> list[Bubble]:
    """A friend's bubbles now."""
    return _bubbles(friends.friend(session.signed_in(request).id, friend).party)


@router.post("/friends/{uuid:friend}/gather", response=Gathered, summary="Gather a little at a friend's")
def collect(request: HttpRequest, friend: uuid.UUID, which: Which) -> Gathered:
    """Gather from a friend's bubble, once. Within a second after ripeness the order is drawn: look again then."""
    person = session.signed_in(request)
    found = actions.collect(person, friends.friend(person.id, friend).party, which.day, which.kind)
    return Gathered(grams=found.grams, drawn_at=found.drawn_at)


class Water(Body):
    """Grams for a friend: 5, 10, 18, 33 or 66."""

    grams: int


@router.post("/friends/{uuid:friend}/water", response=Energy, summary="Water a friend's meadow")
def water(request: HttpRequest, friend: uuid.UUID, water: Water) -> Energy:
    """Give a friend some of one's energy, at most three times a day; what one has then."""
    person = session.signed_in(request)
    actions.water(person, friends.friend(person.id, friend).party, water.grams)
    return Energy(held=held(person.id), bubbles=_bubbles(person.id))


class Grove(Schema):
    """A grove: what it holds, and what one has put in."""

    id: uuid.UUID
    name: str
    held: int
    members: int
    put_in: int
    ended: bool


class EnergyGift(Body):
    """Grams for a grove."""

    grams: Annotated[int, Field(ge=1, le=10_000_000)]


def _grove(person: uuid.UUID, found: groves.Grove) -> Grove:
    return Grove(
        id=found.id,
        name=found.name,
        held=found.held,
        members=len(found.members),
        put_in=found.put_in[person],
        ended=found.ended_at is not None,
    )


@router.get("/groves", response=list[Grove], summary="One's groves")
def all_groves(request: HttpRequest) -> list[Grove]:
    """The groves in which one plants with others."""
    person = session.signed_in(request)
    return [_grove(person.id, each) for each in groves.groves(person.id)]


@router.post("/groves/{uuid:grove}/gifts", response={201: Grove}, summary="Put energy into a grove")
def put_in(request: HttpRequest, grove: uuid.UUID, gift: EnergyGift, key: IdempotencyKey) -> Status[Grove]:
    """Put some of one's energy into a grove; the same key again is the same gift."""
    person = session.signed_in(request)
    grove_actions.put_in(person, grove, gift.grams, key)
    return Status(201, _grove(person.id, groves.grove_of(person.id, grove)))
