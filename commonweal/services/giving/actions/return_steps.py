"""The steps that all money takes which goes back, of a gift as of a gift card: asked for, sent, reported, ended.

What differs is what it comes out of: `returns` and `chargebacks` for gifts, `card_returns` and `card_chargebacks`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, NotAllowed
from commonweal.kernel.ids import derived
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger import Transfer, open_accounts, post, request_hash, resolve
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import books, line
from commonweal.services.giving.payment import Back, Callback, Kind, provider
from commonweal.services.giving.queries.campaigns import acts_for
from commonweal.services.giving.queries.returns import R, existing
from commonweal.services.giving.rules import returns as rules
from commonweal.services.giving.rules.gifts import Outcome
from commonweal.services.giving.rules.returns import Cause, End, Standing


def check_who(who: Party, campaign: uuid.UUID) -> None:
    """Raises `NotAllowed` (`refund.not-yours`) unless a steward or the charity asks."""
    if not (acts_for(who.id, campaign) or people.STEWARD in people.roles(who)):
        raise NotAllowed(
            "refund.not-yours", Text("Only the charity or a steward refunds.", "只有该机构或审核员可以退款。")
        )


@dataclass(frozen=True, slots=True)
class Payment:
    """What has been paid for a gift or a card, and by whom that is reported."""

    channel: str
    asset: str
    whole: int


@dataclass(frozen=True, slots=True)
class Ends:
    """Where the ends of returns are written, and the errand that tells of one."""

    table: str
    errand: str

    def write(self, cursor: Cursor, campaign: uuid.UUID, id: uuid.UUID, end: End, now: datetime) -> None:
        """A return has ended so."""
        fact = Fact("giving.return-end", now, {"campaign": str(campaign), "return": str(id), "outcome": end.value})
        cursor.execute(
            f"INSERT INTO {self.table} (book, id, outcome, fact, at) VALUES (%s, %s, %s, %s, %s)",
            [campaign, id, end, fact.id, now],
        )
        append(cursor, fact)
        enqueue(self.errand, campaign=str(campaign), id=str(id), outcome=end.value)


@dataclass(frozen=True, slots=True)
class Returns(Generic[R]):
    """What goes back of gifts, or of gift cards."""

    prefix: str
    """Before the names from which ids follow, so that those of gifts and cards are different."""
    ends: Ends
    find: Callable[[uuid.UUID, uuid.UUID], R | None]
    of: Callable[[uuid.UUID, uuid.UUID], list[R]]
    """All that goes back of one gift or card."""
    payment: Callable[[uuid.UUID, uuid.UUID], Payment | None]
    """What was paid for it; None if nothing was."""
    lock: Callable[[Cursor, uuid.UUID, uuid.UUID], None]
    """Whatever a chargeback of it can reach."""
    gone: Callable[[Cursor, R, datetime], None]
    """What else happens once it has left."""

    def refund_id(self, campaign: uuid.UUID, what: uuid.UUID, key: str) -> uuid.UUID:
        """The refund that is asked for with this key."""
        return derived(campaign, f"{self.prefix}refund:{what}:{key}")

    def chargeback_id(self, campaign: uuid.UUID, reference: str) -> uuid.UUID:
        """The chargeback that the provider calls so."""
        return derived(campaign, f"{self.prefix}chargeback:{reference}")

    def is_known(self, campaign: uuid.UUID, id: uuid.UUID, amount: int) -> bool:
        """Whether a refund has been asked for before. Raises `Conflict` (`key.reused`) if it was another one."""
        known = self.find(campaign, id)
        if known is not None and known.amount != amount:
            raise Conflict(
                "key.reused", Text("This key was used for another refund.", "这个幂等键已用于另一笔退款。"), field="key"
            )
        return known is not None

    def send(self, campaign: uuid.UUID, id: uuid.UUID) -> None:
        """Ask the provider to pay a refund. What it knows at once is taken in; else its callback will tell.

        The refund's id is the provider's idempotency key, so asking twice pays once.
        """
        found = existing(self.find(campaign, id))
        if found.standing is not Standing.UNDER_WAY:
            return
        back = Back(id, campaign, found.of, found.goes_back, found.asset.code, found.payment)
        answer = provider(found.channel).refund(back)
        if answer is not None:
            with transaction.atomic(), connection.cursor() as cursor:
                line.lock(cursor, campaign)
                self.conclude(cursor, campaign, id, End.DONE if answer else End.FAILED, clock.now())

    def judge(self, callback: Callback) -> Outcome:
        """What a report of a refund or a chargeback comes to."""
        paid = self.payment(callback.book, callback.gift)
        if paid is None or paid.channel != callback.provider:
            return Outcome.UNKNOWN
        if callback.asset != paid.asset:
            return Outcome.DIFFERS
        if callback.kind is Kind.CHARGEBACK:
            earlier = [each for each in self.of(callback.book, callback.gift) if each.cause is Cause.CHARGEBACK]
            known = self.find(callback.book, self.chargeback_id(callback.book, callback.reference))
            return rules.dispute(
                callback.amount,
                paid.whole - sum(each.amount for each in earlier),
                lost=callback.succeeded,
                known=known.amount if known else None,
                won=known is not None and known.standing is Standing.WON,
            )
        back = self.find(callback.book, callback.refund) if callback.refund else None
        if back is None or (back.of, back.cause) != (callback.gift, Cause.REFUND):
            return Outcome.UNKNOWN
        if back.goes_back != callback.amount:
            return Outcome.DIFFERS
        try:
            end = rules.conclude(back.ends, End.DONE if callback.succeeded else End.FAILED)
        except Conflict:
            return Outcome.DIFFERS
        if end is None:
            return Outcome.KNOWN
        return Outcome.REFUNDED if callback.succeeded else Outcome.REFUND_FAILED

    def conclude(self, cursor: Cursor, campaign: uuid.UUID, id: uuid.UUID, reported: End, now: datetime) -> None:
        """A refund ends: the money has left, or is where it was; or it comes back later and is owed."""
        found = existing(self.find(campaign, id))
        end = rules.conclude(found.ends, reported)
        if end is None:
            return
        if end is End.BOUNCED:
            asset = found.asset.code
            owed = books.owed(campaign, asset)
            open_accounts(cursor, [owed])
            legs = books.move(books.provider(campaign, asset, found.channel), owed, found.goes_back)
            post(cursor, [Transfer(campaign, f"bounced {id}", request_hash(str(id)), "giving.bounce", legs, now)])
        else:
            resolve(cursor, campaign, found.transfer, "post" if end is End.DONE else "void", now)
        self.end(cursor, campaign, id, end, now)

    def let_go(self, cursor: Cursor, campaign: uuid.UUID, what: uuid.UUID, now: datetime) -> None:
        """What is held for refunds of one gift or card is where it was: a chargeback takes it first."""
        for each in self.of(campaign, what):
            if each.standing is Standing.UNDER_WAY:
                self.conclude(cursor, campaign, each.id, End.FAILED, now)

    def end(self, cursor: Cursor, campaign: uuid.UUID, id: uuid.UUID, end: End, now: datetime) -> None:
        """A return has ended, and what follows from that."""
        self.ends.write(cursor, campaign, id, end, now)
        if end is End.DONE:
            self.gone(cursor, existing(self.find(campaign, id)), now)
