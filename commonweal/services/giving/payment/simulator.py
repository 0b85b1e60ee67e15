"""A provider that moves no money and does all else for real: orders it has not been given it does not know, and its
callbacks are signed with a key of its own, over `time\\nnonce\\nbody\\n` as WeChat Pay signs, by HMAC-SHA256 as Stripe.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import os
import secrets
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.translation import get_language

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.kernel.text import Text
from commonweal.services.giving.payment.port import (
    Agreeing,
    Back,
    Callback,
    Entry,
    Kind,
    Order,
    Settlement,
    bad_signature,
    check_time,
)
from commonweal.services.giving.rules.recurring import Charge, Every

GIFT = Text("A gift", "一笔捐助")
"""What the simulator itself knows of what is paid for."""
TAG = 16
"""Bytes that sign an order."""
TIME, NONCE, SIGNATURE = "Simulator-Timestamp", "Simulator-Nonce", "Simulator-Signature"


@dataclass(frozen=True)
class Simulator:
    """The provider. `home` is the data directory that keeps its key."""

    home: Path
    refunds: bool | None = True
    """How it answers a refund: paid at once, failed at once, or by a callback."""
    returns_fee: bool = True
    name: ClassVar[str] = "simulator"
    zone: ClassVar[tzinfo] = timezone(timedelta(hours=8))
    title: ClassVar[Text] = Text("Payment simulator (no money moves)", "模拟支付（不产生真实扣款）")

    def create(self, order: Order) -> str:
        """The page of the simulator for this order; the order in its address is signed, so it cannot be changed."""
        plain = order.book.bytes + order.gift.bytes + order.amount.to_bytes(8, "big") + order.asset.encode()
        return _page(get_language()).replace("TOKEN", _written(_tag(plain) + plain))

    def order(self, token: str) -> Order:
        """The order in the address of its page. Raises `NotFound` for one that was not made here."""
        with suppress(ValueError):
            signed = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
            tag, plain = signed[:TAG], signed[TAG:]
            if len(plain) > 40 and hmac.compare_digest(tag, _tag(plain)) and _written(signed) == token:
                book, gift = uuid.UUID(bytes=plain[:16]), uuid.UUID(bytes=plain[16:32])
                return Order(book, gift, int.from_bytes(plain[32:40], "big"), plain[40:].decode(), GIFT)
        raise NotFound("order.unknown", Text("There is no such order.", "没有这个订单。"))

    def report(self, order: Order, now: datetime, **changed: Any) -> tuple[bytes, dict[str, str]]:
        """Body and headers of the callback for a paid order; `changed` is reported instead, for misbehaving."""
        reference = "sim-" + uuid.uuid5(order.gift, "paid").hex
        body = json.dumps(
            {"book": str(order.book), "gift": str(order.gift), "amount": order.amount, "asset": order.asset,
             "reference": reference} | changed
        ).encode()  # fmt: skip
        self._enter(body, now)
        return body, self.sign(body, now)

    def report_refund(self, back: Back, now: datetime, **changed: Any) -> tuple[bytes, dict[str, str]]:
        """Body and headers of the callback for a refund; `succeeded=False` reports that it failed."""
        body = json.dumps(
            {"book": str(back.book), "gift": str(back.gift), "amount": back.amount, "asset": back.asset,
             "reference": "sim-" + back.id.hex, "kind": "refund", "refund": str(back.id), "succeeded": True} | changed
        ).encode()  # fmt: skip
        self._enter(body, now)
        return body, self.sign(body, now)

    def report_chargeback(self, order: Order, now: datetime, **changed: Any) -> tuple[bytes, dict[str, str]]:
        """Body and headers of the callback for a payment that the giver's bank has taken back."""
        reference = "dispute-" + uuid.uuid5(order.gift, "dispute").hex
        body = json.dumps(
            {"book": str(order.book), "gift": str(order.gift), "amount": order.amount, "asset": order.asset,
             "reference": reference, "kind": "chargeback"} | changed
        ).encode()  # fmt: skip
        self._enter(body, now)
        return body, self.sign(body, now)

    def agree(self, agreeing: Agreeing) -> str:
        """See `Recurring`: its page, the wish in its address is signed."""
        value = [str(agreeing.book), str(agreeing.recurring), agreeing.amount, agreeing.asset, agreeing.every.value,
                 agreeing.title.en, agreeing.title.zh]  # fmt: skip
        return reverse("giving:agree", args=[signing.dumps(value, salt="giving.agreement")])

    def agreeing(self, token: str) -> Agreeing:
        """The wish in the address of its page. Raises `NotFound` for one that was not made here."""
        try:
            book, id, amount, asset, every, en, zh = signing.loads(token, salt="giving.agreement")
        except signing.BadSignature as error:
            raise NotFound("order.unknown", Text("There is no such order.", "没有这个订单。")) from error
        return Agreeing(uuid.UUID(book), uuid.UUID(id), amount, asset, Every(every), Text(en, zh))

    def report_agreement(
        self, agreeing: Agreeing, now: datetime, charges: Charge = Charge.PAID, **changed: Any
    ) -> tuple[bytes, dict[str, str]]:
        """Body and headers of the callback for an agreement, whose charges will end as `charges` says."""
        reference = "agreement-" + agreeing.recurring.hex
        self._agreements.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._agreements / reference).write_text(charges)
        body = json.dumps(
            {"book": str(agreeing.book), "gift": str(agreeing.recurring), "amount": agreeing.amount,
             "asset": agreeing.asset, "reference": reference, "kind": "agreement",
             "succeeded": charges is not Charge.REVOKED} | changed
        ).encode()  # fmt: skip
        return body, self.sign(body, now)

    def agreed(self, recurring: uuid.UUID) -> bool:
        """Whether an agreement stands."""
        kept = self._agreements / ("agreement-" + recurring.hex)
        return kept.exists() and kept.read_text() != Charge.REVOKED

    def charge(self, agreement: str, order: Order, attempt: int) -> Charge:
        """See `Recurring`."""
        kept = self._agreements / agreement
        ends = Charge(kept.read_text()) if kept.exists() else Charge.REVOKED
        if self.query(order) is not None:
            return Charge.PAID
        if ends is Charge.PAID:
            self.report(order, clock.now())
        return ends

    def cancel(self, agreement: str) -> None:
        """See `Recurring`."""
        (self._agreements / agreement).unlink(missing_ok=True)

    def sign(self, body: bytes, now: datetime) -> dict[str, str]:
        """The headers with which the simulator sends a body, with a nonce of their own."""
        time, nonce = str(int(now.timestamp())), secrets.token_hex(16)
        signature = _signature(self.home, time, nonce, body)
        return {TIME: time, NONCE: nonce, SIGNATURE: base64.b64encode(signature).decode()}

    def refund(self, back: Back) -> bool | None:
        """See `Provider`. The simulator pays at once, or as `refunds` says."""
        if self.refunds:
            self.report_refund(back, clock.now())
        return self.refunds

    def query(self, order: Order) -> Callback | None:
        """See `Provider`."""
        said = [each for path in self._journal.glob("*.jsonl") for each in _lines(path)]
        paid = (each for each in said if each["gift"] == str(order.gift) and "kind" not in each)
        return next((self._callback(each, nonce=each["reference"]) for each in paid), None)

    def fetch_statement(self, day: date) -> list[Entry]:
        """See `Provider`: what it has entered on that day, each reference once."""
        entries: dict[tuple[Kind, str], Entry] = {}
        for said in _lines(self._journal / f"{day}.jsonl"):
            kind = Kind(said.get("kind", "payment"))
            won = kind is Kind.CHARGEBACK and not said.get("succeeded", True)
            if won or said.get("succeeded", True):
                amount = said["amount"] if won or kind is Kind.PAYMENT else -said["amount"]
                said["reference"] += "-won" if won else ""
                gift = uuid.UUID(said["gift"])
                entries[kind, said["reference"]] = Entry(
                    kind, gift, amount, said["asset"], said["reference"], said.get("fee", 0)
                )
        return list(entries.values())

    def fetch_settlements(self, day: date) -> list[Settlement]:
        """See `Provider`: it pays on each day what the day before has come to, be it nothing."""
        before = day - timedelta(days=1)
        lines = self.fetch_statement(before)
        settled = []
        for asset in sorted({line.asset for line in lines}):
            of = tuple(line for line in lines if line.asset == asset)
            net = sum(line.amount - line.fee for line in of)
            settled.append(Settlement(f"settled-{before}-{asset}", net, asset, of))
        return settled

    @property
    def _journal(self) -> Path:
        return self.home / "simulator"

    @property
    def _agreements(self) -> Path:
        return self._journal / "agreements"

    def _enter(self, body: bytes, now: datetime) -> None:
        """Its own books: what it has reported, a line each."""
        self._journal.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._journal / f"{now.astimezone(self.zone).date()}.jsonl").open("ab") as file:
            file.write(body + b"\n")

    def _callback(self, said: Mapping[str, Any], nonce: str) -> Callback:
        return Callback(
            provider=self.name,
            nonce=nonce,
            book=uuid.UUID(said["book"]),
            gift=uuid.UUID(said["gift"]),
            amount=_amount(said["amount"]),
            asset=str(said["asset"]),
            reference=str(said["reference"]),
            kind=Kind(said.get("kind", "payment")),
            refund=uuid.UUID(said["refund"]) if "refund" in said else None,
            succeeded=said.get("succeeded", True) is True,
            payment=str(said.get("payment", "")),
            payer=str(said.get("payer", "")),
        )

    def read_callback(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Callback:
        """See `Provider`."""
        time, nonce = headers.get(TIME, ""), headers.get(NONCE, "")
        try:
            signature = base64.b64decode(headers.get(SIGNATURE, ""), validate=True)
            if not hmac.compare_digest(signature, _signature(self.home, time, nonce, body)):
                raise bad_signature()
            check_time(datetime.fromtimestamp(int(time), UTC), now)
            return self._callback(json.loads(body), nonce)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise bad_signature() from error


@functools.cache
def _page(language: str | None) -> str:
    """The address of a page in a language; only its token is another each time."""
    return reverse("giving:pay", args=["TOKEN"])


def _tag(plain: bytes) -> bytes:
    """Who made an order: BLAKE2b (RFC 7693) under a key of its own."""
    return hashlib.blake2b(plain, digest_size=TAG, key=_tag_key(settings.SECRET_KEY)).digest()


@functools.cache
def _tag_key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"giving.simulator", "sha256")


def _written(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def _amount(value: Any) -> int:
    if type(value) is not int or abs(value) >= 2**63:
        raise ValueError("an amount is a whole number of smallest units")
    return value


def _signature(home: Path, time: str, nonce: str, body: bytes) -> bytes:
    return hmac.digest(_key(home), f"{time}\n{nonce}\n".encode() + body + b"\n", "sha256")


@functools.cache
def _key(home: Path) -> bytes:
    """The simulator's key in `home/keys/simulator.key`, made at the first use."""
    path = home / "keys" / "simulator.key"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
        try:
            os.link(fresh, path)  # the first of several starters wins
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()
