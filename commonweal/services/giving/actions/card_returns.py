"""Refunds of gift cards: what one still holds, held at once, and gone when its provider says so.

Whoever asks first what is left takes it under the lock of the card's book.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger import Leg, Transfer, post, request_hash
from commonweal.kernel.ledger.books import Phase, check_key
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving.actions import books, line
from commonweal.services.giving.actions.return_steps import Ends, Payment, Returns, check_who
from commonweal.services.giving.queries import card_returns as queries
from commonweal.services.giving.queries import cards
from commonweal.services.giving.rules import cards as rules
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.returns import Cause


def _payment(campaign: uuid.UUID, card: uuid.UUID) -> Payment | None:
    found = cards.find(campaign, card)
    return Payment(found.channel, found.asset.code, found.amount) if found and found.paid else None


def _lock(cursor: Cursor, campaign: uuid.UUID, card: uuid.UUID) -> None:
    """The books of a card and of the gifts made with it, always in the same order."""
    for book in sorted({campaign, *(use.target for use in queries.uses(campaign, card))}):
        line.lock(cursor, book)


def _gone(cursor: Cursor, found: queries.CardReturn, now: datetime) -> None:
    """Nothing more: the card holds less, and that follows from its returns."""


CARDS = Returns(
    "card ", Ends("giving_card_return_end", "giving.tell_card_returned"), queries.find, queries.of_card, _payment,
    _lock, _gone,
)  # fmt: skip
"""What goes back of gift cards."""
send = CARDS.send


def refund(who: Party, campaign: uuid.UUID, id: uuid.UUID, amount: int, reason: str, key: str) -> uuid.UUID:
    """Give back what a card still holds, or part of it, to who has paid for it; the same key again is the same refund.

    Raises `NotFound` (`card.unknown`), `NotAllowed` (`refund.not-yours`) unless a steward or the charity asks,
    `Invalid` for the reason, and what `rules.cards.check_refund` raises.
    """
    check_who(who, campaign)
    reason = texts.check(reason, "reason", 400)
    refund, now = CARDS.refund_id(campaign, id, check_key(key)), clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        line.lock(cursor, campaign)
        card = cards.find(campaign, id)
        if card is None or not card.paid:
            raise rules.unknown()
        if CARDS.is_known(campaign, refund, amount):
            return refund
        rules.check_refund(amount, card.left)
        asset = card.asset.code
        legs = books.move(books.cards(campaign, asset), books.provider(campaign, asset, card.channel), amount)
        parts = rules.Parts(amount, (), 0)
        keep(cursor, card, refund, Cause.REFUND, parts, legs, now, reason=reason, by=who.id)
        enqueue("giving.card_refund", campaign=str(campaign), id=str(refund))
    return refund


def keep(
    cursor: Cursor, card: cards.Card, id: uuid.UUID, cause: Cause, parts: rules.Parts, legs: tuple[Leg, ...],
    now: datetime, *, reference: str = "", reason: str = "", by: uuid.UUID | None = None,
) -> None:  # fmt: skip
    """Move what goes back of a card and write it down; a refund is pending until its provider has said how it ended."""
    request, key = request_hash(cause, str(card.id), parts.amount), f"card {cause} {id}"
    phase: Phase = "pending" if cause is Cause.REFUND else "posted"
    transfer = Transfer(card.campaign, key, request, f"giving.{cause}", legs, now, phase)
    post(cursor, [transfer])
    fields = {"campaign": str(card.campaign), "card": str(card.id), "amount": parts.amount, "asset": card.asset.code}
    taken = {"from_card": parts.from_card, "from_gifts": sum(parts.from_gifts), "borne": parts.borne}
    fact = Fact(f"giving.{cause}", now, fields | taken | {"return": str(id)})
    cursor.execute(
        """
        INSERT INTO giving_card_return (book, id, card, cause, amount, from_card, from_gifts, borne, reference, reason,
                                        asked_by, transfer, fact, at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [card.campaign, id, card.id, cause, parts.amount, parts.from_card, sum(parts.from_gifts), parts.borne,
         reference, reason, by, transfer.id, fact.id, now],
    )  # fmt: skip
    append(cursor, fact)
