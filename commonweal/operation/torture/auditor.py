"""The auditor: what the database holds against what was promised, from SQL and RFC 6962 alone.

Nothing of the ledger or of the log is imported. What is checked: each acknowledged gift is there exactly once and no
gift is there that nobody acknowledged; every transfer sums to zero; every balance is the sum of its postings; every
floor holds; every fact has its place in the log, whose signed checkpoints are all beginnings of one tree; nothing
waits for a job longer than a lease.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any

import psycopg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LONGEST_LEASE = 60
"""Seconds after which a job that is due has been taken up again, whoever died with it."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A gift to which the platform has said yes."""

    key: str
    book: uuid.UUID
    transfer: uuid.UUID
    amount: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not be: `kind` is lost, doubled, unproved, unbalanced, overdrawn or stuck."""

    kind: str
    what: str


Connection = psycopg.Connection[Any]


GIFTS = """
SELECT t.book, t.id, coalesce(sum(p.amount) FILTER (WHERE p.amount > 0), 0)
FROM ledger_transfer t LEFT JOIN ledger_posting p ON p.book = t.book AND p.transfer = t.id
WHERE t.kind = 'giving.gift' AND t.phase IN ('pending', 'posted') GROUP BY t.book, t.id
"""


def gifts(connection: Connection) -> set[uuid.UUID]:
    """The gifts that are there: those before the test are nobody's concern after it."""
    return {transfer for _, transfer, _ in connection.execute(GIFTS)}


def audit(
    connection: Connection,
    vkey: str,
    promised: Sequence[Acknowledged],
    *,
    paid: Set[uuid.UUID] = frozenset(),
    earlier: Set[uuid.UUID] = frozenset(),
    seen: Set[str] = frozenset(),
) -> list[Finding]:
    """All findings.

    `vkey` is the log's public key, `paid` are the gifts whose payment was acknowledged too, `earlier` those of before
    the test, and `seen` the checkpoints that were served to somebody.
    """
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return [
        *_gifts(connection, promised, earlier),
        *_books(connection),
        *_log(connection, vkey, seen),
        *_payments(connection, {gift.transfer: gift.amount for gift in promised}, paid),
        *_jobs(connection),
    ]


def _gifts(connection: Connection, promised: Sequence[Acknowledged], earlier: Set[uuid.UUID]) -> Iterator[Finding]:
    kept = {(book, transfer): int(amount) for book, transfer, amount in connection.execute(GIFTS)}
    for gift in promised:
        if kept.get((gift.book, gift.transfer)) != gift.amount:
            yield Finding("lost", f"the gift with key {gift.key} ({gift.amount})")
    for key, times in Counter(gift.key for gift in promised).items():
        if times > 1:
            yield Finding("doubled", f"the key {key} was answered with {times} gifts")
    for transfer, times in Counter(gift.transfer for gift in promised).items():
        if times > 1:
            yield Finding("lost", f"{times} keys were answered with the one gift {transfer}")
    told = {gift.transfer for gift in promised}
    for _, transfer in kept:
        if transfer not in told and transfer not in earlier:
            yield Finding("doubled", f"the gift {transfer} of which nobody was told")


BOOKS = {
    "unbalanced": """
        SELECT format('transfer %s sums to %s %s', p.transfer, sum(p.amount), a.asset)
        FROM ledger_posting p JOIN ledger_account a ON a.book = p.book AND a.id = p.account
        GROUP BY p.book, p.transfer, a.asset HAVING sum(p.amount) <> 0
        UNION ALL
        SELECT format('transfer %s has %s of %s postings', t.id, count(p.seq), t.legs)
        FROM ledger_transfer t LEFT JOIN ledger_posting p ON p.book = t.book AND p.transfer = t.id
        GROUP BY t.book, t.id, t.legs HAVING count(p.seq) <> t.legs
        UNION ALL
        SELECT format('balance of %s is %s, its postings %s', coalesce(b.account, s.account), b.sums, s.sums)
        FROM (SELECT book, account, ARRAY[sum(posted), sum(pending_debit), sum(pending_credit)] AS sums
              FROM ledger_balance GROUP BY book, account) b
        FULL JOIN (
            SELECT p.book, p.account, ARRAY[
                sum(CASE WHEN t.phase IN ('posted', 'post') THEN p.amount ELSE 0 END),
                sum(CASE WHEN t.phase = 'pending' AND r.id IS NULL AND p.amount > 0 THEN p.amount ELSE 0 END),
                sum(CASE WHEN t.phase = 'pending' AND r.id IS NULL AND p.amount < 0 THEN -p.amount ELSE 0 END)] AS sums
            FROM ledger_posting p JOIN ledger_transfer t ON t.book = p.book AND t.id = p.transfer
            LEFT JOIN ledger_transfer r ON r.book = t.book AND r.resolves = t.id
            GROUP BY p.book, p.account) s ON s.book = b.book AND s.account = b.account
        WHERE b.sums IS DISTINCT FROM s.sums
    """,
    "overdrawn": """
        SELECT format('account %s stands at %s, its floor is %s', a.name, sum(a.side * b.posted), a.floor)
        FROM ledger_account a JOIN ledger_balance b ON b.book = a.book AND b.account = a.id
        WHERE a.floor IS NOT NULL GROUP BY a.book, a.id, a.name, a.floor HAVING sum(a.side * b.posted) < a.floor
    """,
    "doubled": """
        SELECT format('transfer %s was resolved %s times', resolves, count(*))
        FROM ledger_transfer WHERE resolves IS NOT NULL GROUP BY book, resolves HAVING count(*) > 1
        UNION ALL
        SELECT format('key %s has %s transfers', key, count(*)) FROM ledger_transfer GROUP BY book, key
        HAVING count(*) > 1
    """,
}


