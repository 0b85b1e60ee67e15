"""Accounts, transfers and their posting. One transfer is a batch of one: there is a single way into the books."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from django.db import IntegrityError
from psycopg import errors as pg

from commonweal.kernel.arrays import array, ids, moments, octets, texts
from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.ids import derived, uuid7
from commonweal.kernel.ledger import neighbours
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.proof.verify import canonical
from commonweal.kernel.quantity import Asset
from commonweal.kernel.text import Text

DEBIT, CREDIT = 1, -1
Phase = Literal["posted", "pending", "post", "void"]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a book. `side` is its normal side; `floor` is the least balance on that side, None for none."""

    book: uuid.UUID
    name: str
    asset: str
    side: int
    floor: int | None = None

    @property
    def id(self) -> uuid.UUID:
        """Known from book and name alone."""
        return derived(self.book, self.name)


@dataclass(frozen=True, slots=True)
class Leg:
    """One posting to come: `amount` in smallest units, a debit if positive, a credit if negative."""

    account: uuid.UUID
    amount: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """A movement between accounts of one book.

    `key` is made by whoever asks, before asking (`check_key`), and is unique in the book. A key that the platform makes
    itself has a blank in it (`resolve 0190...`), so that no client can take it.
    `request` is the hash of what was asked (`request_hash`). The same key and request again is the same transfer; the
    same key with another request is a `KeyReused`.
    """

    book: uuid.UUID
    key: str
    request: bytes
    kind: str
    legs: tuple[Leg, ...]
    at: datetime
    phase: Phase = "posted"
    expires: datetime | None = None
    resolves: uuid.UUID | None = None
    id: uuid.UUID = field(default_factory=uuid7)


@dataclass(frozen=True, slots=True)
class Posted:
    """The answer for one transfer: its id in the books, and whether it had been there before."""

    id: uuid.UUID
    existed: bool


class KeyReused(Conflict):
    """A key that has been used for another request."""

    def __init__(self, key: str) -> None:
        super().__init__(
            "key.reused",
            Text(
                "This key was used for another request. Make a new key for a new request.",
                "这个幂等键已用于另一个请求，新的请求请使用新的键。",
            ),
            field="key",
        )
        self.key = key


class Overdrawn(Conflict):
    """An account would fall below its floor. Nothing was written."""

    def __init__(self) -> None:
        super().__init__(
            "balance.too-low", Text("There is not enough left for this.", "余额不足，无法完成。"), field="amount"
        )


def request_hash(*parts: object) -> bytes:
    """What identifies a request for idempotency: SHA-256 over its canonical JSON."""
    return hashlib.sha256(canonical(list(parts))).digest()


def check_key(key: object) -> str:
    """An idempotency key in the allowed form. Raises `Invalid` with code `key.form`."""
    if isinstance(key, str) and re.fullmatch(r"[!-~]{1,64}", key):
        return key
    raise Invalid(
        "key.form",
        Text("The key must be 1 to 64 printable ASCII characters.", "幂等键须为 1 至 64 个可打印 ASCII 字符。"),
        field="key",
    )


def open_assets(cursor: Cursor, assets: Iterable[Asset]) -> None:
    """Make assets known; a known one must not change its exponent."""
    for asset in assets:
        cursor.execute(
            "INSERT INTO ledger_asset (code, exponent, kind) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [asset.code, asset.exponent, asset.kind],
        )
        cursor.execute("SELECT exponent FROM ledger_asset WHERE code = %s", [asset.code])
        if cursor.fetchone()[0] != asset.exponent:
            raise ValueError(f"the asset {asset.code} is in the books with another exponent")


ASKED = """
unnest(%(book)s::uuid[], %(id)s::uuid[], %(name)s::text[], %(asset)s::text[], %(side)s::smallint[], %(floor)s::bigint[])
AS asked (book, id, name, asset, side, floor)
"""
OPEN = f"""
INSERT INTO ledger_account (book, id, name, asset, side, floor)
SELECT * FROM {ASKED} ORDER BY book, id ON CONFLICT DO NOTHING
"""
OPEN_OTHERWISE = f"""
SELECT asked.name FROM {ASKED} JOIN ledger_account a ON a.book = asked.book AND a.id = asked.id
WHERE (a.asset, a.side, a.floor) IS DISTINCT FROM (asked.asset, asked.side, asked.floor) LIMIT 1
"""


