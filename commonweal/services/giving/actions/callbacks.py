"""Keeping what providers call back: each callback once, also what fits nothing."""

from __future__ import annotations

from datetime import datetime

from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving.payment import Callback
from commonweal.services.giving.payment.port import NOBODY
from commonweal.services.giving.rules.gifts import Outcome


def keep(cursor: Cursor, callback: Callback, outcome: Outcome, now: datetime) -> bool:
    """Write a callback down; False if its nonce is known, so that it is a repetition."""
    cursor.execute(
        """
        INSERT INTO giving_callback (book, provider, nonce, gift, amount, asset, reference, outcome, at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING true
        """,
        [
            NOBODY if outcome is Outcome.UNKNOWN else callback.book,
            callback.provider,
            callback.nonce,
            callback.gift,
            callback.amount,
            callback.asset,
            callback.reference,
            outcome,
            now,
        ],
    )
    return cursor.fetchone() is not None
