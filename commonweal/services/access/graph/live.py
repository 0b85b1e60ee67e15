"""Where a live barrier stands: from a point, a line or an area to the edges and vertices of a graph."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from commonweal.kernel.errors import Invalid, NotFound, TooLarge
from commonweal.kernel.text import Text
from commonweal.services.access.graph.build import CELL, metres
from commonweal.services.access.graph.overlay import Barrier
from commonweal.services.access.graph.router import Point, Router, check_point
from commonweal.services.access.graph.search import near
from commonweal.services.access.rules import Fact
from commonweal.services.access.trust import Standing

MAX_POINTS = 1_000
"""The most points of a line or area."""
MAX_EXTENT_M = 5_000.0
BESIDE_M = 4.0
"""A barrier blocks every street this near, metres."""
SEARCH_M = 20.0
"""Without one, the nearest street within this distance, metres."""
STATION_M = 100.0
"""The lifts within this belong to a stop, metres."""
FACTS: dict[str, Fact] = {
    "lift": Fact("lift", "out", note="report"),
}
"""What a report of a kind states; any other kind states an obstruction."""


def fact_of(kind: str) -> Fact:
    """The fact that a confirmed report of `kind` states."""
    return FACTS.get(kind, Fact("obstruction", "blocked", note=kind))


def check_shape(points: list[Point]) -> list[Point]:
    """Return the points of a barrier if they can be. Raises `TooLarge` (`barrier.points`, `barrier.extent`) and
    `Invalid` (`barrier.points`, `point.form`)."""
    if not points:
        raise Invalid("barrier.points", Text("Say where the barrier is.", "请说明障碍的位置。"), field="geometry")
    if len(points) > MAX_POINTS:
        raise TooLarge(
            "barrier.points",
            Text("A barrier has at most {most} points.", "障碍的形状最多 {most} 个点。").format(most=MAX_POINTS),
            field="geometry",
        )
    checked = [check_point(point, "geometry") for point in points]
    south, north = min(p[0] for p in checked), max(p[0] for p in checked)
    west, east = min(p[1] for p in checked), max(p[1] for p in checked)
    if float(metres(south, west, north, east)) > MAX_EXTENT_M:
        raise TooLarge(
            "barrier.extent",
            Text("A barrier is at most {most} km across.", "障碍的范围最大 {most} 公里。").format(
                most=int(MAX_EXTENT_M / 1000)
            ),
            field="geometry",
        )
    return checked


def place(
    router: Router,
    name: str,
    kind: str,
    standing: Standing,
    points: list[Point],
    *,
    area: bool = False,
    exact: bool = True,
    source: str = "",
    since: str = "",
) -> Barrier:
    """A barrier on the graph: at a point, along a line, or over an area. A lift is looked for among the vertices: the
    nearest, or with `exact=False` all around. `source` and `since` (a day) are stated with it in refusals.

    Raises what `check_shape` raises, and `NotFound` (`barrier.nowhere`) if there is no street.
    """
    points = check_shape(points)
    fact = fact_of(kind)
    if source:
        fact = dataclasses.replace(fact, tags=(("since", since), ("source", source)))
    if fact.attribute == "lift":
        near_by = lifts(router, points[0], SEARCH_M if exact else STATION_M)
        if not near_by:
            raise NotFound(
                "barrier.nowhere",
                Text("There is no lift on this map here.", "此处没有本地图的电梯。"),
                field="geometry",
            )
        vertices = near_by[0] if exact else tuple(sorted(vertex for lift in near_by for vertex in lift))
        return Barrier(name, standing, vertices=vertices, fact=fact)
    edges: set[int] = set()
    for point in _dense(points, closed=area):
        edges |= _edges(router, point, BESIDE_M)
    if area and len(points) > 2:
        edges |= _inside(router, points)
    if not edges:
        found = router.nearby(points[0], SEARCH_M)
        if not len(found.edges):
            raise NotFound(
                "barrier.nowhere",
                Text("There is no street of this map here.", "此处没有本地图的道路。"),
                field="geometry",
            )
        edges = {int(found.edges[0])}
    return Barrier(name, standing, edges=tuple(sorted(edges)), fact=fact)


def _edges(router: Router, point: Point, radius: float) -> set[int]:
    a = router.arrays
    found = near(point[0], point[1], radius, CELL, a.g_cell, a.g_first, a.g_segment, a.s_edge, a.s_lat, a.s_lon)[0]
    return {int(edge) for edge in found}


def _dense(points: list[Point], *, closed: bool) -> list[Point]:
    """The points with others between them, none farther than twice `BESIDE_M` from the next."""
    ring = [*points, points[0]] if closed and len(points) > 2 else points
    dense = ring[:1]
    for one, two in itertools.pairwise(ring):
        parts = max(1, math.ceil(float(metres(*one, *two)) / (2 * BESIDE_M)))
        dense.extend(
            (one[0] + (two[0] - one[0]) * k / parts, one[1] + (two[1] - one[1]) * k / parts)
            for k in range(1, parts + 1)
        )
    return dense


def _inside(router: Router, ring: list[Point]) -> set[int]:
    """Edges with a shape point in a ring (even-odd rule)."""
    a = router.arrays
    lat, lon = a.s_lat, a.s_lon
    south, north, west, east = (f(p[k] for p in ring) for k in (0, 1) for f in (min, max))
    near_ = np.flatnonzero((lat >= south) & (lat <= north) & (lon >= west) & (lon <= east))
    inside = np.zeros(len(near_), bool)
    y, x = lat[near_], lon[near_]
    for (y1, x1), (y2, x2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if y1 != y2:
            inside ^= ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return {int(edge) for edge in np.unique(a.s_edge[near_[inside]])}


def lifts(router: Router, point: Point, radius: float) -> list[tuple[int, ...]]:
    """The lifts within `radius` metres, nearest first: the vertex of each, or both ends of one drawn as a way."""
    a, rows = router.arrays, router.graph.rows
    found: dict[tuple[int, ...], float] = {}
    for edge in _edges(router, point, radius):
        ends = int(a.e_u[edge]), int(a.e_v[edge])
        if any(fact.attribute == "lift" for fact in rows[int(a.e_row[edge])].facts):
            found[tuple(sorted(set(ends)))] = min(_away(router, vertex, point) for vertex in ends)
        for vertex in ends:
            row = int(a.v_row[vertex])
            if row >= 0 and any(fact.attribute == "lift" for fact in rows[row].facts):
                away = _away(router, vertex, point)
                if away <= radius:
                    found[(vertex,)] = away
    return sorted(found, key=lambda lift: (found[lift], lift))


def _away(router: Router, vertex: int, point: Point) -> float:
    return float(metres(router.arrays.v_lat[vertex], router.arrays.v_lon[vertex], *point))


def read_barriers(router: Router, path: Path) -> int:
    """Lay the barriers of a JSON file over the graph: `[{"lat":…, "lon":…, "kind":…, "standing":…}]`, or `points` and
    `area` instead of a place. Raises `Invalid` (`barriers.form`) and what `place` raises. Returns how many."""
    try:
        listed: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        barriers = []
        for number, entry in enumerate(listed, 1):
            points = [(float(lat), float(lon)) for lat, lon in entry.get("points") or [(entry["lat"], entry["lon"])]]
            standing = entry.get("standing", "confirmed")
            if standing not in ("doubted", "confirmed", "cleared"):
                raise ValueError(f"standing {standing!r}")
            name = str(entry.get("id", number))
            area = bool(entry.get("area", False))
            barriers.append((number, place(router, name, str(entry.get("kind", "other")), standing, points, area=area)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(
            "barriers.form",
            Text("{name} is no list of barriers: {reason}.", "{name} 不是障碍列表：{reason}。").format(
                name=path.name, reason=str(error)[:120]
            ),
            field="barriers",
        ) from None
    router.overlay.apply(barriers)
    return len(barriers)
