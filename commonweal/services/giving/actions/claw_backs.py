"""Claw-backs: what goes back of a gift takes its part of the matches of that gift back to their pools."""

from __future__ import annotations

import uuid
from datetime import datetime

from commonweal.kernel.ids import derived
from commonweal.kernel.ledger import Transfer, post, request_hash
from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving.actions import books, holes
from commonweal.services.giving.matching import clawed_back
from commonweal.services.giving.rules.gifts import COLLECTED
from commonweal.services.giving.rules.returns import Cause, End, first


def claw_back(cursor: Cursor, campaign: uuid.UUID, gift: uuid.UUID, now: datetime) -> None:
    """Of each match of a gift goes back to its pool what is in proportion to what has gone back of what was matched.

    What of the match is spent already stays spent: the pool has paid for it.
    """
    cursor.execute(
        """
        SELECT m.matching, m.pool_book, m.pool, m.amount, m.counted,
               least(m.counted, greatest(0, m.counted - g.amount + (
                   SELECT coalesce(sum(r.amount - r.tip), 0) FROM giving_return r JOIN giving_return_end e
                   ON e.book = r.book AND e.id = r.id AND e.outcome = 'done'
                   WHERE r.book = m.book AND r.gift = m.gift)))::bigint,
               (SELECT coalesce(sum(r.amount), 0)::bigint FROM giving_return r
                WHERE r.book = m.book AND r.gift = m.matching)
        FROM giving_match m JOIN giving_gift g ON g.book = m.book AND g.id = m.gift
        WHERE m.book = %s AND m.gift = %s ORDER BY m.matching
        """,
        [campaign, gift],
    )
    for matching, pool_book, pool, amount, counted, returned, taken in cursor.fetchall():
        wish = clawed_back(amount, counted, returned) - taken
        if wish < 1:
            continue
        paid = holes.paid(cursor, campaign, matching)
        there = holes.there(cursor, paid)
        back = min(wish, sum(map(len, there)))
        if back < 1:
            continue
        id, target = derived(matching, f"claw-back:{returned}"), books.pool(campaign, paid.asset, pool)
        if pool_book != campaign:
            # As it came: out of this book as collected, into the pool in the other one.
            target = books.provider(campaign, paid.asset, COLLECTED)
            home = books.provider(pool_book, paid.asset, COLLECTED), books.pool(pool_book, paid.asset, pool)
            request = request_hash("return", str(id))
            post(cursor, [Transfer(pool_book, f"return {id}", request, "giving.pass", books.move(*home, back), now)])
        legs = books.move(books.fund(campaign, paid.asset), target, back)
        holes.keep(cursor, paid, holes.Hole(id, Cause.CLAW_BACK, back, legs, first(there, back)), now)
        holes.ENDS.write(cursor, campaign, id, End.DONE, now)
        holes.draw(cursor, campaign, id)
