"""The auditor: what the database holds against what was promised, from SQL and RFC 6962 alone.

Nothing of the platform is imported (a contract of import-linter sees to it): neither the ledger, nor the log, nor
giving. What is checked: each acknowledged gift is there exactly once, under whichever number of answers, and no gift is
there that nobody acknowledged; each payment and refund is there once; every transfer sums to zero; every balance is the
sum of its postings; every floor holds, of pools too; every fact has its place in the log, whose tiles and signed
checkpoints are those of one tree; nothing waits for a job longer than a lease.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any

import psycopg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LONGEST_LEASE = 60
"""Seconds after which a job that is due has been taken up again, whoever died with it."""
AHEAD = 5
"""Seconds that a clock may be ahead of another before what it has written is from the future."""
TILE = 256


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A gift to which the platform has said yes, in the client's own journal.

    `answers` are the ids that were told for its key, each time it was asked for; `refunds` the amounts that it was told
    go back.
    """

    key: str
    book: uuid.UUID
    answers: tuple[uuid.UUID, ...]
    amount: int
    paid: bool = False
    refunds: tuple[int, ...] = ()

    @property
    def transfer(self) -> uuid.UUID:
        """The gift, by the first answer."""
        return self.answers[0]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not be: `kind` is lost, doubled, unproved, unbalanced, overdrawn or stuck."""

    kind: str
    what: str


Connection = psycopg.Connection[Any]


GIFTS = """
SELECT t.book, t.id, coalesce(sum(p.amount) FILTER (WHERE p.amount > 0), 0)
FROM ledger_transfer t LEFT JOIN ledger_posting p ON p.book = t.book AND p.transfer = t.id
WHERE t.kind = 'giving.gift' AND t.phase IN ('pending', 'posted') AND t.key NOT LIKE 'late:%'
GROUP BY t.book, t.id
"""
"""Promises and what was collected; a payment that came after its promise was over is no gift of its own."""


def gifts(connection: Connection) -> set[uuid.UUID]:
    """The gifts that are there: those before the test are nobody's concern after it."""
    return {transfer for _, transfer, _ in connection.execute(GIFTS)}


def audit(
    connection: Connection,
    vkey: str,
    promised: Sequence[Acknowledged],
    *,
    earlier: Set[uuid.UUID] = frozenset(),
    seen: Set[str] = frozenset(),
) -> list[Finding]:
    """All findings.

    `vkey` is the log's public key, `promised` the journal of the givers, `earlier` the gifts of before the test, and
    `seen` the checkpoints that were served to somebody.
    """
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    leaves = _Leaves()
    return [
        *_gifts(connection, promised, earlier),
        *_books(connection),
        *_log(connection, vkey, seen, leaves),
        *_payments(connection, promised, leaves),
        *_refunds(connection, promised),
        *_jobs(connection),
    ]


