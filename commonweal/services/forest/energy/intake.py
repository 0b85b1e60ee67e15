"""Taking deeds in by the batch: each event once, priced by its method's version, merged into the day's bubbles."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from commonweal.kernel.ledger import Transfer, post, request_hash
from commonweal.kernel.proof.log import Cursor
from commonweal.services.forest.energy.books import SHARDS, book_of, count, move
from commonweal.services.forest.rules.bubbles import day_of
from commonweal.services.forest.rules.evidence import DAY_LIMITS


@dataclass(frozen=True, slots=True)
class Deed:
    """A deed to take in; `source` and `method` are the numbers of their rows, `event` is the source's own id."""

    owner: uuid.UUID
    source: int
    event: str
    method: int
    quantity: int
    happened: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """What a batch came to: deeds that were new, deeds that had been there, grams minted."""

    new: int
    known: int
    grams: int
    events: frozenset[uuid.UUID] = field(default=frozenset(), compare=False)
    """The event ids of those that were new, if they were asked for."""


class CopyCursor(Cursor, Protocol):
    """A psycopg cursor: rows are copied in."""

    def copy(self, statement: Any, /) -> Any: ...


STAGE = """
CREATE TEMP TABLE IF NOT EXISTS staged_deed (
    owner uuid, source smallint, event uuid, method smallint, quantity integer, happened timestamptz
) ON COMMIT DELETE ROWS
"""

# One pass over what is staged. Deeds of one event in one batch are one deed; which is taken does not depend on order.
# The day's caps hold for the day's bubbles of a person (each kind has its cap, each grade of evidence its limit), so
# what is minted is the bubbles' growth, not the sum.
TAKE = """
WITH once AS (
    SELECT DISTINCT ON (source, event) * FROM staged_deed ORDER BY source, event, happened, owner
), new AS (
    INSERT INTO forest_seen (source, event) SELECT source, event FROM once
    ON CONFLICT DO NOTHING RETURNING source, event
), priced AS (
    SELECT once.*, m.kind, m.day_cap, (once.quantity * m.numerator / m.denominator)::integer AS grams
    FROM once JOIN new USING (source, event) JOIN forest_method m ON m.id = once.method
), deeds AS (
    INSERT INTO forest_deed (day, owner, source, method, event, quantity, grams, happened, recorded)
    SELECT %(today)s, owner, source, method, event, quantity, grams, happened, %(recorded)s FROM priced
), summed AS (
    SELECT owner, kind, least(max(day_cap), sum(grams))::integer AS grams, max(day_cap) AS day_cap,
           max(CASE WHEN (happened AT TIME ZONE 'Asia/Shanghai')::date = %(today)s THEN happened
                    ELSE %(recorded)s END) + interval '24 hours' AS ripe_at
    FROM priced GROUP BY owner, kind HAVING sum(grams) > 0
), had AS (
    SELECT owner, kind, grams FROM forest_bubble
    WHERE day = %(today)s AND owner IN (SELECT owner FROM summed)
), earned AS (
    SELECT had.owner, k.grade, sum(had.grams) AS grams FROM had JOIN forest_kind k ON k.id = had.kind
    GROUP BY had.owner, k.grade
), capped AS (
    SELECT s.owner, s.kind, k.grade, s.ripe_at, least(s.grams, s.day_cap - coalesce(had.grams, 0)) AS grams
    FROM summed s JOIN forest_kind k ON k.id = s.kind LEFT JOIN had USING (owner, kind)
    WHERE coalesce(had.grams, 0) < s.day_cap
), limited AS (
    SELECT c.owner, c.kind, c.ripe_at,
           least(c.grams, (%(limits)s::jsonb ->> c.grade)::integer - coalesce(e.grams, 0)
                 - (sum(c.grams) OVER (PARTITION BY c.owner, c.grade ORDER BY c.kind) - c.grams))::integer AS grams
    FROM capped c LEFT JOIN earned e USING (owner, grade)
), grown AS (
    SELECT * FROM limited WHERE grams > 0
), bubbles AS (
    INSERT INTO forest_bubble AS b (day, owner, kind, shard, grams, left_g, ripe_at)
    SELECT %(today)s, owner, kind, %(shard)s, grams, grams, ripe_at FROM grown
    ON CONFLICT (day, owner, kind) DO UPDATE SET
        grams = b.grams + excluded.grams, left_g = b.left_g + excluded.left_g,
        ripe_at = greatest(b.ripe_at, excluded.ripe_at)
)
SELECT (SELECT count(*) FROM new), (SELECT coalesce(sum(grams), 0) FROM grown),
       CASE WHEN %(named)s THEN (SELECT array_agg(event) FROM new) END
"""
LIMITS = json.dumps(DAY_LIMITS)


def take_in(cursor: CopyCursor, shard: int, deeds: Iterable[Deed], recorded: datetime) -> Taken:
    """Take in deeds of owners of one shard; `recorded` is now.

    What can be wrong with a deed has been refused before (`rules.evidence.check`). Batches of one shard wait for one
    another, so that a day's cap holds; batches of different shards do not.
    """
    rows = [(d.owner, d.source, event_id(d.event), d.method, d.quantity, d.happened) for d in deeds]
    if any(row[0].int % SHARDS != shard for row in rows):
        raise ValueError(f"a deed of another shard than {shard}")
    return take_rows(cursor, shard, rows, recorded)


Row = tuple[uuid.UUID, int, uuid.UUID, int, int, datetime]


def lock(cursor: Cursor, shards: Iterable[int]) -> None:
    """Have the intake of shards to oneself until the end of the transaction, in the one order in which all do it."""
    for shard in sorted(shards):
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('forest_intake'), %s)", [shard])


def take_rows(cursor: CopyCursor, shard: int, rows: Sequence[Row], recorded: datetime, *, named: bool = False) -> Taken:
    """As `take_in`, with rows `(owner, source, event id, method, quantity, happened)`; `named` asks for the events."""
    if not rows:
        return Taken(0, 0, 0)
    lock(cursor, [shard])
    today = day_of(recorded)
    cursor.execute("SELECT forest_open_day(%s)", [today])
    cursor.execute(STAGE)
    cursor.execute("TRUNCATE staged_deed")
    with cursor.copy("COPY staged_deed FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["uuid", "int2", "uuid", "int2", "int4", "timestamptz"])
        for row in rows:
            copy.write_row(row)
    cursor.execute(TAKE, {"recorded": recorded, "today": today, "shard": shard, "limits": LIMITS, "named": named})
    new, grams, events = cursor.fetchone()
    if grams:
        # The same batch again mints nothing, so the transfer needs no key that the batch could know again.
        key = f"mint {uuid.uuid4()}"
        request = request_hash("mint", shard, int(grams))
        legs = move(shard, "minted", "bubbles", int(grams))
        post(cursor, [Transfer(book_of(shard), key, request, "forest.mint", legs, recorded)])
        count(cursor, today, [(shard, "minted", int(grams))])
    return Taken(int(new), len(rows) - int(new), int(grams), frozenset(events or ()))


def event_id(event: str) -> uuid.UUID:
    """The first half of the SHA-256 of a source's own id for an event."""
    return uuid.UUID(bytes=hashlib.sha256(event.encode()).digest()[:16])
