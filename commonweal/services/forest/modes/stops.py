"""Bus stops of a place, and how much a track's halts speak for a bus.

A bus halts where there are stops, a car where there are lights. Each halt near a stop speaks for the bus by the ratio
of the two chances, each halt elsewhere against it. The chances below are assumptions, chosen cautiously, until an
operator measures its own; the odds are bounded so that halts alone never decide.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.forest.tracks.fixes import Fix, distance

NEAR = 40.0
"""Metres between a halt and the stop it is at."""
HALT = 8, 180
"""Seconds that a halt at a stop lasts."""
BUS_AT_STOP, CAR_AT_STOP = 0.6, 0.2
"""The share of a vehicle's halts that are at bus stops."""
MOST_ODDS = 20.0
_CELL = 0.001


class Stops:
    """Stops of a place, found by cell of about 100 m."""

    def __init__(self, places: Sequence[tuple[float, float]]) -> None:
        self._cells: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
        for latitude, longitude in places:
            self._cells[math.floor(latitude / _CELL), math.floor(longitude / _CELL)].append((latitude, longitude))

    def near(self, fix: Fix) -> bool:
        """Whether there is a stop within `NEAR` metres."""
        row, column = math.floor(fix.latitude / _CELL), math.floor(fix.longitude / _CELL)
        return any(
            distance(fix, Fix(latitude, longitude, fix.at)) <= NEAR
            for r in (row - 1, row, row + 1)
            for c in (column - 1, column, column + 1)
            for latitude, longitude in self._cells.get((r, c), ())
        )


def read_stops(path: Path) -> Stops:
    """Stops from a GTFS `stops.txt` (columns `stop_lat`, `stop_lon`). Raises `Invalid` `stops.form`."""
    reader = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
    try:
        return Stops([(float(row["stop_lat"]), float(row["stop_lon"])) for row in reader if row["stop_lat"]])
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid(
            "stops.form", Text("This is not a GTFS stops.txt.", "这不是 GTFS 的 stops.txt。"), field="stops"
        ) from error


def halts(fixes: Sequence[Fix]) -> list[Fix]:
    """Where a track stands still for 8 to 180 seconds: the first fix of each such stretch, without the ends."""
    found = []
    start: int | None = None
    for i, (a, b) in enumerate(itertools.pairwise(fixes)):
        seconds = (b.at - a.at).total_seconds()
        standing = seconds > 0 and distance(a, b) / seconds < 1.0
        if standing and start is None:
            start = i
        elif not standing and start is not None:
            if start > 0 and HALT[0] <= (a.at - fixes[start].at).total_seconds() <= HALT[1]:
                found.append(fixes[start])
            start = None
    return found


def odds_of_bus(fixes: Sequence[Fix], stops: Stops) -> float:
    """By how much the halts multiply the odds of a bus: 1 says nothing; within 1/20 to 20."""
    odds = 1.0
    for halt in halts(fixes):
        odds *= BUS_AT_STOP / CAR_AT_STOP if stops.near(halt) else (1 - BUS_AT_STOP) / (1 - CAR_AT_STOP)
    return min(MOST_ODDS, max(1 / MOST_ODDS, odds))