def _gifts(connection: Connection, promised: Sequence[Acknowledged], earlier: Set[uuid.UUID]) -> Iterator[Finding]:
    kept = {(book, transfer): int(amount) for book, transfer, amount in connection.execute(GIFTS)}
    for gift in promised:
        if kept.get((gift.book, gift.transfer)) != gift.amount:
            yield Finding("lost", f"the gift with key {gift.key} ({gift.amount})")
        if len(set(gift.answers)) > 1:
            yield Finding("doubled", f"the key {gift.key} was answered with {len(set(gift.answers))} gifts")
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
        SELECT format('account %s of %s has %s left, its floor is %s', a.name, a.book, left_over, a.floor)
        FROM ledger_account a CROSS JOIN LATERAL (
            SELECT CASE WHEN a.side = 1 THEN sum(b.posted - b.pending_credit)
                        ELSE -sum(b.posted + b.pending_debit) END AS left_over
            FROM ledger_balance b WHERE b.book = a.book AND b.account = a.id) b
        WHERE a.floor IS NOT NULL AND left_over < a.floor
    """,
    "doubled": """
        SELECT format('transfer %s was resolved %s times', resolves, count(*))
        FROM ledger_transfer WHERE resolves IS NOT NULL GROUP BY book, resolves HAVING count(*) > 1
        UNION ALL
        SELECT format('key %s has %s transfers', key, count(*)) FROM ledger_transfer GROUP BY book, key
        HAVING count(*) > 1
        UNION ALL
        SELECT format('gift %s is matched %s times by one pool', gift, count(*)) FROM giving_reservation
        GROUP BY book, gift, pool HAVING count(*) > 1
    """,
}


def _books(connection: Connection) -> Iterator[Finding]:
    for kind, query in BOOKS.items():
        for (what,) in connection.execute(query):
            yield Finding(kind, what)


class _Leaves:
    """What the walk through the log leaves behind: its hashes, and of each gift the amounts of its facts."""

    def __init__(self) -> None:
        self.hashes: list[bytes] = []
        self.ids: set[str] = set()
        self.gifts: defaultdict[uuid.UUID, list[int]] = defaultdict(list)


def _log(connection: Connection, vkey: str, seen: Set[str], leaves: _Leaves) -> Iterator[Finding]:
    notes = [note for (note,) in connection.execute("SELECT note FROM proof_head ORDER BY size")]
    opened = [_open(note, vkey) for note in notes]
    if None in opened:
        yield Finding("unproved", "a checkpoint whose signature does not hold")
    signed = dict(each for each in opened if each is not None)
    newest = max(signed, default=0)
    for note in seen - set(notes):
        yield Finding("unproved", f"a checkpoint that was served and is gone: {note.splitlines()[1:3]}")
    peaks: list[tuple[int, bytes]] = []
    for seq, id, entry in connection.execute("SELECT seq, id, entry FROM proof_leaf ORDER BY seq"):
        size = len(leaves.hashes)
        if seq != size:
            yield Finding("unproved", f"no leaf {size}")
            return
        fact = json.loads(entry)
        if fact["id"] != str(id) or str(id) in leaves.ids:
            yield Finding("unproved", f"leaf {seq} is not the fact {id}, or stands twice")
        leaves.ids.add(str(id))
        if fact["kind"] == "giving.gift":
            leaves.gifts[uuid.UUID(fact["gift"])].append(fact["amount"])
        leaves.hashes.append(hashlib.sha256(b"\x00" + entry).digest())
        level, running = 0, leaves.hashes[-1]
        while peaks and peaks[-1][0] == level:
            level, running = level + 1, _node(peaks.pop()[1], running)
        peaks.append((level, running))
        if size + 1 in signed and signed.pop(size + 1) != _root(peaks):
            yield Finding("unproved", f"the checkpoint at {size + 1} is not the root of its leaves")
    for gone in signed:
        yield Finding("unproved", f"the checkpoint at {gone} promises more leaves than there are")
    if newest != len(leaves.hashes):
        yield Finding("unproved", f"{len(leaves.hashes)} leaves, the newest checkpoint has {newest}")
    waiting = connection.execute("SELECT count(*) FROM proof_staged").fetchone()
    if waiting and waiting[0]:
        yield Finding("unproved", f"{waiting[0]} facts without a place in the log")
    yield from _tiles(connection, leaves.hashes)


def _tiles(connection: Connection, hashes: list[bytes]) -> Iterator[Finding]:
    """What is served to those who verify is the tree of the leaves (C2SP tlog-tiles)."""
    level = 0
    while hashes:
        kept = dict(connection.execute("SELECT n, hashes FROM proof_tile WHERE level = %s", [level]).fetchall())
        for n in range(-(-len(hashes) // TILE)):
            if kept.pop(n, b"") != b"".join(hashes[n * TILE : (n + 1) * TILE]):
                yield Finding("unproved", f"tile {n} of level {level} is not that of the leaves")
        if kept:
            yield Finding("unproved", f"{len(kept)} tiles of level {level} beyond the leaves")
        full = len(hashes) // TILE
        hashes = [_full(hashes[n * TILE : (n + 1) * TILE]) for n in range(full)]
        level += 1


def _payments(connection: Connection, promised: Sequence[Acknowledged], leaves: _Leaves) -> Iterator[Finding]:
    """Each payment is one receipt in the books and one fact in the log, with the gift's amount."""
    receipts: Counter[uuid.UUID] = Counter()
    query = """
        SELECT CASE WHEN t.phase = 'post' THEN t.resolves WHEN t.key LIKE 'late:%' THEN substr(t.key, 6)::uuid
                    ELSE t.id END
        FROM ledger_transfer t
        WHERE t.phase = 'post' OR (t.phase = 'posted' AND t.kind = 'giving.gift')
    """
    for (gift,) in connection.execute(query):
        receipts[gift] += 1
    for gift in promised:
        proofs, received = leaves.gifts.get(gift.transfer, []), receipts[gift.transfer]
        if received > 1 or len(proofs) > 1:
            yield Finding("doubled", f"the gift {gift.transfer} has {received} payments and {len(proofs)} facts")
        elif gift.paid and not received:
            yield Finding("lost", f"the payment of the gift {gift.transfer}")
        elif proofs != [gift.amount] * received:
            yield Finding("unproved", f"the gift {gift.transfer} over {gift.amount} has the facts {proofs}")
    for book, number in connection.execute(
        "SELECT book, count(*) FROM giving_payment WHERE start IS NULL GROUP BY book"
    ):
        yield Finding("stuck", f"{number} payments have no place on the line of {book}")


def _refunds(connection: Connection, promised: Sequence[Acknowledged]) -> Iterator[Finding]:
    """Each refund that was acknowledged is there once, has ended, and has its fact."""
    kept: defaultdict[uuid.UUID, list[int]] = defaultdict(list)
    query = """
        SELECT r.gift, r.amount, r.fact, count(e.id), array_agg(e.fact) FROM giving_return r
        LEFT JOIN giving_return_end e ON e.book = r.book AND e.id = r.id
        WHERE r.cause = 'refund' GROUP BY r.book, r.id
    """
    mine = {gift.transfer for gift in promised}
    for gift, amount, _, ends, _ in connection.execute(query):
        if gift in mine:
            kept[gift].append(amount)
            if ends != 1:
                yield Finding("stuck" if not ends else "doubled", f"a refund of {gift} has {ends} ends")
    for gift in promised:
        if (there := sorted(kept[gift.transfer])) != sorted(gift.refunds):
            fewer = len(there) < len(gift.refunds)
            yield Finding("lost" if fewer else "doubled", f"{gift.refunds} went back of {gift.transfer}, kept: {there}")


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _full(hashes: list[bytes]) -> bytes:
    """The root of a whole tile."""
    while len(hashes) > 1:
        hashes = [_node(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def _root(peaks: list[tuple[int, bytes]]) -> bytes:
    running = peaks[-1][1]
    for _, left in reversed(peaks[:-1]):
        running = _node(left, running)
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
           OR counted_from > now() + make_interval(secs => %s)
    """
    for task, attempt, dead, late in connection.execute(query, [LONGEST_LEASE, AHEAD]):
        state = "is a dead letter" if dead else f"is due since {late} s"
        yield Finding("stuck", f"{task} (attempt {attempt}) {state}")
