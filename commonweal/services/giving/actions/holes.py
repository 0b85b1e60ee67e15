"""Holes in the line: a return draws places of its own gift, so that no other gift moves.

Where a gift has its place, who has got which part of it, and how what goes back of it is kept.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from commonweal.kernel.ledger import Leg, Transfer, post, request_hash
from commonweal.kernel.ledger.books import Phase
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving.actions import books, line
from commonweal.services.giving.actions.return_steps import Ends
from commonweal.services.giving.queries import fees, gifts
from commonweal.services.giving.rules.fees import Payee, parts
from commonweal.services.giving.rules.returns import Cause
from commonweal.services.giving.rules.trace import Span, free

ENDS = Ends("giving_return_end", "giving.tell_returned")


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment and its place on the line."""

    campaign: uuid.UUID
    gift: uuid.UUID
    amount: int
    asset: str
    channel: str
    place: Span
    tip: int
    parts: dict[Payee, int]
    """The net part that each party has got."""

    @property
    def whole(self) -> int:
        """What was paid: the gift and its tip."""
        return self.amount + self.tip


@dataclass(frozen=True, slots=True)
class Hole:
    """What goes back: `legs` move it, `spans` are the places that it draws, `shares` what each party returns.

    `receivable` of it had been spent; `kept` is what the processor does not give back of its share.
    """

    id: uuid.UUID
    cause: Cause
    amount: int
    legs: Sequence[Leg]
    spans: Sequence[Span]
    shares: Mapping[Payee, int] = field(default_factory=dict)
    receivable: int = 0
    kept: int = 0
    reference: str = ""
    reason: str = ""
    asked_by: uuid.UUID | None = None


def paid(cursor: Cursor, campaign: uuid.UUID, gift: uuid.UUID) -> Paid:
    """A payment, laid; the line is locked until the end. Raises `NotFound` (`gift.unknown`)."""
    line.lock(cursor, campaign)
    line.lay(cursor, campaign)
    cursor.execute(
        """
        SELECT p.amount, c.asset, g.channel, p.start,
               coalesce((SELECT t.amount FROM giving_tip t WHERE t.book = p.book AND t.gift = p.gift), 0)
        FROM giving_payment p
        JOIN giving_gift g ON g.book = p.book AND g.id = p.gift JOIN giving_campaign c ON c.id = p.book
        WHERE p.book = %s AND p.gift = %s
        """,
        [campaign, gift],
    )
    row = cursor.fetchone()
    if row is None:
        raise gifts.unknown()
    amount, asset, channel, start, tip = row
    got = parts(amount, tip, fees.out_of(fees.of_gift(campaign, gift)))
    return Paid(campaign, gift, amount, asset, channel, Span(start, start + amount), tip, got)


def there(cursor: Cursor, payment: Paid) -> list[Span]:
    """What of a payment is not drawn."""
    return free(payment.place, line.drawn(cursor, payment.campaign))


def keep(cursor: Cursor, of: Paid, hole: Hole, now: datetime, *, pending: bool = False) -> None:
    """Move what goes back and write it down; `pending` until its provider has said how it ended."""
    shares = {payee: hole.shares.get(payee, 0) for payee in (Payee.HOST, Payee.TIP, Payee.PROCESSOR)}
    host, tip, processor = shares.values()
    request = request_hash(hole.cause, str(of.gift), hole.amount)
    kind = f"giving.{hole.cause}"
    phase: Phase = "pending" if pending else "posted"
    transfer = Transfer(of.campaign, f"{hole.cause} {hole.id}", request, kind, tuple(hole.legs), now, phase)
    post(cursor, [transfer])
    fields = {"campaign": str(of.campaign), "gift": str(of.gift), "amount": hole.amount, "asset": of.asset}
    parted = {"host": host, "tip": tip, "processor": processor, "kept": hole.kept} if any(shares.values()) else {}
    fact = Fact(kind, now, fields | {"receivable": hole.receivable, "return": str(hole.id)} | parted)
    cursor.execute(
        """
        INSERT INTO giving_return (book, id, gift, cause, amount, receivable, host, tip, processor, kept, spans,
                                   reference, reason, asked_by, transfer, fact, at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::int8multirange, %s, %s, %s, %s, %s, %s)
        """,
        [of.campaign, hole.id, of.gift, hole.cause, hole.amount, hole.receivable, host, tip, processor, hole.kept,
         books.multirange(hole.spans), hole.reference, hole.reason, hole.asked_by, transfer.id, fact.id, now],
    )  # fmt: skip
    append(cursor, fact)


def draw(cursor: Cursor, campaign: uuid.UUID, id: uuid.UUID) -> None:
    """The places of a return that is done are gone for good."""
    cursor.execute(
        """
        INSERT INTO giving_draw (book, request, span)
        SELECT book, id, unnest(spans) FROM giving_return WHERE book = %s AND id = %s
        """,
        [campaign, id],
    )
