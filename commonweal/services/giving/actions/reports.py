"""What providers report of money that goes back: refunds and chargebacks, of gifts and of gift cards."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving.actions import callbacks, card_chargebacks, chargebacks, twice
from commonweal.services.giving.actions.card_returns import CARDS
from commonweal.services.giving.actions.return_steps import Returns
from commonweal.services.giving.actions.returns import GIFTS
from commonweal.services.giving.payment import Callback
from commonweal.services.giving.payment.port import NOBODY
from commonweal.services.giving.queries import cards
from commonweal.services.giving.queries import twice as twice_queries
from commonweal.services.giving.queries.reconciliation import paid_as
from commonweal.services.giving.queries.returns import R
from commonweal.services.giving.rules.gifts import Outcome
from commonweal.services.giving.rules.returns import End

BookLoss = Callable[[Cursor, uuid.UUID, uuid.UUID, int, str, datetime], object]
"""Book, in the book of a gift or card, that so much was charged back under this reference."""
BookWin = Callable[[Cursor, uuid.UUID, uuid.UUID, str, datetime], object]
"""Book that the chargeback of this reference was won."""
ENDS = {Outcome.REFUNDED: End.DONE, Outcome.REFUND_FAILED: End.FAILED}


def take_in(callback: Callback) -> Outcome:
    """Take in what a provider reports of a refund or a chargeback, once. What contradicts the books moves nothing."""
    callback = _named(callback)
    if callback.refund and callback.succeeded and (paid_twice := twice_queries.find(callback.book, callback.refund)):
        said = callback.provider, callback.amount, callback.asset
        if said == (paid_twice.provider, paid_twice.amount, paid_twice.asset):
            return Outcome.REFUNDED if twice.conclude(callback.book, callback.refund) else Outcome.KNOWN
    if cards.find(callback.book, callback.gift):
        return _take_in(callback, CARDS, card_chargebacks.charge_back, card_chargebacks.win)
    return _take_in(callback, GIFTS, chargebacks.charge_back, chargebacks.win)


def _take_in(callback: Callback, returns: Returns[R], charge_back: BookLoss, win: BookWin) -> Outcome:
    now, campaign, what = clock.now(), callback.book, callback.gift
    with transaction.atomic(), connection.cursor() as cursor:
        returns.lock(cursor, campaign, what)
        outcome = returns.judge(callback)
        if not callbacks.keep(cursor, callback, outcome, now):
            return Outcome.KNOWN
        if outcome is Outcome.CHARGED_BACK:
            charge_back(cursor, campaign, what, callback.amount, callback.reference, now)
        elif outcome is Outcome.CHARGEBACK_WON:
            win(cursor, campaign, what, callback.reference, now)
        elif outcome in ENDS and callback.refund:
            returns.conclude(cursor, campaign, callback.refund, ENDS[outcome], now)
    return outcome


def _named(callback: Callback) -> Callback:
    """The callback with the gift or card that it is about: some providers name their payment alone."""
    if callback.gift == NOBODY and (found := paid_as(callback.provider, callback.payment)):
        return replace(callback, book=found[0], gift=found[1])
    return callback
