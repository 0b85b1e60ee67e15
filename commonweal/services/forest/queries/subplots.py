"""The permanent sub-plots of a plot: where they lie, how much of each is planted, what the last survey did there."""

from __future__ import annotations

from dataclasses import dataclass

from commonweal.kernel.sql import rows
from commonweal.services.forest.planting import degrees


@dataclass(frozen=True, slots=True)
class Subplot:
    """`planted` of its `places`; west, south, east, north in degrees; `chosen` and `alive` of the newest survey."""

    number: int
    places: int
    planted: int
    first: int
    last: int
    west: float
    south: float
    east: float
    north: float
    chosen: bool
    alive: int | None


SUBPLOTS = """
    WITH newest AS (SELECT s.id FROM forest_survey s WHERE s.plot = %(plot)s ORDER BY s.at DESC LIMIT 1)
    SELECT p.subplot AS number, count(*) AS places, count(g.span) AS planted, min(p.seq) AS first, max(p.seq) AS last,
           min(p.x) AS west, max(p.y) AS south, max(p.x) AS east, min(p.y) AS north,
           coalesce(bool_or(p.subplot = ANY(d.chosen)), false) AS chosen, min(c.alive) AS alive
    FROM forest_position p
    LEFT JOIN forest_planting g ON g.plot = p.plot AND g.duty IS NULL AND g.span @> p.seq
    LEFT JOIN newest ON true LEFT JOIN forest_draw d ON d.survey = newest.id
    LEFT JOIN forest_count c ON c.survey = newest.id AND c.subplot = p.subplot
    WHERE p.plot = %(plot)s GROUP BY p.subplot ORDER BY p.subplot"""


def subplots(plot: int) -> list[Subplot]:
    """All of them, in their order."""
    found = []
    for each in rows(SUBPLOTS, {"plot": plot}):
        west, south = degrees(each.pop("west"), each.pop("south"))
        east, north = degrees(each.pop("east"), each.pop("north"))
        found.append(Subplot(west=west, south=south, east=east, north=north, **each))
    return found