def open_accounts(cursor: Cursor, accounts: Sequence[Account]) -> None:
    """Open accounts that are not open yet; raises `ValueError` if one is open with another asset, side or floor."""
    asked = {
        "book": [a.book for a in accounts],
        "id": [a.id for a in accounts],
        "name": [a.name for a in accounts],
        "asset": [a.asset for a in accounts],
        "side": [a.side for a in accounts],
        "floor": [a.floor for a in accounts],
    }
    cursor.execute(OPEN, asked)
    cursor.execute(OPEN_OTHERWISE, asked)
    if otherwise := cursor.fetchone():
        raise ValueError(f"the account {otherwise[0]} is open with another asset, side or floor")


POSTING = """
WITH asked AS (
    SELECT * FROM unnest(%(book)s::uuid[], %(id)s::uuid[], %(key)s::text[], %(request)s::bytea[], %(kind)s::text[],
                         %(phase)s::text[], %(resolves)s::uuid[], %(expires)s::timestamptz[], %(legs)s::smallint[],
                         %(at)s::timestamptz[]) WITH ORDINALITY
        AS asked (book, id, key, request, kind, phase, resolves, expires, legs, at, n)
), new AS (
    INSERT INTO ledger_transfer (book, id, key, request, kind, phase, resolves, expires, legs, at)
    SELECT book, id, key, request, kind, phase, resolves, expires, legs, at FROM asked
    ORDER BY book, key      -- one order for all, so that two batches never wait for each other
    ON CONFLICT DO NOTHING  -- on any key: a race of two resolutions may meet at (book, resolves) first
    RETURNING book, id
), postings AS (
    INSERT INTO ledger_posting (book, transfer, seq, account, amount)
    SELECT new.book, new.id, leg.seq, leg.account, leg.amount
    FROM unnest(%(leg_of)s::bigint[], %(leg_seq)s::smallint[], %(leg_account)s::uuid[], %(leg_amount)s::bigint[])
        AS leg (n, seq, account, amount)
    JOIN asked ON asked.n = leg.n
    JOIN new ON new.book = asked.book AND new.id = asked.id
)
"""
"""Posts a batch: transfers whose key is taken are left out, the others are `new`. Balances follow by trigger."""


RESOLVING = """
WITH asked AS (
    SELECT * FROM unnest(%(book)s::uuid[], %(id)s::uuid[], %(key)s::text[], %(request)s::bytea[], %(resolves)s::uuid[])
        AS asked (book, id, key, request, resolves)
), new AS (
    INSERT INTO ledger_transfer (book, id, key, request, kind, phase, resolves, legs, at)
    SELECT a.book, a.id, a.key, a.request, %(outcome)s::text, %(outcome)s::text, a.resolves,
           CASE WHEN %(outcome)s::text = 'post' THEN coalesce(pending.legs, 0) ELSE 0 END, %(at)s::timestamptz
    FROM asked a LEFT JOIN ledger_transfer pending ON pending.book = a.book AND pending.id = a.resolves
    ORDER BY a.book, a.key
    ON CONFLICT DO NOTHING
    RETURNING book, id, resolves, legs
), postings AS (
    INSERT INTO ledger_posting (book, transfer, seq, account, amount)
    SELECT new.book, new.id, p.seq, p.account, p.amount
    FROM new JOIN ledger_posting p ON p.book = new.book AND p.transfer = new.resolves
    WHERE new.legs > 0
)
"""
"""The same for resolutions: 'post' repeats the postings of the pending transfer, 'void' has none."""


def post_parameters(transfers: Sequence[Transfer]) -> dict[str, str]:
    """The parameters of `POSTING`."""
    legs = [(n, seq, leg.account, leg.amount) for n, t in enumerate(transfers, 1) for seq, leg in enumerate(t.legs)]
    return {
        "book": ids(t.book for t in transfers),
        "id": ids(t.id for t in transfers),
        "key": texts(t.key for t in transfers),
        "request": octets(t.request for t in transfers),
        "kind": texts(t.kind for t in transfers),
        "phase": array(t.phase for t in transfers),
        "resolves": ids(t.resolves for t in transfers),
        "expires": moments(t.expires for t in transfers),
        "legs": array(len(t.legs) for t in transfers),
        "at": moments(t.at for t in transfers),
        "leg_of": array(n for n, _, _, _ in legs),
        "leg_seq": array(seq for _, seq, _, _ in legs),
        "leg_account": ids(account for _, _, account, _ in legs),
        "leg_amount": array(amount for _, _, _, amount in legs),
    }