def _books(connection: Connection) -> Iterator[Finding]:
    for kind, query in BOOKS.items():
        for (what,) in connection.execute(query):
            yield Finding(kind, what)


def _log(connection: Connection, vkey: str, seen: Set[str]) -> Iterator[Finding]:
    notes = [note for (note,) in connection.execute("SELECT note FROM proof_head ORDER BY size")]
    signed: dict[int, bytes] = {}
    for note in notes:
        if (read := _open(note, vkey)) is None:
            yield Finding("unproved", "a checkpoint whose signature does not hold")
        else:
            signed[read[0]] = read[1]
    for note in seen - set(notes):
        yield Finding("unproved", f"a checkpoint that was served and is gone: {note.splitlines()[1:3]}")
    peaks: list[tuple[int, bytes]] = []
    facts: set[str] = set()
    size = 0
    for seq, id, entry in connection.execute("SELECT seq, id, entry FROM proof_leaf ORDER BY seq"):
        if seq != size:
            yield Finding("unproved", f"no leaf {size}")
            return
        size, level, running = size + 1, 0, hashlib.sha256(b"\x00" + entry).digest()
        while peaks and peaks[-1][0] == level:
            level, running = level + 1, hashlib.sha256(b"\x01" + peaks.pop()[1] + running).digest()
        peaks.append((level, running))
        if json.loads(entry)["id"] != str(id) or str(id) in facts:
            yield Finding("unproved", f"leaf {seq} is not the fact {id}, or stands twice")
        facts.add(str(id))
        if size in signed and signed.pop(size) != _root(peaks):
            yield Finding("unproved", f"the checkpoint at {size} is not the root of its leaves")
    for gone in signed:
        yield Finding("unproved", f"the checkpoint at {gone} promises more leaves than there are ({size})")
    waiting = connection.execute("SELECT count(*) FROM proof_staged").fetchone()
    if waiting and waiting[0]:
        yield Finding("unproved", f"{waiting[0]} facts without a place in the log")
    newest = connection.execute("SELECT coalesce(max(size), 0) FROM proof_head").fetchone()
    if newest and newest[0] != size:
        yield Finding("unproved", f"{size} leaves, the newest checkpoint has {newest[0]}")


def _payments(connection: Connection, amounts: dict[uuid.UUID, int], paid: Set[uuid.UUID]) -> Iterator[Finding]:
    """Each payment is one posting in the books and one fact in the log, with the gift's amount."""
    posted = Counter[uuid.UUID]()
    for (gift,) in connection.execute("SELECT resolves FROM ledger_transfer WHERE phase = 'post'"):
        posted[gift] += 1
    facts = Counter[tuple[uuid.UUID, int]]()
    for (entry,) in connection.execute("SELECT entry FROM proof_leaf"):
        fact = json.loads(entry)
        if fact["kind"] == "giving.gift":
            facts[uuid.UUID(fact["gift"]), fact["amount"]] += 1
    for gift in paid:
        if not posted[gift]:
            yield Finding("lost", f"the payment of the gift {gift}")
        if (proofs := facts[gift, amounts[gift]]) != 1:
            yield Finding("doubled" if proofs else "unproved", f"the gift {gift} has {proofs} facts")


def _root(peaks: list[tuple[int, bytes]]) -> bytes:
    running = peaks[-1][1]
    for _, left in reversed(peaks[:-1]):
        running = hashlib.sha256(b"\x01" + left + running).digest()
    return running


def _open(note: str, vkey: str) -> tuple[int, bytes] | None:
    """Size and root of a checkpoint that the key has signed (C2SP signed-note and tlog-checkpoint)."""
    name, _, key = vkey.strip().split("+", 2)
    text, _, signature = note.partition(f"\n\n— {name} ")
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:])
        public.verify(base64.b64decode(signature.strip())[4:], f"{text}\n".encode())
    except (InvalidSignature, ValueError):
        return None
    _, size, root = text.split("\n")[:3]
    return int(size), base64.b64decode(root)


def _jobs(connection: Connection) -> Iterator[Finding]:
    query = """
        SELECT task, attempt, dead_at IS NOT NULL, extract(epoch FROM now() - due)::integer FROM jobs_job
        WHERE dead_at IS NOT NULL OR due < now() - make_interval(secs => %s)
    """
    for task, attempt, dead, late in connection.execute(query, [LONGEST_LEASE]):
        state = "is a dead letter" if dead else f"is due since {late} s"
        yield Finding("stuck", f"{task} (attempt {attempt}) {state}")
