"""Keeping what providers call back: each callback once, also what fits nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from commonweal.kernel.arrays import array, ids, texts
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving.payment import Callback
from commonweal.services.giving.payment.port import NOBODY
from commonweal.services.giving.rules.gifts import Outcome

CALLED_EVERY = timedelta(hours=1)
"""Stewards are called about payments that do not match at most so often: the list has them all."""


def keep(cursor: Cursor, callback: Callback, outcome: Outcome, now: datetime) -> bool:
    """Write a callback down; False if its nonce is known, so that it is a repetition."""
    return keep_each(cursor, [(callback, outcome)], now)[0]


def keep_each(cursor: Cursor, judged: Sequence[tuple[Callback, Outcome]], now: datetime) -> list[bool]:
    """The same for many; of two with one nonce the second is the repetition."""
    _call(cursor, {outcome for _, outcome in judged}, now)
    books = [NOBODY if outcome is Outcome.UNKNOWN else callback.book for callback, outcome in judged]
    cursor.execute(
        """
        INSERT INTO giving_callback (book, provider, nonce, gift, amount, asset, reference, outcome, at)
        SELECT book, provider, nonce, gift, amount, asset, reference, outcome, %(now)s
        FROM unnest(%(book)s::uuid[], %(provider)s::text[], %(nonce)s::text[], %(gift)s::uuid[], %(amount)s::bigint[],
                    %(asset)s::text[], %(reference)s::text[], %(outcome)s::text[]) WITH ORDINALITY
            AS said (book, provider, nonce, gift, amount, asset, reference, outcome, n)
        ORDER BY book, provider, nonce, n ON CONFLICT DO NOTHING RETURNING book, provider, nonce
        """,
        {
            "book": ids(books),
            "provider": texts(callback.provider for callback, _ in judged),
            "nonce": texts(callback.nonce for callback, _ in judged),
            "gift": ids(callback.gift for callback, _ in judged),
            "amount": array(callback.amount for callback, _ in judged),
            "asset": texts(callback.asset for callback, _ in judged),
            "reference": texts(callback.reference for callback, _ in judged),
            "outcome": texts(outcome for _, outcome in judged),
            "now": now,
        },
    )
    fresh = set(cursor.fetchall())
    kept = []
    for book, (callback, _) in zip(books, judged, strict=True):
        key = book, callback.provider, callback.nonce
        kept.append(key in fresh)
        fresh.discard(key)
    return kept


def _call(cursor: Cursor, outcomes: Collection[Outcome], now: datetime) -> None:
    """Have the stewards called when something comes that fits no promise, unless that has been so within the hour."""
    if Outcome.UNKNOWN not in outcomes and Outcome.DIFFERS not in outcomes:
        return
    cursor.execute(
        "SELECT FROM giving_callback WHERE outcome IN ('unknown', 'differs') AND at > %s LIMIT 1", [now - CALLED_EVERY]
    )
    if cursor.fetchone() is None:
        enqueue("giving.call_about_payments")
