"""Expiry: when a day's last bubble is gone, what is left is one sum, and the day's partition is dropped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from commonweal.kernel.errors import Conflict
from commonweal.kernel.ledger import Transfer, post, request_hash
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.forest.energy.books import book_of, count, move
from commonweal.services.forest.rules.bubbles import day_of, droppable_from


@dataclass(frozen=True, slots=True)
class Expired:
    """What a day's end came to: grams by kind."""

    day: date
    by_kind: dict[int, int]

    @property
    def grams(self) -> int:
        """All of it."""
        return sum(self.by_kind.values())


def expire(cursor: Cursor, day: date, at: datetime) -> Expired:
    """Expire what is left of a day and drop its bubbles. Doing it twice is doing it once.

    Raises `Conflict` `expiry.early` while a bubble of that day may still be gathered.
    """
    if at < droppable_from(day):
        raise Conflict(
            "expiry.early", Text("Energy of {day} can still be gathered.", "{day} 的能量仍可收取。").format(day=day)
        )
    bubbles, collects = (f"forest_{what}_{day:%Y%m%d}" for what in ("bubble", "collect"))
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('forest_day'), %s - date '2000-01-01')", [day])
    cursor.execute("SELECT to_regclass(%s)", [bubbles])
    if cursor.fetchone()[0] is None:
        return Expired(day, {})
    cursor.execute(
        f"SELECT shard, kind, sum(left_g)::bigint FROM {bubbles} WHERE left_g > 0 GROUP BY shard, kind ORDER BY 1, 2"
    )
    left = [(int(shard), int(kind), int(grams)) for shard, kind, grams in cursor.fetchall()]
    # The tables before the books, as everybody does; both are held for milliseconds only.
    cursor.execute("LOCK TABLE forest_bubble, forest_collect IN ACCESS EXCLUSIVE MODE")
    cursor.execute(f"DROP TABLE {bubbles}, {collects}")
    post(
        cursor,
        [
            Transfer(
                book_of(shard),
                f"expire {day} {kind}",
                request_hash("expire", str(day), shard, kind, grams),
                "forest.expire",
                move(shard, "bubbles", "expired", grams),
                at,
            )
            for shard, kind, grams in left
        ],
    )
    by_shard: dict[int, int] = {}
    for shard, _, grams in left:
        by_shard[shard] = by_shard.get(shard, 0) + grams
    if by_shard:
        count(cursor, day_of(at), [(shard, "expired", grams) for shard, grams in by_shard.items()])
    by_kind: dict[int, int] = {}
    for _, kind, grams in left:
        by_kind[kind] = by_kind.get(kind, 0) + grams
    return Expired(day, by_kind)
