"""Gifts, and the callbacks of payment providers."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Header, Router, Schema, Status
from pydantic import Field

from commonweal.kernel.doors import Amount, IdempotencyKey
from commonweal.kernel.errors import Conflict, Invalid, Refusal, TooLarge
from commonweal.kernel.parties import session
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import gifts as actions
from commonweal.services.giving.payment import Order, providers
from commonweal.services.giving.queries import gifts
from commonweal.services.giving.rules import gifts as rules
from commonweal.services.giving.rules.gifts import Give
from commonweal.services.giving.threesixty.currencies import currency

router = Router()

LARGEST_GIFT = 4_096
LARGEST_CALLBACK = 16_384
"""Bytes of a body."""


Device = Annotated[
    str,
    Header(
        alias="Device",
        max_length=64,
        pattern=r"^[!-~]*$",
        description="A random name of the device, the app's own. Only a keyed hash of it is kept, for 90 days, to find "
        "one person behind many accounts before a match is paid.",
    ),
]


class NewGift(Amount):
    """A gift. `collected` is for a charity that has received the money itself."""

    channel: Annotated[str, Field(max_length=20)] = "simulator"
    team: Annotated[uuid.UUID | None, Field(description="with whom it is given")] = None


class Gift(Schema):
    """A gift. `fact` is its leaf in the public log once it is paid; `pay` is where it can be paid until then."""

    id: uuid.UUID
    campaign: uuid.UUID
    amount: Amount
    state: Literal["waiting", "paid", "expired", "frozen", "returned", "going-back"]
    given_at: datetime
    fact: uuid.UUID | None
    pay: str | None

    @classmethod
    def of(cls, found: gifts.Gift, pay: str | None) -> Gift:
        return cls(
            id=found.id,
            campaign=found.campaign,
            amount=Amount.of(found.amount, found.asset),
            state=found.state.value,
            given_at=found.at,
            fact=found.fact,
            pay=pay,
        )


class Outcome(Schema):
    """What a callback came to."""

    outcome: Literal[
        "paid",
        "known",
        "unknown",
        "differs",
        "twice",
        "sent-back",
        "refunded",
        "refund-failed",
        "charged-back",
        "chargeback-won",
        "agreed",
        "revoked",
        "ignored",
    ]


def _check_size(request: HttpRequest, largest: int) -> None:
    if len(request.body) > largest:
        raise TooLarge("body.too-large", Text("Send less than {n} bytes.", "内容不得超过 {n} 字节。").format(n=largest))


def _pay(channel: str, order: Order) -> str | None:
    provider = providers().get(channel)
    return provider.create(order) if provider else None


def _where(found: gifts.Gift) -> str | None:
    if found.state is not rules.State.WAITING:
        return None
    return _pay(found.channel, Order(found.campaign, found.id, found.whole, found.asset.code, found.title))


@router.post("/campaigns/{uuid:campaign}/gifts", response={201: Gift}, summary="Give")
def give(
    request: HttpRequest, campaign: uuid.UUID, gift: NewGift, key: IdempotencyKey, device: Device = ""
) -> Status[Gift]:
    """Give to a campaign. The answer comes after the gift is durably in the books."""
    _check_size(request, LARGEST_GIFT)
    party, asset = session.signed_in(request), currency(gift.asset)
    if asset is None:
        raise Invalid(
            "asset.other", Text("Give in a currency of ISO 4217.", "请使用 ISO 4217 货币代码。"), field="asset"
        )
    collected = gift.channel == rules.COLLECTED
    amount = gift.read(asset)
    giver = None if collected else party.id
    wish = Give(campaign, giver, amount, asset.code, gift.channel, key, team=gift.team, device=device)
    taken = actions.collect(party, wish) if collected else actions.give(wish)
    if taken.existed:
        known = gifts.gift(campaign, taken.id)
        return Status(201, Gift.of(known, _where(known)))
    answer = Gift(
        id=taken.id,
        campaign=campaign,
        amount=Amount.of(amount, asset),
        state="paid" if taken.fact else "waiting",
        given_at=taken.at,
        fact=taken.fact,
        pay=None if taken.fact else _pay(wish.channel, Order(campaign, taken.id, amount, asset.code, taken.title)),
    )
    return Status(201, answer)


@router.get("/campaigns/{uuid:campaign}/gifts/{uuid:gift}", response=Gift, summary="A gift of one's own")
def gift(request: HttpRequest, campaign: uuid.UUID, gift: uuid.UUID) -> Gift:
    """One's own, or that of an organisation for which one acts."""
    found = gifts.seen_by(session.signed_in(request).id, campaign, gift)
    try:
        return Gift.of(found, _where(found))
    except Refusal:  # its provider is away, or will have nothing of it
        return Gift.of(found, None)


@router.post("/payments/{channel}", response=Outcome, auth=None, summary="A payment provider's callback")
def callback(request: HttpRequest, channel: str) -> Outcome:
    """For payment providers: verified by the signature over the raw bytes, its time and its nonce."""
    _check_size(request, LARGEST_CALLBACK)
    if channel not in providers():
        raise Conflict("channel.unknown", Text("No such provider is in use here.", "本平台未使用该支付机构。"))
    return Outcome(outcome=actions.confirm(channel, request.body, request.headers).value)
