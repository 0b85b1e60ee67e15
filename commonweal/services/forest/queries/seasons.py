"""Species and the seasons in which they are promised."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.forest.rules.plots import Season as Rule


@dataclass(frozen=True, slots=True)
class Species:
    """What is planted: `grams` is what one tree costs, `survival` per mille are promised to live, spacing in metres."""

    key: str
    latin: str
    name: Text
    grams: int
    across: float
    along: float
    survival: int
    equation: str
    source: str


@dataclass(frozen=True, slots=True)
class Season:
    """A season of one species, and how many places are left in it: contracted, paid for and not promised."""

    key: str
    species: Species
    opens_at: datetime
    closes_at: datetime
    fact: uuid.UUID
    plots: int
    funded: int
    issued: int

    @property
    def rule(self) -> Rule:
        """What decisions about it need."""
        return Rule(self.key, self.opens_at, self.closes_at)

    @property
    def half(self) -> str:
        """`2027S` or `2027A`."""
        return self.rule.half

    @property
    def free(self) -> int:
        """Places that can be promised."""
        return self.funded - self.issued


def _species(found: dict[str, Any]) -> Species:
    return Species(
        found["species"],
        found["latin"],
        Text(found["name_en"], found["name_zh"]),
        found["grams"],
        found["across"] / 10,
        found["along"] / 10,
        found["survival"],
        found["equation"],
        found["source"],
    )


SPECIES = "SELECT key AS species, latin, name_en, name_zh, grams, across, along, survival, equation, source"


def all_species() -> list[Species]:
    """Every species, cheapest first."""
    return [_species(found) for found in rows(f"{SPECIES} FROM forest_species ORDER BY grams, key")]


def species(key: str) -> Species:
    """One species. Raises `NotFound` (`species.unknown`)."""
    found = row(f"{SPECIES} FROM forest_species WHERE key = %(key)s", {"key": key})
    if found is None:
        raise NotFound("species.unknown", Text("There is no such species here.", "这里没有这个树种。"))
    return _species(found)


SEASON = """
    SELECT s.key, s.opens_at, s.closes_at, s.fact, p.plots, p.funded, p.issued,
           f.key AS species, f.latin, f.name_en, f.name_zh, f.grams, f.across, f.along, f.survival, f.equation, f.source
    FROM forest_season s JOIN forest_species f ON f.key = s.species,
    LATERAL (SELECT count(*) AS plots, coalesce(sum(least(funded, capacity)), 0)::bigint AS funded,
                    coalesce(sum(issued), 0)::bigint AS issued FROM forest_plot WHERE season = s.key) p"""


def _season(found: dict[str, Any]) -> Season:
    return Season(
        found["key"],
        _species(found),
        found["opens_at"],
        found["closes_at"],
        found["fact"],
        found["plots"],
        found["funded"],
        found["issued"],
    )


def seasons() -> list[Season]:
    """Every season, newest first."""
    return [_season(found) for found in rows(f"{SEASON} ORDER BY s.closes_at DESC, f.grams")]


def open_seasons(now: datetime) -> list[Season]:
    """Seasons in which places are promised now, cheapest species first; full ones too."""
    found = rows(
        f"{SEASON} WHERE s.opens_at <= %(now)s AND s.closes_at > %(now)s ORDER BY f.grams, s.key", {"now": now}
    )
    return [_season(each) for each in found]


def season(key: str) -> Season:
    """One season. Raises `NotFound` (`season.unknown`)."""
    found = row(f"{SEASON} WHERE s.key = %(key)s", {"key": key})
    if found is None:
        raise NotFound("season.unknown", Text("There is no such season.", "没有这个种植季。"))
    return _season(found)
