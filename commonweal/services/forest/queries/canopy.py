"""What satellites saw of a plot."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from commonweal.kernel.errors import NotFound
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text


@dataclass(frozen=True, slots=True)
class Clearing:
    """Canopy lost: `share` per mille of the plot; NDVI before and after in ten-thousandths; the id is its leaf."""

    id: uuid.UUID
    plot: int
    seen: datetime
    confirmed: datetime
    share: int
    before: int
    after: int


CLEARING = "SELECT id, plot, seen, confirmed, share, before, after FROM forest_clearing"


def clearings(plot: int) -> list[Clearing]:
    """Of a plot, newest first."""
    found = rows(f"{CLEARING} WHERE plot = %(plot)s ORDER BY seen DESC", {"plot": plot})
    return [Clearing(**each) for each in found]


def clearing(id: uuid.UUID) -> Clearing:
    """One clearing. Raises `NotFound` (`clearing.unknown`)."""
    found = row(f"{CLEARING} WHERE id = %(id)s", {"id": id})
    if found is None:
        raise NotFound("clearing.unknown", Text("There is no such clearing.", "没有这条记录。"))
    return Clearing(**found)


def series(plot: int) -> list[tuple[date, int]]:
    """Median NDVI of a plot on days when it was clear, in hundredths, oldest first."""
    query = "SELECT at, ndvi FROM forest_series WHERE plot = %(plot)s ORDER BY at DESC LIMIT 120"
    return [(each["at"].date(), max(0, each["ndvi"]) // 100) for each in reversed(rows(query, {"plot": plot}))]
