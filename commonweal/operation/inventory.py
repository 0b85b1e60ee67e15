"""What a database holds, in figures by which a restored one is compared with the one that was backed up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import psycopg

from commonweal.kernel.proof import tree

CHUNK = 20_000


@dataclass(frozen=True)
class Inventory:
    """The figures: size and root (hexadecimal) of the log, counts, and what was moved of each asset.

    `moved` is the sum of all debits in smallest units, written in digits: sums may be longer than what JSON readers
    keep exact.
    """

    size: int
    root: str
    staged: int
    transfers: int
    postings: int
    parties: int
    moved: dict[str, str]

    def differences(self, other: Inventory) -> list[str]:
        """What is not the same in `other`: `postings: 12, then 11`."""
        pairs = [(f.name, getattr(self, f.name), getattr(other, f.name)) for f in fields(self)]
        return [f"{name}: {mine}, then {theirs}" for name, mine, theirs in pairs if mine != theirs]


def take(connection: psycopg.Connection[Any], *, from_leaves: bool = False) -> Inventory:
    """Count what is there, in the transaction of `connection`.

    The root is that of the newest checkpoint; `from_leaves` computes size and root from the leaves instead.
    """

    def one(query: str) -> Any:
        return connection.execute(query).fetchone()[0]  # type: ignore[index]

    if from_leaves:
        size, root = tree.root_of(_entries(connection))
    else:
        head = connection.execute("SELECT size, root FROM proof_head ORDER BY size DESC LIMIT 1").fetchone()
        size, root = head or (0, tree.EMPTY_ROOT)
    moved = connection.execute(
        """
        SELECT a.asset, sum(p.amount)::text FROM ledger_posting p
        JOIN ledger_account a ON a.book = p.book AND a.id = p.account
        WHERE p.amount > 0 GROUP BY a.asset ORDER BY a.asset
        """
    ).fetchall()
    return Inventory(
        size=size,
        root=bytes(root).hex(),
        staged=one("SELECT count(*) FROM proof_staged"),
        transfers=one("SELECT count(*) FROM ledger_transfer"),
        postings=one("SELECT count(*) FROM ledger_posting"),
        parties=one("SELECT count(*) FROM parties_party"),
        moved=dict(moved),
    )


def _entries(connection: psycopg.Connection[Any]) -> Iterator[bytes]:
    with connection.cursor("leaves", binary=True) as cursor:
        cursor.itersize = CHUNK
        cursor.execute("SELECT entry FROM proof_leaf ORDER BY seq")
        for (entry,) in cursor:
            yield entry
