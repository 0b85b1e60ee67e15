"""Matching by companies: funding a pool, reserving at the gift, posting with the payment, taking back with a return.

A pool is one account of its campaign's book: a single stripe with floor 0, so no two gifts get the same fen.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from fractions import Fraction

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.ids import derived, uuid7
from commonweal.kernel.ledger import Transfer, open_accounts, post, request_hash, resolve
from commonweal.kernel.ledger.books import check_key
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.quantity import check_amount
from commonweal.services.giving.actions import books
from commonweal.services.giving.queries.campaigns import taking, unknown
from commonweal.services.giving.rules import matches as rules
from commonweal.services.giving.rules.gifts import COLLECTED, PAY_WITHIN, Give
from commonweal.services.giving.rules.matches import Promise

DAYS = timezone(timedelta(hours=8))
"""Where a day of a cap begins, as in the engine's pools."""


def fund(officer: Party, campaign: uuid.UUID, promise: Promise, amount: int, key: str) -> uuid.UUID:
    """Enter a pool whose money the campaign's charity has received from the company; the same key is the same pool.

    Raises `NotFound` (`campaign.unknown`), `NotAllowed` unless an officer of the charity asks, `KeyReused`, `Invalid`
    for the amount and what `rules.matches.check` raises.
    """
    now = clock.now()
    found = taking([campaign], now).get(campaign)
    if found is None:
        raise unknown()
    people.require_role(officer, people.OFFICER, Party(id=found.organisation))
    rules.check(promise)
    check_amount(amount, found.asset)
    id, asset, rate = derived(campaign, f"pool:{check_key(key)}"), found.asset.code, promise.rate
    caps = [promise.gift_cap, promise.day_cap]
    asked = [str(promise.company), str(rate), *caps, amount, str(promise.opens_at), str(promise.closes_at)]
    with transaction.atomic(), connection.cursor() as cursor:
        account = books.pool(campaign, asset, id)
        open_accounts(cursor, [account])
        legs = books.move(books.provider(campaign, asset, COLLECTED), account, amount)
        transfer = Transfer(campaign, f"pool {id}", request_hash("pool", *asked), "giving.pool", legs, now)
        if post(cursor, [transfer])[0].existed:
            return id
        fields = {"campaign": str(campaign), "pool": str(id), "company": str(promise.company), "amount": amount}
        fact = Fact("giving.pool", now, fields | {"asset": asset, "rate": str(rate)})
        cursor.execute(
            """
            INSERT INTO giving_pool (book, id, company, numerator, denominator, gift_cap, day_cap, opens_at, closes_at,
                                     fact, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [campaign, id, promise.company, rate.numerator, rate.denominator, *caps, promise.opens_at,
             promise.closes_at, fact.id, now],
        )  # fmt: skip
        append(cursor, fact)
    return id


def reserve(cursor: Cursor, given: Sequence[tuple[Give, uuid.UUID]], now: datetime) -> None:
    """Reserve the matches of new gifts, in their order; for what is collected, post them at once."""
    campaigns = {wish.campaign for wish, _ in given if wish.giver}
    if not campaigns:
        return
    cursor.execute(
        """
        SELECT p.book, p.id, p.company, p.numerator, p.denominator, p.gift_cap, p.day_cap, p.opens_at, p.closes_at
        FROM giving_pool p WHERE p.book = ANY(%s) AND p.opens_at <= %s AND %s < p.closes_at
        ORDER BY p.book, p.id FOR UPDATE
        """,
        [list(campaigns), now, now],
    )
    pools = cursor.fetchall()
    for wish, gift in given if pools else ():
        for book, pool, company, numerator, denominator, *rest in pools:
            if book == wish.campaign:
                promise = Promise(company, Fraction(numerator, denominator), *rest)
                _reserve(cursor, wish, gift, pool, promise, now)


def settle(cursor: Cursor, wish: Give, gift: uuid.UUID, now: datetime) -> None:
    """The gift is paid: its reservations become gifts of their companies.

    One that is over is gone, for money that comes late: others may have got what it had held of the pool.
    """
    cursor.execute(
        """
        SELECT m.matching, m.amount, EXISTS (
            SELECT FROM ledger_transfer r WHERE r.book = m.book AND r.resolves = m.matching) AS over, t.expires
        FROM giving_match m JOIN ledger_transfer t ON t.book = m.book AND t.id = m.matching
        WHERE m.book = %s AND m.gift = %s
        """,
        [wish.campaign, gift],
    )
    found = cursor.fetchall()
    for matching, amount, over, expires in found:
        if over or expires <= now:
            if not over:
                resolve(cursor, wish.campaign, matching, "void", now)
        else:
            _pay(cursor, wish, matching, amount, resolve(cursor, wish.campaign, matching, "post", now).id, now)


def _reserve(cursor: Cursor, wish: Give, gift: uuid.UUID, pool: uuid.UUID, promise: Promise, now: datetime) -> None:
    account, day = books.pool(wish.campaign, wish.asset, pool), now.astimezone(DAYS).date()
    cursor.execute(
        """
        SELECT coalesce(-sum(posted + pending_debit), 0)::bigint,
               (SELECT coalesce(sum(m.amount), 0)::bigint FROM giving_match m
                WHERE m.book = %(book)s AND m.pool = %(pool)s AND m.giver = %(giver)s AND m.day = %(day)s
                  AND NOT EXISTS (SELECT FROM ledger_transfer r
                                  WHERE r.book = m.book AND r.resolves = m.matching AND r.phase = 'void'))
        FROM ledger_balance WHERE book = %(book)s AND account = %(account)s
        """,
        {"book": wish.campaign, "pool": pool, "giver": wish.giver, "day": day, "account": account.id},
    )
    left, of_day = cursor.fetchone()
    amount = rules.reserve(promise, wish.giver, wish.amount, now, of_day, left)
    if not amount:
        return
    transfer = Transfer(
        book=wish.campaign,
        key=f"match {derived(gift, str(pool))}",
        request=request_hash("match", str(gift), str(pool)),
        kind="giving.match",
        legs=books.move(account, books.received(wish.campaign, wish.asset), amount),
        at=now,
        phase="posted" if wish.collected else "pending",
        expires=None if wish.collected else now + PAY_WITHIN,
        id=uuid7(),
    )
    post(cursor, [transfer])
    cursor.execute(
        "INSERT INTO giving_gift (book, id, giver, amount, channel, at) VALUES (%s, %s, %s, %s, %s, %s)",
        [wish.campaign, transfer.id, promise.company, amount, rules.CHANNEL, now],
    )
    cursor.execute(
        "INSERT INTO giving_match (book, gift, matching, pool, giver, day, amount) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [wish.campaign, gift, transfer.id, pool, wish.giver, day, amount],
    )
    if wish.collected:
        _pay(cursor, wish, transfer.id, amount, transfer.id, now)


def _pay(cursor: Cursor, wish: Give, matching: uuid.UUID, amount: int, transfer: uuid.UUID, now: datetime) -> None:
    fields = {"campaign": str(wish.campaign), "gift": str(matching), "amount": amount, "asset": wish.asset}
    fact = Fact("giving.match", now, fields)
    cursor.execute(
        "INSERT INTO giving_payment (book, gift, amount, transfer, fact, reference, at) VALUES (%s,%s,%s,%s,%s,'',%s)",
        [wish.campaign, matching, amount, transfer, fact.id, now],
    )
    append(cursor, fact)
