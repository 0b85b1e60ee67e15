"""Which books lie on one machine, in a database that is spread over several (Citus): a batch is for one of them."""

from __future__ import annotations

import uuid
from collections.abc import Hashable, Iterable

from commonweal.kernel.arrays import ids
from commonweal.kernel.proof.log import Cursor

SHARDS = """
SELECT book, get_shard_id_for_distribution_column('ledger_account', book) FROM unnest(%s::uuid[]) AS book
"""


class Shards:
    """What the writers of a process have found out. On one machine all books are one group."""

    def __init__(self) -> None:
        self._spread = False
        self._of: dict[uuid.UUID, int] = {}

    def group(self, book: uuid.UUID) -> Hashable:
        """What is the same for books of one shard; a book that is not known yet is a group of its own."""
        return self._of.get(book, book) if self._spread else None

    def look(self, cursor: Cursor) -> None:
        """See whether the books are spread: asked with each new session, since it changes only while nobody works."""
        cursor.execute("SELECT to_regclass('pg_dist_partition') IS NOT NULL")
        (self._spread,) = cursor.fetchone()
        if self._spread:
            cursor.execute("SELECT count(*) = 1 FROM pg_dist_partition WHERE logicalrelid = 'ledger_account'::regclass")
            (self._spread,) = cursor.fetchone()

    def learn(self, cursor: Cursor, books: Iterable[uuid.UUID]) -> None:
        """Find out where books lie that were not known yet."""
        if self._spread and (new := set(books) - self._of.keys()):
            cursor.execute(SHARDS, [ids(new)])
            self._of.update(cursor.fetchall())
