"""Conservation: what was minted is waiting, held, spent or expired, to the gram, whoever counts it and when."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from commonweal.kernel.ledger import Transfer, post, request_hash
from commonweal.kernel.proof.log import Cursor
from commonweal.services.forest.energy.books import NAMES, SHARDS, accounts, book_of, count, move
from commonweal.services.forest.rules.bubbles import Balance, day_of

MOVES = {
    "gathered": ("bubbles", "held"),
    "received": ("transit", "held"),
    "sent": ("held", "transit"),
    "planted": ("held", "planted"),
}
"""What the rows of `forest_moved` become in the books."""


@dataclass(frozen=True, slots=True)
class Conserved:
    """The books beside the single grams, counted at one moment; `moving` is gathered but not yet in the books.

    `transit` is what has left one book and not reached another: always 0, for both sides are written together.
    """

    grams: Balance
    books: Balance
    moving_gathered: int
    moving_planted: int
    transit: int = 0

    @property
    def holds(self) -> bool:
        """Whether both conserve, and agree once what is moving has arrived."""
        gathered, planted = self.moving_gathered, self.moving_planted
        arrived = Balance(
            self.books.minted,
            self.books.waiting - gathered,
            self.books.held + gathered - planted,
            self.books.spent + planted,
            self.books.expired,
        )
        return self.grams.conserved and self.books.conserved and arrived == self.grams and self.transit == 0


def settle(cursor: Cursor, at: datetime) -> int:
    """Bring what was gathered and planted since the last time into the books, one transfer a shard and kind."""
    cursor.execute(
        """
        WITH gone AS (DELETE FROM forest_moved RETURNING shard, kind, grams)
        SELECT shard, kind, sum(grams)::bigint FROM gone GROUP BY shard, kind
        """
    )
    moved = [(int(shard), str(kind), int(grams)) for shard, kind, grams in cursor.fetchall()]
    moved.sort(key=lambda one: (list(MOVES).index(one[1]), one[0]))  # what comes in before what goes out
    transfers = [
        Transfer(
            book_of(shard),
            f"settle {uuid.uuid4()}",
            request_hash("settle", shard, kind, grams),
            f"forest.{kind}",
            move(shard, *MOVES[kind], grams),
            at,
        )
        for shard, kind, grams in moved
    ]
    post(cursor, transfers)
    if moved:
        count(cursor, day_of(at), moved)
    return len(transfers)


def balance(cursor: Cursor) -> Balance:
    """Where the single grams are; minted and expired are the books' own, for only they outlive a dropped day."""
    books, _ = _books(cursor)
    cursor.execute(
        """
        SELECT (SELECT coalesce(sum(left_g), 0)::bigint FROM forest_bubble),
               (SELECT coalesce(sum(grams), 0)::bigint FROM forest_holding),
               (SELECT coalesce(sum(grams), 0)::bigint FROM forest_certificate)
        """
    )
    waiting, held, spent = map(int, cursor.fetchone())
    return Balance(books.minted, waiting, held, spent, books.expired)


def reconcile(cursor: Cursor) -> Conserved:
    """Count everything. In a REPEATABLE READ transaction, all of it is of one moment."""
    cursor.execute(
        """
        SELECT coalesce(sum(grams) FILTER (WHERE kind = 'gathered'), 0)::bigint,
               coalesce(sum(grams) FILTER (WHERE kind = 'planted'), 0)::bigint
        FROM forest_moved
        """
    )
    gathered, planted = map(int, cursor.fetchone())
    books, transit = _books(cursor)
    return Conserved(balance(cursor), books, gathered, planted, transit)


def _books(cursor: Cursor) -> tuple[Balance, int]:
    names = {account.id: name for shard in range(SHARDS) for name, account in accounts(shard).items()}
    cursor.execute(
        "SELECT account, sum(posted)::bigint FROM ledger_balance WHERE account = ANY(%s) GROUP BY account",
        [list(names)],
    )
    total = dict.fromkeys(NAMES, 0)
    for account, posted in cursor.fetchall():
        total[names[account]] += int(posted) * NAMES[names[account]]
    found = Balance(total["minted"], total["bubbles"], total["held"], total["planted"], total["expired"])
    return found, total["transit"]
