"""Refunds of gifts: held at once, and gone when their provider says so."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger import balance
from commonweal.kernel.ledger.books import check_key
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving.actions import books, card_backs, holes, line
from commonweal.services.giving.actions.claw_backs import claw_back
from commonweal.services.giving.actions.return_steps import Payment, Returns, check_who
from commonweal.services.giving.payment import provider
from commonweal.services.giving.queries import card_returns, gifts
from commonweal.services.giving.queries import returns as queries
from commonweal.services.giving.rules import cards, fees, texts
from commonweal.services.giving.rules import returns as rules
from commonweal.services.giving.rules.fees import Payee
from commonweal.services.giving.rules.gifts import COLLECTED
from commonweal.services.giving.rules.returns import Cause, End


def _payment(campaign: uuid.UUID, gift: uuid.UUID) -> Payment | None:
    found = gifts.find(campaign, gift)
    return Payment(found.channel, found.asset.code, found.whole) if found and found.fact else None


def _lock(cursor: Cursor, campaign: uuid.UUID, gift: uuid.UUID) -> None:
    line.lock(cursor, campaign)


def _gone(cursor: Cursor, found: queries.GiftReturn, now: datetime) -> None:
    holes.draw(cursor, found.campaign, found.id)
    claw_back(cursor, found.campaign, found.gift, now)


GIFTS = Returns("", holes.ENDS, queries.find, queries.of_gift, _payment, _lock, _gone)
"""What goes back of gifts."""
send = GIFTS.send


def refund(who: Party, campaign: uuid.UUID, gift: uuid.UUID, amount: int, reason: str, key: str) -> uuid.UUID:
    """Give back what is left of a gift, or part of it; the same key again is the same refund.

    The money is held at once and leaves when the provider says so. What the charity itself had collected, it pays back
    itself, so that is done; what was given of a card is on the card again. Raises `NotFound` (`gift.unknown`),
    `NotAllowed` (`refund.not-yours`) unless a steward or the charity asks, `Invalid` for the reason, and what
    `rules.returns.refund` and `rules.cards.check_gift_refund` raise.
    """
    check_who(who, campaign)
    reason = texts.check(reason, "reason", 400)
    id, now = GIFTS.refund_id(campaign, gift, check_key(key)), clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        use = card_returns.use_of(campaign, gift)
        for book in sorted({campaign, use.campaign} if use else {campaign}):
            line.lock(cursor, book)
        paid = holes.paid(cursor, campaign, gift)
        if GIFTS.is_known(campaign, id, amount):
            return id
        earlier, done = queries.of_gift(campaign, gift), paid.channel == COLLECTED
        rules.check_amount(amount, paid.whole, queries.returned(earlier))
        cards.check_gift_refund(rest=use is not None and use.rest)
        shares = fees.shares(paid.parts, queries.gone(earlier), amount)
        spans = rules.refund(holes.there(cursor, paid), shares[Payee.CAMPAIGN])
        host, earned = shares[Payee.HOST] + shares[Payee.TIP], books.host(campaign, paid.asset)
        if host:
            rules.check_parts({"host": host}, {"host": balance(cursor, earned)})
        out = shares[Payee.CAMPAIGN] + host  # the processor gives its own part back itself, or keeps it
        rules.check_amount(out, paid.whole, 0)
        legs = books.debits((books.fund(campaign, paid.asset), shares[Payee.CAMPAIGN]), (earned, host))
        if done:
            legs += books.out(cursor, campaign, paid.asset, out)
        else:
            legs += books.credits((books.provider(campaign, paid.asset, paid.channel), out))
        kept = 0 if _returns_fee(paid.channel) else shares[Payee.PROCESSOR]
        hole = holes.Hole(id, Cause.REFUND, amount, legs, spans, shares, kept=kept, reason=reason, asked_by=who.id)
        holes.keep(cursor, paid, hole, now, pending=not done)
        if done:
            GIFTS.end(cursor, campaign, id, End.DONE, now)
            if use:
                card_backs.put_back(cursor, use, paid.asset, id, amount, now)
        else:
            enqueue("giving.refund", campaign=str(campaign), id=str(id))
    return id


def _returns_fee(channel: str) -> bool:
    """Whether a provider gives its fee back with a refund."""
    return channel == COLLECTED or provider(channel).returns_fee
