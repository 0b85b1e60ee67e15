"""What a payment provider is to us. Its answers are believed only with its signature over the very bytes it sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from commonweal.kernel.errors import Unauthenticated
from commonweal.kernel.text import Text

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


@dataclass(frozen=True, slots=True)
class Callback:
    """A payment as its provider reports it, its signature, time and form already checked."""

    provider: str
    nonce: str
    book: uuid.UUID
    gift: uuid.UUID
    amount: int
    asset: str
    reference: str


class Provider(Protocol):
    """A payment provider."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> Text: ...

    def checkout(self, order: Order) -> str:
        """Where the giver pays: an address, without the language if it is a path of this site."""

    def read_callback(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Callback:
        """The payment that a callback reports. Raises `Unauthenticated` (`callback.signature`, `callback.time`)."""


def bad_signature() -> Unauthenticated:
    """The signature does not hold, or what it stands on is out of form."""
    return Unauthenticated(
        "callback.signature", Text("The signature of this callback does not hold.", "回调签名无效。")
    )


def check_time(sent: datetime, now: datetime) -> None:
    """Raises `Unauthenticated` with code `callback.time` for a callback that is not from now."""
    if abs(now - sent) > TOLERANCE:
        raise Unauthenticated(
            "callback.time", Text("This callback is not from now: it may be a replay.", "回调时间不符，可能是重放。")
        )