def post(
    cursor: Cursor, transfers: Sequence[Transfer], also: str = "", values: Mapping[str, object] | None = None
) -> list[Posted]:
    """Write transfers in the caller's transaction; all or none. The answers are in the order asked.

    `also` are further parts of the same statement (`, name AS (INSERT ...)`) with their `values`: they see what is
    written now as `new (book, id)`, so that what belongs to a transfer costs no statement of its own.

    Raises `KeyReused` if a key stands for another request, and `Overdrawn` if a floor would be broken. An id used twice
    is a `ValueError`; an unbalanced transfer, an unknown account or a wrong resolution raises the database's own error.
    """
    answers = []
    for answer in post_each(cursor, transfers, also, values):
        if isinstance(answer, KeyReused):
            raise answer
        answers.append(answer)
    return answers


def post_each(
    cursor: Cursor, transfers: Sequence[Transfer], also: str = "", values: Mapping[str, object] | None = None
) -> list[Posted | KeyReused]:
    """The same, but a key that stands for another request is the answer to its transfer alone; the others are posted.

    Raises what `post` raises otherwise.
    """
    return _write(cursor, POSTING + also, post_parameters, transfers, values or {})


def _write(
    cursor: Cursor,
    statement: str,
    parameters: Callable[[Sequence[Transfer]], Mapping[str, object]],
    transfers: Sequence[Transfer],
    values: Mapping[str, object],
) -> list[Posted | KeyReused]:
    if not transfers:
        return []
    try:
        new = neighbours.within(
            cursor,
            f"{statement} SELECT id FROM new",
            lambda part: {**parameters(part), **values},
            transfers,
            lambda transfer: transfer.book,
        )
    except (IntegrityError, pg.IntegrityError) as error:
        cause = error.__cause__ if isinstance(error, IntegrityError) else error
        # By its words: Citus hands on the state and the words of an error, not the name of the constraint.
        if isinstance(cause, pg.CheckViolation) and "below its floor" in str(cause):
            raise Overdrawn from error
        raise
    known = [t for t in transfers if t.id not in new]
    earlier = _earlier(cursor, known) if known else {}
    return [Posted(t.id, existed=False) if t.id in new else _found(t, earlier) for t in transfers]


Earlier = dict[tuple[uuid.UUID, str], tuple[uuid.UUID, bytes]]


def _found(transfer: Transfer, earlier: Earlier) -> Posted | KeyReused:
    """The answer for a transfer whose key was taken."""
    if (transfer.book, transfer.key) not in earlier:
        raise ValueError(f"another transfer has the id of {transfer.key!r}, or resolves the same")
    id, request = earlier[transfer.book, transfer.key]
    return Posted(id, existed=True) if request == transfer.request else KeyReused(transfer.key)


def _earlier(cursor: Cursor, transfers: Sequence[Transfer]) -> Earlier:
    cursor.execute(
        """
        SELECT t.book, t.key, t.id, t.request FROM ledger_transfer t
        JOIN unnest(%s::uuid[], %s::text[]) AS asked (book, key) ON t.book = asked.book AND t.key = asked.key
        """,
        [[t.book for t in transfers], [t.key for t in transfers]],
    )
    return {(book, key): (id, bytes(request)) for book, key, id, request in cursor.fetchall()}


def find(cursor: Cursor, book: uuid.UUID, key: str, request: bytes) -> uuid.UUID | None:
    """The transfer that this request has made already, if it has. Raises `KeyReused` as `post` does."""
    cursor.execute("SELECT id, request FROM ledger_transfer WHERE book = %s AND key = %s", [book, key])
    row = cursor.fetchone()
    if row is None:
        return None
    if bytes(row[1]) != request:
        raise KeyReused(key)
    return uuid.UUID(str(row[0]))


