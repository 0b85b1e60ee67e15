"""Gift cards for programs. A code is shown on its page alone, so that no program keeps it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Path, Router, Schema, Status
from pydantic import Field

from commonweal.kernel.doors import Amount, Body, IdempotencyKey
from commonweal.kernel.parties import session
from commonweal.kernel.quantity import CNY
from commonweal.services.giving.actions import card_returns, card_uses
from commonweal.services.giving.actions import cards as actions
from commonweal.services.giving.api.shapes import Made
from commonweal.services.giving.payment import Order, provider
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import cards as queries

router = Router()


class NewCard(Amount):
    """A card to buy; `campaign`, in the address, gets what is left at its end."""

    channel: Annotated[str, Field(max_length=20)] = "simulator"


class Card(Schema):
    """A card of one's own; `pay` is where it can be paid until it is."""

    id: uuid.UUID
    campaign: uuid.UUID
    amount: Amount
    left: Amount
    expires: datetime
    paid: bool
    pay: str | None

    @classmethod
    def of(cls, card: queries.Card) -> Card:
        order = Order(card.campaign, card.id, card.amount, card.asset.code, card.title)
        return cls(
            id=card.id,
            campaign=card.campaign,
            amount=Amount.of(card.amount, card.asset),
            left=Amount.of(card.left, card.asset),
            expires=card.expires,
            paid=card.paid,
            pay=None if card.paid else provider(card.channel).create(order),
        )


class NewCardRefund(Amount):
    """What of a card goes back, and why."""

    reason: Annotated[str, Field(max_length=400)]


class NewCardUse(Body):
    """What is given of a card; without `amount` all that is left."""

    code: Annotated[str, Field(max_length=40)]
    campaign: uuid.UUID
    amount: Amount | None = None


class CardUse(Schema):
    """The gift that a use of a card has made."""

    campaign: uuid.UUID
    gift: uuid.UUID


@router.post("/campaigns/{uuid:campaign}/cards", response={201: Card}, summary="Buy a gift card")
def buy(
    request: HttpRequest, campaign: Annotated[uuid.UUID, Path()], card: NewCard, key: IdempotencyKey
) -> Status[Card]:
    """Only where the host holds the money."""
    party, asset = session.signed_in(request), campaigns.card(campaign).asset
    return Status(201, Card.of(actions.buy(party, campaign, card.read(asset), card.channel, key)))


@router.post("/campaigns/{uuid:campaign}/cards/{uuid:card}/refunds", response={201: Made}, summary="Refund a gift card")
def refund(
    request: HttpRequest, campaign: Annotated[uuid.UUID, Path()], card: Annotated[uuid.UUID, Path()],
    refund: NewCardRefund, key: IdempotencyKey,
) -> Status[Made]:  # fmt: skip
    """For the charity and for stewards: only what the card still holds can go back."""
    party, amount = session.signed_in(request), refund.read(campaigns.card(campaign).asset)
    return Status(201, Made(id=card_returns.refund(party, campaign, card, amount, refund.reason, key)))


@router.get("/cards", response=list[Card], summary="The gift cards that one has bought")
def bought(request: HttpRequest) -> list[Card]:
    """Newest first."""
    return [Card.of(each) for each in queries.bought(session.signed_in(request).id)]


@router.post("/cards/uses", response={201: CardUse}, summary="Give what a gift card holds")
def redeem(request: HttpRequest, use: NewCardUse, key: IdempotencyKey) -> Status[CardUse]:
    """Ten wrong codes an hour, then 429."""
    amount = use.amount.read(CNY) if use.amount else None
    gift = card_uses.redeem(session.signed_in(request), use.code, use.campaign, amount, key)
    return Status(201, CardUse(campaign=use.campaign, gift=gift))
