"""One's own deeds, each with what explains its grams; the closed days; and a person's opening of their leaf."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.db import connection

from commonweal.kernel.errors import NotFound
from commonweal.kernel.parties import cipher
from commonweal.kernel.proof import tree
from commonweal.kernel.proof.verify import SALT_SIZE, seal
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.forest.queries.methods import Method
from commonweal.services.forest.queries.sources import Source, source

Opening = tuple[bytes, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Deed:
    """A credited deed with its method. `late` says that it was recorded on a later day than it happened."""

    day: date
    source: Text
    source_key: str
    method: Method
    quantity: int
    grams: int
    happened: datetime
    recorded: datetime
    late: bool
    fact: uuid.UUID | None

    @property
    def explained(self) -> Text:
        """How its grams come about."""
        return self.method.explain(self.quantity)


DEEDS = """
SELECT d.day, s.title_en, s.title_zh, s.key AS source_key, d.quantity, d.grams AS counted, d.happened, d.recorded,
       (d.happened AT TIME ZONE 'Asia/Shanghai')::date < d.day AS late, c.fact,
       m.id, m.kind, k.behaviour, k.grade, m.version, lower(m.valid) AS first, upper(m.valid) - 1 AS last,
       m.numerator, m.denominator, m.day_cap, m.told::text
FROM forest_deed d JOIN forest_source s ON s.id = d.source JOIN forest_method m ON m.id = d.method
JOIN forest_kind k ON k.id = m.kind LEFT JOIN forest_closed c ON c.source = d.source AND c.day = d.day
WHERE d.owner = %(owner)s ORDER BY d.recorded DESC, d.happened DESC LIMIT %(limit)s
"""


def deeds(owner: uuid.UUID, limit: int = 50) -> list[Deed]:
    """Somebody's newest deeds."""
    found = []
    for each in rows(DEEDS, {"owner": owner, "limit": limit}):
        said = {
            name: each.pop(name) for name in ("day", "source_key", "quantity", "happened", "recorded", "late", "fact")
        }
        source, grams = Text(each.pop("title_en"), each.pop("title_zh")), each.pop("counted")
        found.append(Deed(**said, source=source, grams=grams, method=Method.of(each)))
    return found


OF_DAY = """
SELECT owner, event, m.version, k.behaviour, quantity, d.grams, happened, recorded
FROM forest_deed d JOIN forest_method m ON m.id = d.method JOIN forest_kind k ON k.id = m.kind
WHERE d.day = %(day)s AND d.source = %(source)s AND (%(owner)s::uuid IS NULL OR owner = %(owner)s)
ORDER BY owner, event
"""


def by_owner(
    source: int, day: date, owner: uuid.UUID | None = None
) -> Iterator[tuple[uuid.UUID, list[dict[str, Any]]]]:
    """The deeds of a day and source, person by person, in the order of the day's tree."""
    found = rows(OF_DAY, {"source": source, "day": day, "owner": owner})
    for who, each in groupby(found, key=lambda deed: deed["owner"]):
        yield who, list(each)


def opening(key: bytes, source: str, day: date, owner: uuid.UUID, deeds: Iterable[dict[str, Any]]) -> Opening:
    """What a person's leaf commits to. The salt follows from the person's key, and is gone with it."""
    salt = hmac.digest(key, f"forest.deeds {source} {day}".encode(), "sha256")[:SALT_SIZE]
    return salt, {
        "owner": str(owner),
        "source": source,
        "day": str(day),
        "deeds": [
            {
                "event": deed["event"].hex,
                "kind": deed["behaviour"],
                "version": deed["version"],
                "quantity": deed["quantity"],
                "grams": deed["grams"],
                "happened": int(deed["happened"].timestamp()),
            }
            for deed in deeds
        ],
    }


def leaf(opened: Opening) -> bytes:
    """The leaf of an opening."""
    return tree.leaf_hash(seal(*opened))


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed day of one source, as its fact says it."""

    source: str
    title: Text
    day: date
    deeds: int
    people: int
    late: int
    grams: int
    root: bytes
    fact: uuid.UUID


def closed(source: int | None = None, limit: int = 30) -> list[Closed]:
    """The days closed last, of one source or of all."""
    found = rows(
        """
        SELECT s.key AS source, s.title_en, s.title_zh, c.day, c.deeds, c.people, c.late, c.grams, c.root, c.fact
        FROM forest_closed c JOIN forest_source s ON s.id = c.source
        WHERE %(source)s::int IS NULL OR s.id = %(source)s ORDER BY c.day DESC, s.key LIMIT %(limit)s
        """,
        {"source": source, "limit": limit},
    )
    return [
        Closed(title=Text(each.pop("title_en"), each.pop("title_zh")), root=bytes(each.pop("root")), **each)
        for each in found
    ]


def reduction() -> int:
    """Grams of CO2e that closed days have avoided, by the published methods and evidence A and B alone."""
    query = """
    SELECT coalesce(sum(b.posted), 0)::bigint AS grams FROM ledger_account a
    JOIN ledger_balance b ON b.book = a.book AND b.account = a.id WHERE a.asset = 'CO2E_G' AND a.name = 'avoided'
    """
    found = row(query)
    return int(found["grams"]) if found else 0


def to_close(before: date) -> list[date]:
    """The days that are over and still take deeds, oldest first."""
    query = """
    SELECT day FROM (
        SELECT inhrelid, to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') AS day
        FROM pg_inherits WHERE inhparent = 'forest_deed'::regclass) days
    WHERE day < %(before)s
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = inhrelid AND conname = 'forest_deed_closed')
    ORDER BY day
    """
    return [each["day"] for each in rows(query, {"before": before})]


def sources_of(day: date) -> list[Source]:
    """The sources that have deeds on a day."""
    query = "SELECT DISTINCT s.key FROM forest_deed d JOIN forest_source s ON s.id = d.source WHERE d.day = %(day)s"
    return [source(each["key"]) for each in rows(query, {"day": day})]


def proof(owner: uuid.UUID, source: str, day: date) -> dict[str, Any]:
    """All with which a person shows that their deeds are in a closed day; checked by `commonweal forest deeds`.

    Raises `NotFound` (`deeds.not-closed`) and `cipher.Forgotten`.
    """
    found = row(
        """
        SELECT c.source AS id, c.people, c.root, c.fact, l.place FROM forest_closed c
        JOIN forest_source s ON s.id = c.source
        JOIN forest_closed_leaf l ON l.source = c.source AND l.day = c.day
        WHERE s.key = %(source)s AND c.day = %(day)s AND l.owner = %(owner)s
        """,
        {"source": source, "day": day, "owner": owner},
    )
    if found is None:
        raise NotFound(
            "deeds.not-closed",
            Text("You have no deeds in a closed day of this source.", "该来源在已封存的日子里没有您的行为。"),
        )
    ((_, own),) = by_owner(found["id"], day, owner)
    salt, private = opening(cipher.key_of(owner), source, day, owner, own)
    path = tree.inclusion_proof(found["place"], found["people"], tree.Tiles(_tiles(found["id"], day)))
    return {
        "fact": str(found["fact"]),
        "root": bytes(found["root"]).hex(),
        "people": found["people"],
        "place": found["place"],
        "salt": salt.hex(),
        "opened": private,
        "path": [hash.hex() for hash in path],
    }


def _tiles(source: int, day: date) -> Any:
    def load(level: int, n: int) -> bytes:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT hashes FROM forest_closed_tile WHERE source = %s AND day = %s AND level = %s AND n = %s",
                [source, day, level, n],
            )
            found = cursor.fetchone()
        return bytes(found[0]) if found else b""

    return load
