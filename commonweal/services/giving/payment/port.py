"""What a payment provider is to us. Its answers are believed only with its signature over the very bytes it sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Protocol, runtime_checkable

from commonweal.kernel.errors import Busy, Conflict, Unauthenticated
from commonweal.kernel.text import Text
from commonweal.services.giving.rules.recurring import Charge, Every

TOLERANCE = timedelta(seconds=300)
"""How far a callback's time may lie from ours: older ones are replays (Stripe's limit; WeChat Pay's advice)."""

NOBODY = uuid.UUID(int=0)
"""The book of a callback that names no gift of ours."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be paid: a gift in a book. `amount` is in smallest units of `asset`."""

    book: uuid.UUID
    gift: uuid.UUID
    amount: int
    asset: str
    title: Text


class Kind(StrEnum):
    """What a callback reports."""

    PAYMENT = "payment"
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    AGREEMENT = "agreement"
    """A payer has agreed to be charged again and again, or (`succeeded` is false) has taken that back."""


@dataclass(frozen=True, slots=True)
class Callback:
    """What a provider reports, its signature, time and form already checked.

    For a refund, `refund` is its id and `succeeded` tells how it ended; `reference` is what the provider calls the
    payment, the refund, the dispute or the agreement. A chargeback that has not succeeded was won by the charity. For
    an agreement, `gift` is the recurring gift.
    """

    provider: str
    nonce: str
    book: uuid.UUID
    gift: uuid.UUID
    amount: int
    asset: str
    reference: str
    kind: Kind = Kind.PAYMENT
    refund: uuid.UUID | None = None
    succeeded: bool = True
    payment: str = ""
    """What the provider calls the payment, for reports that name no gift."""
    payer: str = ""
    """By what the provider recognises who paid (a card's fingerprint, an account); only a keyed hash of it is kept."""


@dataclass(frozen=True, slots=True)
class Back:
    """A refund to be paid. `id` is the key by which asking twice pays once; `payment` is the provider's reference."""

    id: uuid.UUID
    book: uuid.UUID
    gift: uuid.UUID
    amount: int
    asset: str
    payment: str


@dataclass(frozen=True, slots=True)
class Agreeing:
    """What a payer is to agree to: to be charged for a recurring gift, `amount` in smallest units of `asset`."""

    book: uuid.UUID
    recurring: uuid.UUID
    amount: int
    asset: str
    every: Every
    title: Text


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a provider's statement of one day: money that came in (positive) or went back (negative)."""

    kind: Kind
    gift: uuid.UUID | None
    amount: int
    asset: str
    reference: str
    fee: int = 0
    """What the provider has kept of it."""
    payer: str = ""
    """As that of a `Callback`, for payments whose callback did not name it."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a provider has paid into the bank (negative: has drawn from it), and the lines that this was for."""

    reference: str
    amount: int
    asset: str
    lines: tuple[Entry, ...]


class Stating(Protocol):
    """What reconciliation asks: a provider's own books of a day."""

    @property
    def name(self) -> str: ...
    @property
    def zone(self) -> tzinfo:
        """Where its day begins."""

    def fetch_statement(self, day: date) -> list[Entry]:
        """Everything that came in or went back on a day of its own zone."""

    def fetch_settlements(self, day: date) -> list[Settlement]:
        """What it has paid into the bank on a day of its own zone."""


class Provider(Stating, Protocol):
    """A payment provider.

    Whatever asks it over the network raises `Busy` (`provider.unavailable`) when it does not answer as it should, and
    `Conflict` (`provider.refused`) when it says no.
    """

    @property
    def title(self) -> Text: ...
    @property
    def returns_fee(self) -> bool:
        """Whether it gives its fee back with a refund."""

    def create(self, order: Order) -> str:
        """Make the order known; where the giver pays: an address, without the language if it is a path of this site."""

    def read_callback(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Callback:
        """What a callback reports. Raises `Unauthenticated` (`callback.signature`, `callback.time`)."""

    def refund(self, back: Back) -> bool | None:
        """Ask for a refund: True if it is paid, False if it failed, None if a callback will tell."""

    def query(self, order: Order) -> Callback | None:
        """The payment of an order as the provider has it, None while it is not paid."""


@runtime_checkable
class Recurring(Provider, Protocol):
    """A provider that keeps agreements with payers and charges on them."""

    def agree(self, agreeing: Agreeing) -> str:
        """Where the payer agrees, or agrees anew: an address as that of `create`. A callback tells the outcome."""

    def charge(self, agreement: str, order: Order, attempt: int) -> Charge:
        """Charge a payer who has agreed. The same gift and attempt again are charged once.

        Raises `Busy` (`provider.unavailable`) while it is not known how it ended.
        """

    def cancel(self, agreement: str) -> None:
        """Give an agreement back, so that nothing can be charged on it any more."""


def bad_signature() -> Unauthenticated:
    """The signature does not hold, or what it stands on is out of form."""
    return Unauthenticated(
        "callback.signature", Text("The signature of this callback does not hold.", "回调签名无效。")
    )


class Ignored(Exception):
    """A callback that is genuine and reports nothing that moves money."""


def unavailable() -> Busy:
    """The provider does not answer as it should; asking again later is safe."""
    return Busy(
        "provider.unavailable",
        Text("The payment provider does not answer. Try again later.", "支付机构暂无响应，请稍后再试。"),
        retry_after=60,
    )


def refused() -> Conflict:
    """The provider does not take this payment: the way to pay, its country or its amount."""
    return Conflict(
        "provider.refused",
        Text(
            "The payment provider does not take this payment; nothing was charged. Choose another way to pay.",
            "支付机构不接受这笔付款，未扣款。请选择其他付款方式。",
        ),
        field="channel",
    )


def check_time(sent: datetime, now: datetime) -> None:
    """Raises `Unauthenticated` with code `callback.time` for a callback that is not from now."""
    if abs(now - sent) > TOLERANCE:
        raise Unauthenticated(
            "callback.time", Text("This callback is not from now: it may be a replay.", "回调时间不符，可能是重放。")
        )
