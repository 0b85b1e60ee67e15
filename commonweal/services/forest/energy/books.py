"""Books of energy: one a shard of owners, with its accounts. Single grams are kept beside them and add up to them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date

from commonweal.kernel.ids import derived
from commonweal.kernel.ledger import Account, Leg, open_accounts, open_assets
from commonweal.kernel.proof.log import Cursor
from commonweal.services.forest import GREEN

SHARDS = 16
"""Books that owners are spread over. It is part of every stored row and never changes in a running forest."""
FOREST = uuid.uuid5(uuid.NAMESPACE_URL, "commonweal:forest")
NAMES = {"minted": 1, "bubbles": -1, "held": -1, "planted": -1, "expired": -1, "transit": -1}
"""Accounts of a book and their normal side: what is minted is owed to those who hold it; `transit` is between books."""


def shard_of(owner: uuid.UUID) -> int:
    """The shard of an owner: known from the id alone."""
    return owner.int % SHARDS


def book_of(shard: int) -> uuid.UUID:
    """The book of a shard."""
    return derived(FOREST, f"shard {shard}")


def accounts(shard: int) -> dict[str, Account]:
    """The accounts of a shard by name. What is held, waiting, spent or expired is never below zero."""
    return {
        name: Account(book_of(shard), name, GREEN.code, side, None if name in ("minted", "transit") else 0)
        for name, side in NAMES.items()
    }


def move(shard: int, source: str, target: str, grams: int) -> tuple[Leg, Leg]:
    """The legs that move grams from one account of a shard to another."""
    known = accounts(shard)
    return Leg(known[source].id, grams), Leg(known[target].id, -grams)


def count(cursor: Cursor, day: date, flows: Sequence[tuple[int, str, int]]) -> None:
    """Count movements `(shard, kind, grams)` of a day beside the books, in one order."""
    cursor.execute(
        """
        INSERT INTO forest_flow AS f (day, shard, kind, grams)
        SELECT %s, * FROM unnest(%s::smallint[], %s::text[], %s::bigint[])
        ON CONFLICT (day, shard, kind) DO UPDATE SET grams = f.grams + excluded.grams
        """,
        [day, *map(list, zip(*sorted(flows), strict=True))],
    )


def open_shards(cursor: Cursor, shards: Iterable[int] = range(SHARDS)) -> None:
    """Open the books of shards that are not open yet."""
    open_assets(cursor, [GREEN])
    open_accounts(cursor, [account for shard in shards for account in accounts(shard).values()])
