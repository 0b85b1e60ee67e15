"""What a partner sees of its own reports: keys, batches, refusals with reasons, totals. Never a person."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from commonweal.kernel.sql import row, rows

FEWEST = 3
"""People below whom a day's number of them is not told: a sum over so few would be somebody's day."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a source."""

    id: uuid.UUID
    public: bytes
    at: datetime
    revoked_at: datetime | None


def keys(source: int) -> list[Key]:
    """The keys of a source, newest first."""
    query = "SELECT id, public, at, revoked_at FROM forest_source_key WHERE source = %(source)s ORDER BY at DESC, id"
    return [
        Key(each["id"], bytes(each["public"]), each["at"], each["revoked_at"])
        for each in rows(query, {"source": source})
    ]


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it was answered."""

    id: uuid.UUID
    at: datetime
    credited: int
    repeated: int
    refused: int
    grams: int


def batches(source: int, limit: int = 10) -> list[Batch]:
    """The newest batches of a source."""
    query = """
    SELECT id, at, credited, repeated, refused, grams FROM forest_batch
    WHERE source = %(source)s ORDER BY at DESC, id DESC LIMIT %(limit)s
    """
    return [Batch(**each) for each in rows(query, {"source": source, "limit": limit})]


@dataclass(frozen=True, slots=True)
class Refused:
    """One reason, how often it was given lately, and an event for which it was (the partner's own id)."""

    code: str
    times: int
    event: str
    last: datetime


def refusals(source: int) -> list[Refused]:
    """The reasons of refusals in the last 200 batches, most frequent first."""
    query = """
    WITH lately AS (SELECT id, at FROM forest_batch WHERE source = %(source)s ORDER BY at DESC LIMIT 200)
    SELECT r.code, count(*) AS times, (array_agg(r.event ORDER BY l.at DESC))[1] AS event, max(l.at) AS last
    FROM forest_refused r JOIN lately l ON l.id = r.batch GROUP BY r.code ORDER BY times DESC, r.code
    """
    return [Refused(**each) for each in rows(query, {"source": source})]


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of a source since the beginning, and how many people are connected with it (None below three)."""

    batches: int
    credited: int
    repeated: int
    refused: int
    grams: int
    connected: int | None


def totals(source: int) -> Totals:
    """What a source has reported so far."""
    found = row(
        """
        SELECT count(*) AS batches, coalesce(sum(credited), 0)::bigint AS credited,
               coalesce(sum(repeated), 0)::bigint AS repeated, coalesce(sum(refused), 0)::bigint AS refused,
               coalesce(sum(grams), 0)::bigint AS grams,
               (SELECT count(*) FROM forest_link WHERE source = %(source)s) AS connected
        FROM forest_batch WHERE source = %(source)s
        """,
        {"source": source},
    )
    assert found is not None
    connected = found.pop("connected")
    return Totals(**found, connected=connected if connected >= FEWEST else None)


@dataclass(frozen=True, slots=True)
class Day:
    """A closed day as a partner may see it: `people` is None below three."""

    day: date
    deeds: int
    people: int | None
    late: int
    grams: int
    fact: uuid.UUID


def days(source: int) -> list[Day]:
    """The days closed last; of days with fewer than three people only that they were few."""
    query = """
    SELECT day, deeds, people, late, grams, fact FROM forest_closed WHERE source = %(source)s ORDER BY day DESC LIMIT 14
    """
    return [
        Day(each["day"], each["deeds"], each["people"] if each["people"] >= FEWEST else None, each["late"],
            each["grams"], each["fact"])
        for each in rows(query, {"source": source})
    ]  # fmt: skip
