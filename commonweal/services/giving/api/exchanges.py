"""Exchanges of minutes between members of time banks."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

from django.http import HttpRequest
from ninja import Router, Schema, Status

from commonweal.kernel.doors import Body, IdempotencyKey
from commonweal.kernel.parties import session
from commonweal.services.giving.actions import exchanges as actions
from commonweal.services.giving.api.deeds import Minutes
from commonweal.services.giving.queries import banks
from commonweal.services.giving.queries import exchanges as queries
from commonweal.services.giving.rules import banks as rules

router = Router()


class BankMember(Schema):
    """A member by bank and number."""

    bank: uuid.UUID
    number: int


class Exchange(Schema):
    """Minutes from `payer`, who was helped, to `payee`, who helped. `back`: how many of them went back."""

    bank: uuid.UUID
    id: uuid.UUID
    payer: BankMember
    payee: BankMember
    minutes: int
    category: str
    state: str
    at: datetime
    expires_at: datetime
    back: int | None

    @classmethod
    def of(cls, found: queries.Exchange) -> Exchange:
        return cls(
            bank=found.book,
            id=found.id,
            payer=BankMember(bank=found.payer.bank, number=found.payer.number),
            payee=BankMember(bank=found.payee.bank, number=found.payee.number),
            minutes=found.minutes,
            category=found.category,
            state=found.standing.value,
            at=found.at,
            expires_at=found.expires_at,
            back=found.back,
        )


class Account(Schema):
    """A member's account: their number, what they have, what they can still give, and what they have exchanged."""

    number: int
    balance: int
    free: int
    exchanges: list[Exchange]


class Other(Body):
    """One of the others: a member by bank and number, and the minutes with them."""

    bank: uuid.UUID
    number: int
    minutes: int


class NewExchange(Body):
    """`gives`: you were helped by the others and give them minutes; `asks`: you helped them and ask for theirs."""

    side: Literal["gives", "asks"]
    category: str
    others: list[Other]


class ExchangeWord(Body):
    """The other side confirms or declines, the asking side withdraws, who got the minutes gives them back."""

    word: Literal["confirm", "decline", "withdraw", "give-back"]


@router.get("/banks/{uuid:bank}/account", response=Account, summary="My account in a time bank")
def account(request: HttpRequest, bank: uuid.UUID) -> Account:
    """For members."""
    there, member = banks.bank(bank), banks.member_of(bank, session.signed_in(request).id)
    if member is None:
        raise banks.unknown_member()
    balance, free = banks.member_balances(there, [member]).get(member.id, (0, 0))
    listed = [Exchange.of(each) for each in queries.of_member(member.id)]
    return Account(number=member.number, balance=balance, free=free, exchanges=listed)


@router.post("/banks/{uuid:bank}/exchanges", response={201: list[Exchange]}, summary="Enter help")
def ask(request: HttpRequest, bank: uuid.UUID, exchange: NewExchange, key: IdempotencyKey) -> Status[list[Exchange]]:
    """With one or many members of this bank or of allied ones: all or none. The others confirm."""
    parts = tuple(rules.Part(each.bank, each.number, each.minutes) for each in exchange.others)
    asking = rules.Asking(rules.Side(exchange.side), exchange.category, parts)
    id = actions.ask(session.signed_in(request), bank, asking, key)
    return Status(201, [Exchange.of(each) for each in queries.asked(bank, id)])


@router.post("/banks/{uuid:bank}/exchanges/{uuid:id}/answer", response={204: None}, summary="Answer an exchange")
def answer(request: HttpRequest, bank: uuid.UUID, id: uuid.UUID, answer: ExchangeWord) -> Status[None]:
    """`bank` is that of the payer."""
    party = session.signed_in(request)
    match answer.word:
        case "confirm":
            actions.confirm(party, bank, id)
        case "decline":
            actions.turn_down(party, bank, id, rules.Outcome.DECLINED)
        case "withdraw":
            actions.turn_down(party, bank, id, rules.Outcome.WITHDRAWN)
        case "give-back":
            actions.give_back(party, bank, id)
    return Status(204, None)


@router.post("/banks/{uuid:bank}/exchanges/{uuid:id}/dispute", response={204: None}, summary="Say that it was less")
def dispute(request: HttpRequest, bank: uuid.UUID, id: uuid.UUID, claim: Minutes) -> Status[None]:
    """For either side, within 14 days of the confirmation."""
    actions.dispute(session.signed_in(request), bank, id, claim.minutes)
    return Status(204, None)


@router.post("/banks/{uuid:bank}/exchanges/{uuid:id}/decision", response={204: None}, summary="End such a dispute")
def decide(request: HttpRequest, bank: uuid.UUID, id: uuid.UUID, claim: Minutes) -> Status[None]:
    """For stewards: what is more than these minutes goes back."""
    actions.decide(session.signed_in(request), bank, id, claim.minutes)
    return Status(204, None)
