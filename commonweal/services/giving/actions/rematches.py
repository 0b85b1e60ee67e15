"""Matches that stand again, because the chargeback for which they had been taken back was won."""

from __future__ import annotations

import uuid
from datetime import datetime

from commonweal.kernel.ids import derived
from commonweal.kernel.ledger import Transfer, balance, post, request_hash
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.services.giving.actions import books
from commonweal.services.giving.matching import clawed_back
from commonweal.services.giving.rules.gifts import COLLECTED
from commonweal.services.giving.rules.matches import CHANNEL, restored


def restore(
    cursor: Cursor, campaign: uuid.UUID, gift: uuid.UUID, won: uuid.UUID, again: uuid.UUID | None, now: datetime
) -> None:
    """Match `again`, the payment that a won chargeback has made for `gift`, with what had been taken back.

    `won` is the chargeback. What the pool has no money for is stated, and so is all of it where there is no such
    payment, because everything that was lost had been spent before.
    """
    cursor.execute(
        """
        SELECT m.matching, m.pool_book, m.pool, p.company, c.asset, own.at, m.amount, m.counted,
               least(m.counted, greatest(0, m.counted - g.amount + (
                   SELECT coalesce(sum(r.amount - r.tip), 0) FROM giving_return r
                   WHERE r.book = m.book AND r.gift = m.gift
                     AND EXISTS (SELECT FROM giving_return_end e
                                 WHERE e.book = r.book AND e.id = r.id AND e.outcome = 'done')
                     AND NOT EXISTS (SELECT FROM giving_return_end e
                                     WHERE e.book = r.book AND e.id = r.id AND e.outcome = 'won'))))::bigint,
               (SELECT coalesce(sum(r.amount), 0)::bigint FROM giving_return r
                WHERE r.book = m.book AND r.gift = m.matching AND r.cause = 'claw-back'),
               (SELECT coalesce(sum(a.amount + a.short), 0)::bigint FROM giving_match_again a
                WHERE a.book = m.book AND a.matching = m.matching),
               (SELECT coalesce(sum(n.amount), 0)::bigint FROM giving_payment n WHERE n.book = m.book AND n.gift = %s)
        FROM giving_match m
        JOIN giving_gift g ON g.book = m.book AND g.id = m.gift
        JOIN giving_gift own ON own.book = m.book AND own.id = m.matching
        JOIN giving_pool p ON p.book = m.pool_book AND p.id = m.pool
        JOIN giving_campaign c ON c.id = m.book
        WHERE m.book = %s AND m.gift = %s ORDER BY m.matching
        """,
        [again, campaign, gift],
    )
    for matching, pool_book, pool, company, asset, at, *sums in cursor.fetchall():
        amount, counted, returned, taken, said, whole = sums
        wish = taken - said - clawed_back(amount, counted, returned)
        if wish < 1:
            continue
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"giving:pool:{pool}"])
        there = restored(wish, balance(cursor, books.pool(pool_book, asset, pool))) if again else 0
        id = None
        if there and again:
            id = derived(matching, f"again:{won}")
            _pay(cursor, campaign, pool_book, pool, asset, id, there, now)
            _keep(cursor, campaign, asset, company, at, id, there, now)
            cursor.execute(
                """
                INSERT INTO giving_match (book, gift, matching, pool_book, pool, amount, counted)
                VALUES (%s, %s, %s, %s, %s, %s, %s)
                """,
                [campaign, again, id, pool_book, pool, there, whole],
            )
        cursor.execute(
            """
            INSERT INTO giving_match_again (book, matching, of_return, again, amount, short, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            """,
            [campaign, matching, won, id, there, wish - there, now],
        )


def _pay(
    cursor: Cursor, campaign: uuid.UUID, pool_book: uuid.UUID, pool: uuid.UUID, asset: str, id: uuid.UUID, amount: int,
    now: datetime,
) -> None:  # fmt: skip
    """Out of the pool, as a settlement pays: from another book it comes as collected."""
    source, request = books.pool(pool_book, asset, pool), request_hash("match again", str(id))
    if pool_book != campaign:
        legs = books.move(source, books.provider(pool_book, asset, COLLECTED), amount)
        post(cursor, [Transfer(pool_book, f"pass again {id}", request, "giving.pass", legs, now)])
        source = books.provider(campaign, asset, COLLECTED)
    legs = books.move(source, books.received(campaign, asset), amount)
    post(cursor, [Transfer(campaign, f"match again {id}", request, "giving.match", legs, now, id=id)])


def _keep(
    cursor: Cursor, campaign: uuid.UUID, asset: str, company: uuid.UUID, at: datetime, id: uuid.UUID, amount: int,
    now: datetime,
) -> None:  # fmt: skip
    """The company's gift and its payment: the host has had its share of it already."""
    fact = Fact("giving.match", now, {"campaign": str(campaign), "gift": str(id), "amount": amount, "asset": asset})
    cursor.execute(
        """
        WITH gift AS (
            INSERT INTO giving_gift (book, id, giver, amount, channel, at)
            VALUES (%(book)s, %(id)s, %(company)s, %(amount)s, %(channel)s, %(at)s)
        )
        INSERT INTO giving_payment (book, gift, amount, transfer, fact, reference, at)
        VALUES (%(book)s, %(id)s, %(amount)s, %(id)s, %(fact)s, %(won)s, %(now)s)
        """,
        {"book": campaign, "id": id, "company": company, "amount": amount, "channel": CHANNEL, "at": at,
         "fact": fact.id, "won": books.WON, "now": now},
    )  # fmt: skip
    append(cursor, fact)
