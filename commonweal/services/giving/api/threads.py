"""Messages between givers and charities, and thanks to everyone."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from commonweal.kernel.doors import Body, IdempotencyKey
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.services.giving.actions import thanks as thanks_actions
from commonweal.services.giving.actions import threads as actions
from commonweal.services.giving.api.shapes import Made, Words
from commonweal.services.giving.queries import threads as queries
from commonweal.services.giving.rules import threads as rules
from commonweal.services.giving.rules.threads import Side

router = Router()

Message = Annotated[str, Field(max_length=rules.LONGEST)]


class NewThread(Body):
    """The first message. `name` is what the charity may call the giver, who is unnamed without it."""

    text: Message
    name: Annotated[str, Field(max_length=rules.LONGEST_NAME)] = ""
    gift: uuid.UUID | None = None


class NewMessage(Body):
    """Plain text."""

    text: Message


class ThreadMessage(Schema):
    """One message."""

    side: Side
    text: str
    at: datetime


class Thread(Schema):
    """A thread as its reader sees it: `unread` says whether the other side has written something new."""

    id: uuid.UUID
    campaign: uuid.UUID
    gift: uuid.UUID | None
    name: str | None
    closed: bool
    unread: bool
    last_at: datetime


class Whole(Thread):
    """A thread with what was said."""

    messages: list[ThreadMessage]


def _shape(found: queries.Thread, side: Side) -> Thread:
    return Thread(
        id=found.id,
        campaign=found.campaign,
        gift=found.gift,
        name=found.name,
        closed=found.rule.closed,
        unread=side in found.unread,
        last_at=found.last_at,
    )


@router.get("/threads", response=list[Thread], summary="My threads with charities")
def mine(request: HttpRequest) -> list[Thread]:
    """The liveliest hundred."""
    return [_shape(each, Side.GIVER) for each in queries.of_giver(session.signed_in(request).id)]


@router.get("/charities/{uuid:charity}/threads", response=list[Thread], summary="The inbox of a charity")
def inbox(request: HttpRequest, charity: uuid.UUID) -> list[Thread]:
    """For its officers: a hundred threads, unread first. Who the givers are is not told."""
    people.require_role(session.signed_in(request), people.OFFICER, Party(id=charity))
    return [_shape(each, Side.CHARITY) for each in queries.of_charity(charity)]


@router.post("/campaigns/{uuid:campaign}/threads", response={201: Made}, summary="Write to the charity")
def begin(request: HttpRequest, campaign: uuid.UUID, thread: NewThread, key: IdempotencyKey) -> Status[Made]:
    """For whoever has given to the campaign."""
    opening = actions.Opening(thread.text, thread.name, thread.gift)
    return Status(201, Made(id=actions.begin(session.signed_in(request), campaign, opening, key)))


@router.get("/campaigns/{uuid:campaign}/threads/{uuid:thread}", response=Whole, summary="A thread")
def thread(request: HttpRequest, campaign: uuid.UUID, thread: uuid.UUID) -> Whole:
    """For its giver and its charity. Reading it here marks nothing as read."""
    found, side = actions.of_reader(session.signed_in(request), campaign, thread)
    said = [ThreadMessage(side=each.side, text=each.text, at=each.at) for each in queries.messages(found)]
    return Whole(**_shape(found, side).dict(), messages=said)


@router.post("/campaigns/{uuid:campaign}/threads/{uuid:thread}/messages", response={204: None}, summary="Write on")
def write(
    request: HttpRequest, campaign: uuid.UUID, thread: uuid.UUID, message: NewMessage, key: IdempotencyKey
) -> Status[None]:
    """As the giver, or for the charity."""
    actions.write(session.signed_in(request), campaign, thread, message.text, key)
    return Status(204, None)


@router.post("/campaigns/{uuid:campaign}/thanks", response={201: Made}, summary="Thank everyone who gave")
def thank(request: HttpRequest, campaign: uuid.UUID, said: Words, key: IdempotencyKey) -> Status[Made]:
    """For the campaign's charity, once in 30 days: each giver is told once, and stays unnamed."""
    return Status(201, Made(id=thanks_actions.thank(session.signed_in(request), campaign, said.text, key)))
