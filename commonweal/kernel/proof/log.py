"""The log in PostgreSQL: staging, sequencing, and proofs from tiles."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from commonweal.kernel.arrays import ids, octets
from commonweal.kernel.ids import uuid7
from commonweal.kernel.proof import tree
from commonweal.kernel.proof.note import Checkpoint, SignerKey, VerifierKey, encode
from commonweal.kernel.proof.verify import Receipt, canonical

if TYPE_CHECKING:  # a verifier needs no driver
    import psycopg

MAX_ENTRY = 65_535
"""Bytes of one entry: the limit of tlog-tiles' bundles."""

BATCH = 20_000
"""Facts that one checkpoint takes at most: keeps its transaction below a second."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RESERVED = frozenset({"at", "id", "kind", "seal"})
"""What every entry says of itself; a fact's own fields have other names."""

SEQUENCER = 0x7A6C6F67
"""The advisory lock of the one sequencer."""

STAGED = "INSERT INTO proof_staged (id, entry)"
"""The beginning of a statement that stages facts, for those who do it within one of their own."""
STAGE = f"{STAGED} SELECT * FROM unnest(%s::uuid[], %s::bytea[])"
"""Stages facts: parameters are the ids and the entries."""


PLACE = r"""
WITH taken AS (
    DELETE FROM proof_staged WHERE id = ANY (ARRAY(SELECT id FROM proof_staged ORDER BY id LIMIT %s))
    RETURNING id, entry
), placed AS (
    INSERT INTO proof_leaf (seq, id, entry)
    SELECT %s + row_number() OVER (ORDER BY id) - 1, id, entry FROM taken ORDER BY id
    RETURNING seq, sha256('\x00'::bytea || entry) AS hash
)
SELECT string_agg(hash, '' ORDER BY seq) FROM placed
"""
"""Numbers staged facts from a size on: the leaf hashes in order, one after the other; null if nothing is staged.

An array, because a table that was empty when PostgreSQL looked at it last would be joined to itself row by row.
"""


class Cursor(Protocol):
    """What is needed of a database cursor: Django's and psycopg's both fit."""

    def execute(self, query: Any, params: Any = None, /) -> Any: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, as the public may see it: no personal data in `fields`.

    `seal` commits to what only the people concerned may know (`verify.seal`). `id` makes appending idempotent: a fact
    whose id is staged or logged already is an error of the caller. A field with a reserved name is a `ValueError`.
    """

    kind: str
    at: datetime
    fields: Mapping[str, Any] = field(default_factory=dict)
    seal: bytes | None = None
    id: uuid.UUID = field(default_factory=uuid7)

    def __post_init__(self) -> None:
        if not RESERVED.isdisjoint(self.fields):
            raise ValueError(f"the names {sorted(RESERVED)} are reserved")

    @property
    def entry(self) -> bytes:
        """The leaf's bytes: canonical JSON; `at` is Unix time in milliseconds. Raises `ValueError` if too long."""
        sealed = {"seal": encode(self.seal)} if self.seal else {}
        milliseconds = (self.at - EPOCH) // timedelta(milliseconds=1)
        entry = canonical({**self.fields, **sealed, "at": milliseconds, "id": str(self.id), "kind": self.kind})
        if len(entry) > MAX_ENTRY:
            raise ValueError(f"a fact of {len(entry)} bytes is too long for the log")
        return entry


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a fact is: `index` is None until it has been given its place."""

    entry: bytes
    index: int | None


def stage(facts: Sequence[Fact]) -> tuple[str, str]:
    """The parameters of `STAGE` for some facts."""
    return ids(fact.id for fact in facts), octets(fact.entry for fact in facts)


def append(cursor: Cursor, *facts: Fact) -> None:
    """Append facts in the transaction of `cursor`: they are in the log if and only if it commits."""
    if facts:
        cursor.execute(STAGE, stage(facts))


def sequence(connection: psycopg.Connection[Any], signer: SignerKey, at: datetime) -> Checkpoint | None:
    """Give up to `BATCH` staged facts their places and sign the new checkpoint, in one transaction.

    Returns None if nothing is staged or another sequencer is at work. The checkpoint is signed before the commit and
    becomes visible only by it, so two inconsistent ones are never published.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEQUENCER])
        if not cursor.fetchone()[0]:  # type: ignore[index]
            return None
        before = head(cursor)
        size = before.size if before else 0
        cursor.execute(PLACE, [BATCH, size])
        placed = cursor.fetchone()[0]  # type: ignore[index]
        if not placed:
            return None
        leaves = [placed[i : i + tree.HASH_SIZE] for i in range(0, len(placed), tree.HASH_SIZE)]
        stored = _tiles_in(cursor)
        changed = tree.grow(size, leaves, stored)
        cursor.execute(
            """
            INSERT INTO proof_tile (level, n, hashes)
            SELECT * FROM unnest(%s::smallint[], %s::bigint[], %s::bytea[])
            ON CONFLICT (level, n) DO UPDATE SET hashes = excluded.hashes
            """,
            [[level for level, _ in changed], [n for _, n in changed], list(changed.values())],
        )
        after = size + len(leaves)
        read = tree.Tiles(lambda level, n: changed.get((level, n)) or stored(level, n))
        checkpoint = Checkpoint(signer.name, after, tree.root(after, read))
        cursor.execute(
            "INSERT INTO proof_head (size, root, note, at) VALUES (%s, %s, %s, %s)",
            [after, checkpoint.root, signer.sign(str(checkpoint)), at],
        )
        return checkpoint


