"""Photographs of single trees: what was taken, what is held, what stands near a point."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.geo import Point, distance
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.forest.planting import degrees, mercator
from commonweal.services.forest.rules.field import FAR, WIDE, Standing


@dataclass(frozen=True, slots=True)
class Capture:
    """A photograph of one tree; the id is its leaf. `spread` of its fixes and `away` from the planned position are
    millimetres; `compared` says whether near-copies were looked for; `counts` is a steward's word, if one was asked."""

    id: uuid.UUID
    plot: str
    seq: int
    latitude: float
    longitude: float
    spread: int
    away: int
    exif: str
    compared: bool
    photo: str
    taken_at: datetime
    counts: bool | None

    @property
    def settled(self) -> bool:
        """Whether its fixes agree to about a metre."""
        return self.spread <= WIDE

    @property
    def held(self) -> bool:
        """Whether it waits for a steward: the photograph's own words contradict the device."""
        return self.exif == "contradicts" and self.counts is None


CAPTURE = """
    SELECT c.id, p.code AS plot, c.seq, c.latitude, c.longitude, c.spread, c.away, c.exif, c.compared, c.photo,
           c.taken_at, w.counts
    FROM forest_capture c JOIN forest_plot p ON p.id = c.plot LEFT JOIN forest_capture_word w ON w.capture = c.id"""


def capture(id: uuid.UUID) -> Capture:
    """One capture. Raises `NotFound` (`capture.unknown`)."""
    found = row(f"{CAPTURE} WHERE c.id = %(id)s", {"id": id})
    if found is None:
        raise NotFound("capture.unknown", Text("There is no such photo.", "没有这张照片。"))
    return Capture(**found)


def by_content(content: bytes) -> Capture | None:
    """The capture that was sent with exactly this content."""
    found = row(f"{CAPTURE} WHERE c.content = %(content)s", {"content": content})
    return Capture(**found) if found else None


def original_known(original: bytes) -> bool:
    """Whether a photograph of these bytes is evidence already."""
    return row("SELECT FROM forest_capture WHERE original = %(original)s", {"original": original}) is not None


def of_plot(plot: int, seq: int | None = None, limit: int = 24) -> list[Capture]:
    """Captures of a plot, or of one of its positions, newest first."""
    query = f"{CAPTURE} WHERE c.plot = %(plot)s AND (%(seq)s::int IS NULL OR c.seq = %(seq)s) "
    query += "ORDER BY c.at DESC LIMIT %(limit)s"
    return [Capture(**found) for found in rows(query, {"plot": plot, "seq": seq, "limit": limit})]


def held() -> list[Capture]:
    """What waits for a steward, oldest first."""
    query = f"{CAPTURE} WHERE c.exif = 'contradicts' AND w.capture IS NULL ORDER BY c.at LIMIT 100"
    return [Capture(**found) for found in rows(query)]


def standing_near(plot: int, latitude: float, longitude: float) -> list[Standing]:
    """The planted positions of a plot within some metres of a point."""
    here = Point(latitude, longitude)
    reach = (FAR + 1) / 111_195
    (west, south), (east, north) = (mercator(longitude + s * 2 * reach, latitude + s * reach) for s in (-1, 1))
    query = """
        SELECT p.seq, p.x, p.y FROM forest_position p
        JOIN forest_planting g ON g.plot = p.plot AND g.duty IS NULL AND g.span @> p.seq
        WHERE p.plot = %(plot)s AND p.x BETWEEN %(west)s AND %(east)s AND p.y BETWEEN %(north)s AND %(south)s"""
    found = rows(query, {"plot": plot, "west": west, "east": east, "north": north, "south": south})
    return [Standing(each["seq"], distance(here, _point(each))) for each in found]


def _point(found: dict[str, Any]) -> Point:
    longitude, latitude = degrees(found["x"] + 0.5, found["y"] + 0.5)
    return Point(latitude, longitude)


def place(code: str, seq: int) -> Point:
    """Where a position was laid out."""
    query = "SELECT p.x, p.y FROM forest_position p JOIN forest_plot t ON t.id = p.plot WHERE t.code = %(code)s"
    found = row(f"{query} AND p.seq = %(seq)s", {"code": code, "seq": seq})
    if found is None:
        raise NotFound("plot.unknown", Text("There is no such plot.", "没有这个地块。"))
    return _point(found)