def resolve(
    cursor: Cursor, book: uuid.UUID, pending: uuid.UUID, outcome: Literal["post", "void"], at: datetime
) -> Posted:
    """Post or void a pending transfer; doing the same twice is doing it once. Raises `KeyReused` for the opposite."""
    (answer,) = resolve_each(cursor, [(book, pending)], outcome, at)
    if isinstance(answer, KeyReused):
        raise answer
    return answer


def resolve_each(
    cursor: Cursor,
    pending: Sequence[tuple[uuid.UUID, uuid.UUID]],
    outcome: Literal["post", "void"],
    at: datetime,
    also: str = "",
    values: Mapping[str, object] | None = None,
) -> list[Posted | KeyReused]:
    """The same for many, `(book, id)`; where the opposite has been done, the answer is `KeyReused`.

    `also` and `values` are as those of `post`; what is written is `new (book, id, resolves)` here.
    """
    transfers = [
        Transfer(
            book=book,
            key=f"resolve {id}",
            request=request_hash(outcome, str(id)),
            kind=outcome,
            legs=(),
            at=at,
            phase=outcome,
            resolves=id,
        )
        for book, id in pending
    ]

    def parameters(part: Sequence[Transfer]) -> Mapping[str, object]:
        return {
            "book": ids(t.book for t in part),
            "id": ids(t.id for t in part),
            "key": texts(t.key for t in part),
            "request": octets(t.request for t in part),
            "resolves": ids(t.resolves for t in part),
            "outcome": outcome,
            "at": at,
        }

    return _write(cursor, RESOLVING + also, parameters, transfers, values or {})


def expired(cursor: Cursor, at: datetime, limit: int = 1000) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Pending transfers whose time is over and that nobody has resolved: `(book, id)`."""
    cursor.execute("SELECT book, id FROM ledger_open WHERE expires <= %s ORDER BY expires LIMIT %s", [at, limit])
    return [(book, id) for book, id in cursor.fetchall()]


def balance(cursor: Cursor, account: Account) -> int:
    """The posted balance on the account's normal side, in smallest units."""
    cursor.execute(
        "SELECT coalesce(sum(posted), 0)::bigint FROM ledger_balance WHERE book = %s AND account = %s",
        [account.book, account.id],
    )
    return int(cursor.fetchone()[0]) * account.side


@dataclass(frozen=True, slots=True)
class Difference:
    """A kept balance that is not the sum of its postings."""

    book: uuid.UUID
    account: uuid.UUID
    kept: tuple[int, int, int]
    summed: tuple[int, int, int]


def audit(cursor: Cursor) -> list[Difference]:
    """Compare every kept balance (posted, pending debit, pending credit) with the sum of the postings."""
    cursor.execute(
        """
        WITH summed AS (
            SELECT p.book, p.account,
                   coalesce(sum(p.amount) FILTER (WHERE t.phase <> 'pending'), 0)::bigint AS posted,
                   coalesce(sum(p.amount) FILTER (WHERE open AND p.amount > 0), 0)::bigint AS debit,
                   coalesce(-sum(p.amount) FILTER (WHERE open AND p.amount < 0), 0)::bigint AS credit
            FROM ledger_posting p
            JOIN (SELECT t.book, t.id, t.phase, t.phase = 'pending' AND r.id IS NULL AS open FROM ledger_transfer t
                  LEFT JOIN ledger_transfer r ON r.book = t.book AND r.resolves = t.id) t
              ON t.book = p.book AND t.id = p.transfer
            GROUP BY p.book, p.account
        ), kept AS (
            SELECT book, account, sum(posted)::bigint AS posted, sum(pending_debit)::bigint AS debit,
                   sum(pending_credit)::bigint AS credit
            FROM ledger_balance GROUP BY book, account
        )
        SELECT book, account, coalesce(k.posted, 0), coalesce(k.debit, 0), coalesce(k.credit, 0),
               coalesce(s.posted, 0), coalesce(s.debit, 0), coalesce(s.credit, 0)
        FROM kept k FULL JOIN summed s USING (book, account)
        WHERE (k.posted, k.debit, k.credit) IS DISTINCT FROM (s.posted, s.debit, s.credit)
        """
    )
    return [Difference(row[0], row[1], row[2:5], row[5:8]) for row in cursor.fetchall()]
