"""One certificate is one position: never twice, never refused while one is free."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from commonweal.kernel.errors import Conflict
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.forest.energy.books import shard_of


@dataclass(frozen=True, slots=True)
class Promised:
    """A position in a plot, counted from 1."""

    plot: int
    seq: int


def promise(cursor: Cursor, season: str, owner: uuid.UUID, ask: uuid.UUID, at: datetime) -> Promised:
    """Promise a position of a season to somebody and pay for it with their energy. The same `ask` is the same promise.

    The commit does not wait for the disk, so that nobody else waits for it at the plot's row: `flush` before answering.
    Raises `Conflict`: `season.full` if every contracted and funded position is taken, `energy.short` if there is not
    enough energy.
    """
    cursor.execute(
        "SELECT * FROM forest_promise(%s, %s, %s, %s::smallint, %s)", [season, owner, ask, shard_of(owner), at]
    )
    plot, seq, outcome = cursor.fetchone()
    if outcome == "full":
        raise Conflict("season.full", Text("Every position of this season is taken.", "本季的位置已全部认领。"))
    if outcome == "short":
        raise Conflict("energy.short", Text("There is not enough energy yet.", "能量还不够。"), field="grams")
    return Promised(int(plot), int(seq))


def flush(cursor: Cursor) -> None:
    """Wait until everything that has been committed is on the disk. Outside a transaction: its own commit does it."""
    cursor.execute("SELECT pg_logical_emit_message(true, 'forest', 'promised')")
