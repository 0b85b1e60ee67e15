"""Stripe, on its SDK: hosted Checkout, events signed with HMAC-SHA256 over `time.body`.

Stripe counts in smallest units as we do, for the currencies that are listed here.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, ClassVar

from commonweal.kernel.text import Text
from commonweal.services.giving.payment.port import (
    NOBODY,
    Agreeing,
    Back,
    Callback,
    Entry,
    Ignored,
    Kind,
    Order,
    Settlement,
    bad_signature,
    check_time,
    refused,
    unavailable,
)
from commonweal.services.giving.rules.recurring import Charge

if TYPE_CHECKING:
    from stripe import StripeClient

GONE = {"expired_card", "lost_card", "stolen_card", "pickup_card", "incorrect_number", "authentication_required"}
"""Declines after which only another card, or its owner at the screen, helps."""
ENDED = {"succeeded": True, "failed": False, "canceled": False}
"""How a refund of Stripe's can have ended."""


@contextmanager
def _asking() -> Iterator[None]:
    """What Stripe says no to, and everything else that goes wrong, as the port has it."""
    from stripe import InvalidRequestError, StripeError

    try:
        yield
    except InvalidRequestError as error:
        raise refused() from error
    except StripeError as error:
        raise unavailable() from error


@dataclass(frozen=True)
class Stripe:
    """The provider. `secret` is the API key, `signing` the endpoint's signing secret, `home` where givers come back."""

    secret: str
    signing: str
    home: str
    name: ClassVar[str] = "stripe"
    title: ClassVar[Text] = Text("Card (Stripe)", "银行卡（Stripe）")
    zone: ClassVar[tzinfo] = UTC
    returns_fee: ClassVar[bool] = False
    """“Stripe's processing fees from the original transaction aren't returned” (docs.stripe.com/refunds)."""

    @_asking()
    def create(self, order: Order) -> str:
        """See `Provider`. The gift's id is the idempotency key."""
        metadata = {"book": str(order.book), "gift": str(order.gift)}
        session = self._client.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "client_reference_id": str(order.gift),
                "success_url": f"{self.home}/giving/{order.book}/gifts/{order.gift}/",
                "payment_intent_data": {"metadata": metadata},
                "line_items": [
                    {
                        "quantity": 1,
                        "price_data": {
                            "currency": order.asset.lower(),
                            "unit_amount": order.amount,
                            "product_data": {"name": order.title.en},
                        },
                    }
                ],
            },
            {"idempotency_key": str(order.gift)},
        )
        return session.url or ""

    @_asking()
    def agree(self, agreeing: Agreeing) -> str:
        """See `Recurring`: Checkout in the mode `setup` keeps a card for charges without the payer."""
        metadata = {"book": str(agreeing.book), "recurring": str(agreeing.recurring)}
        session = self._client.v1.checkout.sessions.create(
            {
                "mode": "setup",
                "currency": agreeing.asset.lower(),
                "customer_creation": "always",
                "success_url": f"{self.home}/giving/{agreeing.book}/recurring/{agreeing.recurring}/",
                "setup_intent_data": {"metadata": metadata},
            }
        )
        return session.url or ""

    @_asking()
    def charge(self, agreement: str, order: Order, attempt: int) -> Charge:
        """See `Recurring`. An agreement is `customer payment_method`; gift and attempt are the idempotency key."""
        from stripe import CardError, InvalidRequestError

        customer, method = agreement.split()
        try:
            intent = self._client.v1.payment_intents.create(
                {
                    "customer": customer,
                    "payment_method": method,
                    "amount": order.amount,
                    "currency": order.asset.lower(),
                    "off_session": True,
                    "confirm": True,
                    "metadata": {"book": str(order.book), "gift": str(order.gift)},
                },
                {"idempotency_key": f"{order.gift}:{attempt}"},
            )
        except CardError as error:
            return declined(error.code, getattr(error.error, "decline_code", None))
        except InvalidRequestError:  # not in this country, not in this currency: only another way to pay helps
            return Charge.GONE
        if intent.status != "succeeded":
            raise unavailable()
        return Charge.PAID

    @_asking()
    def cancel(self, agreement: str) -> None:
        """See `Recurring`: the card is kept no longer."""
        from stripe import InvalidRequestError

        with suppress(InvalidRequestError):  # it is kept no longer already
            self._client.v1.payment_methods.detach(agreement.split()[1])

    def read_callback(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Callback:
        """See `Provider`. The SDK checks the signature; the time is checked here, by the clock of the platform."""
        from stripe import SignatureVerificationError, WebhookSignature

        signature = headers.get("Stripe-Signature", "")
        try:
            WebhookSignature.verify_header(body.decode(), signature, self.signing, tolerance=0)
            sent = dict(part.split("=", 1) for part in signature.split(","))["t"]
            check_time(datetime.fromtimestamp(int(sent), UTC), now)
            event = json.loads(body)
            read = self._agreement if event["type"].startswith("setup_intent.") else self._read
            return read(event["type"], event["data"]["object"], event["id"])
        except (SignatureVerificationError, ValueError, KeyError, TypeError, OverflowError) as error:
            raise bad_signature() from error

    @_asking()
    def refund(self, back: Back) -> bool | None:
        """See `Provider`."""
        from stripe import InvalidRequestError

        metadata = {"book": str(back.book), "gift": str(back.gift), "refund": str(back.id)}
        try:
            made = self._client.v1.refunds.create(
                {"payment_intent": back.payment, "amount": back.amount, "metadata": metadata},
                {"idempotency_key": str(back.id)},
            )
        except InvalidRequestError as error:  # refunded by other hands: the money has gone, so it stays held
            return None if error.code == "charge_already_refunded" else False
        return ENDED.get(made.status or "")

    @_asking()
    def query(self, order: Order) -> Callback | None:
        """See `Provider`."""
        found = self._client.v1.payment_intents.search(
            {"query": f"metadata['gift']:'{order.gift}'", "expand": ["data.latest_charge"]}
        )
        paid = [intent for intent in found.data if intent.status == "succeeded"]
        return self._read("payment_intent.succeeded", paid[0].to_dict(), paid[0].id) if paid else None

    @_asking()
    def fetch_statement(self, day: date) -> list[Entry]:
        """See `Provider`: the balance transactions of a day (UTC)."""
        begin = datetime.combine(day, time(), UTC)
        since, until = int(begin.timestamp()), int((begin + timedelta(days=1)).timestamp())
        listed = self._client.v1.balance_transactions.list(
            {"created": {"gte": since, "lt": until}, "expand": ["data.source"], "limit": 100}
        )
        return [found for line in listed.auto_paging_iter() if (found := entry(line.to_dict())) is not None]

    @_asking()
    def fetch_settlements(self, day: date) -> list[Settlement]:
        """See `Provider`: the payouts that arrived on a day, each with its balance transactions."""
        begin = datetime.combine(day, time(), UTC)
        since, until = int(begin.timestamp()), int((begin + timedelta(days=1)).timestamp())
        paid = self._client.v1.payouts.list({"arrival_date": {"gte": since, "lt": until}, "limit": 100})
        settled = []
        for payout in paid.auto_paging_iter():
            listed = self._client.v1.balance_transactions.list(
                {"payout": payout.id, "expand": ["data.source"], "limit": 100}
            )
            lines = tuple(found for line in listed.auto_paging_iter() if (found := entry(line.to_dict())) is not None)
            settled.append(Settlement(payout.id, payout.amount, payout.currency.upper(), lines))
        return settled

    @property
    def _client(self) -> StripeClient:
        from stripe import StripeClient

        return StripeClient(self.secret)

    def _read(self, event: str, about: dict[str, Any], nonce: str) -> Callback:
        said = about.get("metadata") or {}
        asset = str(about["currency"]).upper()
        book, gift = (uuid.UUID(said[name]) if name in said else NOBODY for name in ("book", "gift"))
        if event == "payment_intent.succeeded":
            paid = int(about["amount_received"])
            return Callback(self.name, nonce, book, gift, paid, asset, about["id"], payer=payer(_charge_of(about)))
        payment = str(about.get("payment_intent") or "")
        if event == "charge.succeeded" and payment and "gift" in said:  # the same payment, and the card it came from
            paid = int(about["amount_captured"])
            return Callback(self.name, nonce, book, gift, paid, asset, payment, payer=payer(about))
        if event in ("refund.updated", "refund.failed", "refund.created") and about["status"] in ENDED:
            refund = uuid.UUID(said["refund"]) if "refund" in said else None
            return Callback(
                self.name, nonce, book, gift, int(about["amount"]), asset, about["id"], Kind.REFUND, refund,
                ENDED[about["status"]], payment,
            )  # fmt: skip
        if event in ("charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"):
            return Callback(
                self.name, nonce, book, gift, int(about["amount"]), asset, about["id"], Kind.CHARGEBACK, None,
                event == "charge.dispute.funds_withdrawn",
                payment,
            )  # fmt: skip
        raise Ignored

    def _agreement(self, event: str, about: dict[str, Any], nonce: str) -> Callback:
        """A card that has been kept for a recurring gift."""
        said = about.get("metadata") or {}
        if event != "setup_intent.succeeded" or "recurring" not in said:
            raise Ignored
        return Callback(
            self.name, nonce, uuid.UUID(said["book"]), uuid.UUID(said["recurring"]), 0, "",
            f"{about['customer']} {about['payment_method']}", Kind.AGREEMENT,
        )  # fmt: skip


def payer(charge: Mapping[str, Any]) -> str:
    """By what Stripe knows a card or an account again, whoever enters it: `payment_method_details.<type>.fingerprint`
    of a charge (docs.stripe.com/api/charges/object); empty for what has none."""
    details = charge.get("payment_method_details") or {}
    return str((details.get(details.get("type", "")) or {}).get("fingerprint") or "")


def _charge_of(intent: Mapping[str, Any]) -> Mapping[str, Any]:
    """The charge that a payment intent brings along: only where it was expanded; else it is told by an event of its
    own, `charge.succeeded`."""
    charge = intent.get("latest_charge")
    return charge if isinstance(charge, Mapping) else {}


def declined(code: str | None, reason: str | None) -> Charge:
    """What a declined card means: these need its owner, every other decline may pass by itself and is tried again."""
    return Charge.GONE if {code, reason} & GONE else Charge.INSUFFICIENT


def entry(line: Mapping[str, Any]) -> Entry | None:
    """A balance transaction as an entry; None for what is no gift (payouts, fees of the account)."""
    kinds = {"charge": Kind.PAYMENT, "payment": Kind.PAYMENT, "refund": Kind.REFUND, "payment_refund": Kind.REFUND,
             "adjustment": Kind.CHARGEBACK}  # fmt: skip
    kind = kinds.get(line["type"])
    if kind is None:
        return None
    source = line["source"] or {}
    gift = (source.get("metadata") or {}).get("gift")
    reference = source.get("payment_intent") if kind is Kind.PAYMENT else source.get("id")
    if kind is Kind.CHARGEBACK and line["amount"] > 0:  # reinstated: a line of its own beside the dispute's
        reference = f"{reference}-won"
    return Entry(kind, uuid.UUID(gift) if gift else None, line["amount"], line["currency"].upper(), str(reference),
                 line.get("fee", 0), payer(source) if kind is Kind.PAYMENT else "")  # fmt: skip
