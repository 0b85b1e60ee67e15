"""Matching by companies: funding a pool, and what gifts hold of a first-come one until it is settled.

A pool is one account of its campaign's book: a single stripe with floor 0, so no two gifts get the same fen. What a
gift holds is a pending transfer; the sum of them never exceeds the slices that have begun (trigger).
"""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta, timezone

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Invalid
from commonweal.kernel.ids import derived
from commonweal.kernel.ledger import Transfer, open_accounts, post, request_hash, resolve_each
from commonweal.kernel.ledger.books import check_key
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.quantity import Asset, check_amount
from commonweal.kernel.text import Text
from commonweal.services.giving import matching
from commonweal.services.giving.actions import books
from commonweal.services.giving.matching import pool_file
from commonweal.services.giving.queries import pools as queries
from commonweal.services.giving.queries.campaigns import Taking, taking, unknown
from commonweal.services.giving.rules import matches as rules
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.rules.matches import Promise

DAYS = timezone(timedelta(hours=8))
"""Where a day of a cap begins, as in the engine's pools."""


def fund(officer: Party, promise: Promise, key: str) -> uuid.UUID:
    """Enter a pool whose money the charity has received from the company; the same key is the same pool.

    Raises `NotFound` (`campaign.unknown`), `NotAllowed` unless an officer of the charity asks, `KeyReused`, `Invalid`
    for the amount, the rules of the pool (`pool.*`, `scheme.*`) and campaigns of another charity (`pool.campaigns`),
    and `Conflict` with `pool.opens-in-the-past`.
    """
    now, book = clock.now(), promise.campaigns[0]
    asset = _check(officer, promise, now)
    id = derived(book, f"pool:{check_key(key)}")
    secret = secrets.token_bytes(32)
    pool = matching.Pool(
        name=str(id),
        scheme=promise.scheme,
        slices=promise.slices,
        caps=promise.caps,
        asset=asset.code,
        exponent=asset.exponent,
        review_days=promise.review_days,
        commitment=hashlib.sha256(queries.seed_of(secret)).digest() if promise.scheme.seeded else None,
    )
    promise.scheme.begin(pool)
    check_amount(pool.amount, asset)
    written = pool_file.write_rules(pool)
    stated = {name: value for name, value in written.items() if name != "seed"}
    with transaction.atomic(), connection.cursor() as cursor:
        account = books.pool(book, asset.code, id)
        open_accounts(cursor, [account])
        legs = books.move(books.provider(book, asset.code, COLLECTED), account, pool.amount)
        asked = request_hash("pool", str(promise.company), [str(each) for each in promise.campaigns], stated)
        if post(cursor, [Transfer(book, f"pool {id}", asked, "giving.pool", legs, now)])[0].existed:
            return id
        matching.check_opening(pool, now)
        fields = {"campaign": str(book), "pool": str(id), "company": str(promise.company), "amount": pool.amount}
        fact = Fact("giving.pool", now, fields | {"asset": asset.code, "rules": written})
        cursor.execute(
            """
            INSERT INTO giving_pool (book, id, company, campaigns, rules, secret, opens_at, closes_at, fact, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [book, id, promise.company, list(promise.campaigns), json.dumps(written), secret, pool.opens, pool.closes,
             fact.id, now],
        )  # fmt: skip
        append(cursor, fact)
    return id


def _check(officer: Party, promise: Promise, now: datetime) -> Asset:
    """The asset of the pool's campaigns, all of one charity for which the officer acts."""
    found = taking(promise.campaigns, now)
    if not promise.campaigns or found.keys() != set(promise.campaigns):
        raise unknown()
    home = found[promise.campaigns[0]]
    people.require_role(officer, people.OFFICER, Party(id=home.organisation))
    rules.check(promise)
    if len(found) < len(promise.campaigns) or any(_apart(home, other) for other in found.values()):
        raise Invalid(
            "pool.campaigns",
            Text(
                "A pool is for campaigns of one charity, each of them once.", "配捐只能用于同一机构的项目，且不得重复。"
            ),
            field="campaigns",
        )
    return home.asset


def _apart(home: Taking, other: Taking) -> bool:
    return (home.organisation, home.asset) != (other.organisation, other.asset)


def reserve(cursor: Cursor, given: Sequence[tuple[Give, uuid.UUID]], now: datetime) -> None:
    """Let new gifts hold their match in first-come pools, in their order. A box and the company itself hold none."""
    campaigns = {wish.campaign for wish, _ in given if wish.giver}
    if not campaigns:
        return
    cursor.execute(
        """
        SELECT book, id, company, rules FROM giving_pool
        WHERE book = ANY(%s) AND opens_at <= %s AND %s < closes_at ORDER BY book, id FOR UPDATE
        """,
        [list(campaigns), now, now],
    )
    for book, id, company, written in cursor.fetchall():
        pool = pool_file.read_rules(_json(written))
        mine = [(wish, gift) for wish, gift in given if wish.campaign == book and wish.giver not in (None, company)]
        if mine and rules.holds_at_once(pool.scheme):
            _hold(cursor, book, id, pool, mine, now)


def _hold(
    cursor: Cursor, book: uuid.UUID, id: uuid.UUID, pool: matching.Pool, given: Sequence[tuple[Give, uuid.UUID]],
    now: datetime,
) -> None:  # fmt: skip
    account, day = books.pool(book, pool.asset, id), now.astimezone(DAYS).date()
    cursor.execute(
        """
        SELECT coalesce(sum(pending_debit), 0)::bigint, -coalesce(sum(posted + pending_debit), 0)::bigint
        FROM ledger_balance WHERE book = %s AND account = %s
        """,
        [book, account.id],
    )
    held, free = cursor.fetchone()
    of_day = _of_day(cursor, book, id, [wish.giver for wish, _ in given if wish.giver], day)
    team_of = queries.team_sizes(book, [gift for _, gift in given])
    kept: list[tuple[Transfer, uuid.UUID, uuid.UUID, int]] = []
    for wish, gift in given:
        assert wish.giver is not None
        asked = matching.Gift(str(gift), now, str(wish.giver), str(book), "", wish.amount)
        amount = min(free, rules.hold(pool, asked, team_of.get(gift, 0), held, of_day.get(wish.giver, 0)))
        if not amount:
            continue
        held, free = held + amount, free - amount
        of_day[wish.giver] = of_day.get(wish.giver, 0) + amount
        transfer = Transfer(
            book=book,
            key=f"hold {derived(gift, str(id))}",
            request=request_hash("hold", str(gift), str(id)),
            kind="giving.hold",
            legs=books.move(account, books.received(book, pool.asset), amount),
            at=now,
            phase="pending",
        )
        kept.append((transfer, gift, wish.giver, amount))
    post(cursor, [transfer for transfer, *_ in kept])
    if kept:
        cursor.execute(
            """
            INSERT INTO giving_reservation (book, transfer, gift, pool, giver, day, amount)
            SELECT %s, r.transfer, r.gift, %s, r.giver, %s, r.amount
            FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[]) AS r (transfer, gift, giver, amount)
            """,
            [book, id, day, [transfer.id for transfer, *_ in kept], [gift for _, gift, _, _ in kept],
             [giver for _, _, giver, _ in kept], [amount for *_, amount in kept]],
        )  # fmt: skip


def _of_day(
    cursor: Cursor, book: uuid.UUID, pool: uuid.UUID, givers: Collection[uuid.UUID], day: date
) -> dict[uuid.UUID, int]:
    cursor.execute(
        """
        SELECT r.giver, sum(r.amount)::bigint FROM giving_reservation r
        JOIN ledger_open o ON o.book = r.book AND o.id = r.transfer
        WHERE r.book = %s AND r.pool = %s AND r.giver = ANY(%s) AND r.day = %s GROUP BY r.giver
        """,
        [book, pool, list(givers), day],
    )
    return dict(cursor.fetchall())


def release(cursor: Cursor, gifts: Sequence[tuple[uuid.UUID, uuid.UUID]], now: datetime) -> None:
    """Let go what gifts hold whose payment did not come, or that have gone back whole: `(book, gift)`."""
    cursor.execute(
        """
        SELECT r.book, r.transfer FROM unnest(%s::uuid[], %s::uuid[]) AS over (book, gift)
        JOIN giving_reservation r ON r.book = over.book AND r.gift = over.gift
        JOIN ledger_open o ON o.book = r.book AND o.id = r.transfer
        """,
        [[book for book, _ in gifts], [gift for _, gift in gifts]],
    )
    resolve_each(cursor, cursor.fetchall(), "void", now)


def _json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value