def head(cursor: Cursor, size: int | None = None, *, most: int | None = None) -> Any:
    """The newest checkpoint, of those with `most` leaves at most; or the first with at least `size` leaves.

    `size`, `root`, `note`, `at`; None if there is none.
    """
    if size is None:
        cursor.execute(
            """
            SELECT size, root, note, at FROM proof_head
            WHERE size <= coalesce(%s, 9223372036854775807) ORDER BY size DESC LIMIT 1
            """,
            [most],
        )
    else:
        cursor.execute("SELECT size, root, note, at FROM proof_head WHERE size >= %s ORDER BY size LIMIT 1", [size])
    row = cursor.fetchone()
    return Head(row[0], bytes(row[1]), row[2], row[3]) if row else None


@dataclass(frozen=True, slots=True)
class Head:
    """A published checkpoint: the signed note and when it was signed."""

    size: int
    root: bytes
    note: str
    at: datetime


def placed(cursor: Cursor, fact: uuid.UUID) -> Placed | None:
    """The entry of a fact and its index; None if there is no such fact."""
    cursor.execute(
        """
        SELECT entry, seq FROM proof_leaf WHERE id = %(id)s
        UNION ALL SELECT entry, NULL FROM proof_staged WHERE id = %(id)s
        """,
        {"id": fact},
    )
    row = cursor.fetchone()
    return Placed(bytes(row[0]), row[1]) if row else None


def root_at(cursor: Cursor, size: int) -> bytes:
    """The root of the first `size` leaves, from the tiles."""
    return tree.root(size, tree.Tiles(_tiles_in(cursor)))


def inclusion(cursor: Cursor, index: int, size: int) -> list[bytes]:
    """The proof that leaf `index` is in the tree of `size` leaves: reads at most five tiles up to 16 million leaves."""
    return tree.inclusion_proof(index, size, tree.Tiles(_tiles_in(cursor)))


def consistency(cursor: Cursor, old: int, new: int) -> list[bytes]:
    """The proof that the tree of `old` leaves is a beginning of that of `new`."""
    return tree.consistency_proof(old, new, tree.Tiles(_tiles_in(cursor)))


def receipt_of(
    cursor: Cursor, fact: uuid.UUID, key: VerifierKey, opening: tuple[bytes, dict[str, Any]] | None = None
) -> Receipt | None:
    """The receipt of a fact under the newest checkpoint; None while it waits for its place or if there is none such."""
    found, newest = placed(cursor, fact), head(cursor)
    if found is None or found.index is None or newest is None:
        return None
    proof = inclusion(cursor, found.index, newest.size)
    return Receipt(found.entry, opening, key, found.index, proof, newest.note)


def _tiles_in(cursor: Cursor) -> Any:
    def load(level: int, n: int) -> bytes:
        cursor.execute("SELECT hashes FROM proof_tile WHERE level = %s AND n = %s", [level, n])
        row = cursor.fetchone()
        return bytes(row[0]) if row else b""

    return load
