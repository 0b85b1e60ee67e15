"""The boards of time banks: what members offer and need."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from commonweal.kernel.doors import Body, IdempotencyKey
from commonweal.kernel.parties import session
from commonweal.services.giving.actions import board as actions
from commonweal.services.giving.api.deeds import Minutes
from commonweal.services.giving.api.exchanges import Exchange
from commonweal.services.giving.api.shapes import Both, Made, Words
from commonweal.services.giving.queries import banks
from commonweal.services.giving.queries import board as queries
from commonweal.services.giving.rules import board as rules

router = Router()
Kind = Literal["offer", "ask"]


class Listing(Schema):
    """What a member of `bank` offers or needs (`ask`). Whose it is, is not told."""

    id: uuid.UUID
    bank: uuid.UUID
    kind: Kind
    category: str
    what: Both
    district: str
    at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, found: queries.Listing) -> Listing:
        plain = {name: getattr(found, name) for name in ("id", "bank", "category", "district", "at", "expires_at")}
        return cls(kind=found.kind.value, what=Both.of(found.what), **plain)


class NewListing(Body):
    """What one offers or needs, in which district, for 7, 30 or 90 days. No names, numbers and addresses."""

    kind: Kind
    category: str
    what: Words
    district: Annotated[str, Field(max_length=rules.LONGEST_PLACE)]
    days: Literal[7, 30, 90] = 30


class BoardWord(Schema):
    """What one of two has written about a listing: its member (`by_author`), or `other`, a member of an allied bank or
    of its own."""

    other: uuid.UUID
    by_author: bool
    text: str
    at: datetime


class NewWord(Body):
    """What one writes to the member whose listing it is; or with `other`, their answer to a member who has written."""

    text: Annotated[str, Field(max_length=rules.LONGEST_WORD)]
    other: uuid.UUID | None = None


class TakeOff(Body):
    """For an officer: why it is taken off."""

    note: Annotated[str, Field(max_length=rules.LONGEST)] = ""


@router.get("/banks/{uuid:bank}/board", response=list[Listing], auth=None, summary="Offers and needs")
def board(
    request: HttpRequest,
    bank: uuid.UUID,
    kind: Annotated[Kind | None, Query()] = None,
    category: Annotated[str, Query(max_length=20)] = "",
    words: Annotated[str, Query(max_length=100)] = "",
) -> list[Listing]:
    """Of the bank and of its allies, the newest first; all the `words` stand in what is told."""
    chosen = rules.Kind(kind) if kind else None
    there = queries.around(banks.bank(bank).id)
    return [Listing.of(each) for each in queries.listings(there, kind=chosen, category=category, words=words)]


@router.post("/banks/{uuid:bank}/board", response={201: Made}, summary="Put up an offer or a need")
def put_up(request: HttpRequest, bank: uuid.UUID, listing: NewListing, key: IdempotencyKey) -> Status[Made]:
    """For members."""
    wish = rules.Wish(
        rules.Kind(listing.kind), listing.category, listing.what.text, listing.district, listing.days
    )  # fmt: skip
    return Status(201, Made(id=actions.put_up(session.signed_in(request), bank, wish, key)))


@router.get("/banks/{uuid:bank}/board/{uuid:listing}/words", response=list[BoardWord], summary="Words about a listing")
def words(request: HttpRequest, bank: uuid.UUID, listing: uuid.UUID) -> list[BoardWord]:
    """Its member reads all of them, by whom they write with; another member of the bank their own."""
    found = queries.read_by(session.signed_in(request).id, bank, queries.one(bank, listing))
    return [BoardWord.from_orm(each) for each in found]


@router.post("/banks/{uuid:bank}/board/{uuid:listing}/words", response={204: None}, summary="Write about a listing")
def write(request: HttpRequest, bank: uuid.UUID, listing: uuid.UUID, word: NewWord) -> Status[None]:
    """As a member of the bank; read by the two alone."""
    party = session.signed_in(request)
    if word.other:
        actions.answer(party, bank, listing, word.other, word.text)
    else:
        actions.write(party, bank, listing, word.text)
    return Status(204, None)


@router.post("/banks/{uuid:bank}/board/{uuid:listing}/exchanges", response={201: Exchange}, summary="Answer a listing")
def exchange(
    request: HttpRequest, bank: uuid.UUID, listing: uuid.UUID, minutes: Minutes, key: IdempotencyKey
) -> Status[Exchange]:
    """Of an offer one gives minutes, of a need one asks for them; they move when the other confirms."""
    return Status(201, Exchange.of(actions.exchange(session.signed_in(request), bank, listing, minutes.minutes, key)))


@router.post("/banks/{uuid:bank}/board/{uuid:listing}/end", response={204: None}, summary="Take it off the board")
def take_off(request: HttpRequest, bank: uuid.UUID, listing: uuid.UUID, why: TakeOff) -> Status[None]:
    """For its member, and for an officer of its bank with a reason."""
    actions.take_off(session.signed_in(request), bank, listing, why.note)
    return Status(204, None)
