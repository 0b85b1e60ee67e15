"""Outlines in degrees (WGS 84): read from GeoJSON, refused if they cross themselves, compared with one another."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from commonweal.kernel.errors import Conflict, Invalid, TooLarge
from commonweal.kernel.geo import EARTH_RADIUS
from commonweal.kernel.text import Text

Point = tuple[float, float]
MOST_CORNERS = 2000


@dataclass(frozen=True, slots=True)
class Outline:
    """Corners as (longitude, latitude), counter-clockwise, the first not repeated; `area` in square metres."""

    corners: tuple[Point, ...]
    area: float

    def holds(self, point: Point) -> bool:
        """Whether the point lies inside (even-odd rule; the border may be either)."""
        return _inside(point, self.corners)

    @property
    def inside(self) -> Point:
        """A point that is certainly inside."""
        return _within(self.corners)


def read_outline(text: str) -> Outline:
    """The outline in a GeoJSON Polygon, bare or as a Feature. Raises as `check_outline`, and `plot.form`."""
    try:
        shape: Any = json.loads(text)
        shape = shape.get("geometry", shape)
        if shape["type"] != "Polygon" or len(shape["coordinates"]) != 1:
            raise ValueError("one ring is needed")
        ring = [(float(p[0]), float(p[1])) for p in shape["coordinates"][0]]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise _wrong("form", "Give a GeoJSON polygon without holes.", "请提供不带孔洞的 GeoJSON 多边形。") from error
    return check_outline(ring)


def check_outline(ring: Sequence[Point]) -> Outline:
    """The outline of a ring of corners (longitude, latitude), closed or not.

    Raises `TooLarge` (`plot.corners`) or `Invalid`: `plot.coordinate`, `plot.corners`, `plot.crosses-itself`.
    """
    corners = list(ring[:-1] if len(ring) > 1 and ring[0] == ring[-1] else ring)
    if len(corners) > MOST_CORNERS:
        raise TooLarge(
            "plot.corners", Text("A plot has at most 2,000 corners.", "地块最多 2,000 个顶点。"), field="outline"
        )
    if not all(abs(x) <= 180 and abs(y) <= 90 for x, y in corners):
        raise _wrong("coordinate", "A corner is not on the globe.", "有顶点不在地球上。")
    if len(set(corners)) < 3:
        raise _wrong("corners", "A plot has at least three corners.", "地块至少有三个顶点。")
    if len(set(corners)) < len(corners) or _crosses_itself(corners):
        raise _wrong("crosses-itself", "The plot's outline crosses itself.", "地块边界自相交。")
    signed = _signed_area(corners)
    if abs(signed) < 1:
        raise _wrong("corners", "The plot has no area.", "地块面积为零。")
    return Outline(tuple(corners if signed > 0 else reversed(corners)), abs(signed))


def overlap(one: Outline, two: Outline) -> bool:
    """Whether two plots share ground: a side crosses, or one lies within the other. Touching sides do not count."""
    a, b = one.corners, two.corners
    if max(x for x, _ in a) <= min(x for x, _ in b) or max(x for x, _ in b) <= min(x for x, _ in a):
        return False
    if max(y for _, y in a) <= min(y for _, y in b) or max(y for _, y in b) <= min(y for _, y in a):
        return False
    if any(_cross(p, q, r, s) for p, q in _sides(a) for r, s in _sides(b)):
        return True
    return _inside(one.inside, b) or _inside(two.inside, a)


def refuse_overlap(new: Outline, known: Sequence[tuple[str, Outline]]) -> None:
    """Raise `Conflict` `plot.overlaps` if the new plot shares ground with a known one, of whichever programme."""
    for name, outline in known:
        if overlap(new, outline):
            raise Conflict(
                "plot.overlaps",
                Text(
                    "This plot overlaps {name}; one ground, one promise.", "该地块与 {name} 重叠；一块地只能承诺一次。"
                ).format(name=name),
                field="outline",
            )


def _sides(corners: Sequence[Point]) -> list[tuple[Point, Point]]:
    return list(zip(corners, (*corners[1:], corners[0]), strict=True))


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _cross(p: Point, q: Point, r: Point, s: Point) -> bool:
    return _turn(p, q, r) * _turn(p, q, s) < 0 and _turn(r, s, p) * _turn(r, s, q) < 0


def _touches(p: Point, q: Point, c: Point) -> bool:
    within = min(p[0], q[0]) <= c[0] <= max(p[0], q[0]) and min(p[1], q[1]) <= c[1] <= max(p[1], q[1])
    return within and _turn(p, q, c) == 0


def _crosses_itself(corners: Sequence[Point]) -> bool:
    sides = _sides(corners)
    for i, (p, q) in enumerate(sides):
        for j in range(i + 1, len(sides)):
            r, s = sides[j]
            if _cross(p, q, r, s):
                return True
            neighbours = j == i + 1 or (i == 0 and j == len(sides) - 1)
            if not neighbours and (_touches(p, q, r) or _touches(p, q, s) or _touches(r, s, p) or _touches(r, s, q)):
                return True
            # Neighbours share one corner; folding back over one another they share more.
            far, near = (s, p) if j == i + 1 else (r, q)
            if neighbours and (_touches(p, q, far) or _touches(r, s, near)):
                return True
    return False


def _inside(point: Point, corners: Sequence[Point]) -> bool:
    x, y = point
    inside = False
    for (ax, ay), (bx, by) in _sides(corners):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside


def _within(corners: Sequence[Point]) -> Point:
    """A point certainly inside: the middle of the widest stretch of a line through the polygon."""
    ys = sorted({y for _, y in corners})
    y = max(((b - a, (a + b) / 2) for a, b in itertools.pairwise(ys)))[1]
    xs = sorted((bx - ax) * (y - ay) / (by - ay) + ax for (ax, ay), (bx, by) in _sides(corners) if (ay > y) != (by > y))
    left, right = max(zip(xs[::2], xs[1::2], strict=True), key=lambda pair: pair[1] - pair[0])
    return (left + right) / 2, y


def _signed_area(corners: Sequence[Point]) -> float:
    """Square metres on the sphere seen flat at the plot's own latitude: exact to 0.1 % for plots below 100 km."""
    middle = sum(y for _, y in corners) / len(corners)
    east, north = EARTH_RADIUS * math.radians(1) * math.cos(math.radians(middle)), EARTH_RADIUS * math.radians(1)
    twice = sum(ax * by - bx * ay for (ax, ay), (bx, by) in _sides(corners))
    return twice / 2 * east * north


def _wrong(code: str, en: str, zh: str) -> Invalid:
    return Invalid(f"plot.{code}", Text(en, zh), field="outline")
