"""A map drawn as SVG: the streets around something, and a route over them. Needs no server, no script, no font."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from commonweal.services.access.graph.router import Router

SIZE = 640
MOST_EDGES = 1_200
Line = Sequence[Sequence[float]]
"""Longitude and latitude, as in GeoJSON."""


def draw(router: Router, line: Line = (), marks: Sequence[tuple[float, float, str]] = (), title: str = "") -> str:
    """An SVG of the streets around `line` and `marks` (latitude, longitude, class), or of the whole map if it is small.

    Classes: `street`, `closed` for steps, `way` for the line, and whatever the marks name. The title is for screen
    readers; the words of a route say the same.
    """
    a = router.arrays
    lats = [point[1] for point in line] + [mark[0] for mark in marks]
    lons = [point[0] for point in line] + [mark[1] for mark in marks]
    south, west, north, east = router.graph.bounds
    if lats:
        south, north, west, east = min(lats), max(lats), min(lons), max(lons)
    shrink = math.cos(math.radians((south + north) / 2))
    extent = max((north - south), (east - west) * shrink, 0.002) * 1.12
    top, left = (south + north) / 2 + extent / 2, (west + east) / 2 - extent / 2 / shrink

    def place(lat: float, lon: float) -> str:
        return f"{(lon - left) * shrink / extent * SIZE:.0f} {(top - lat) / extent * SIZE:.0f}"

    inside = (a.s_lat < top) & (a.s_lat > top - extent) & (a.s_lon > left) & (a.s_lon < left + extent / shrink)
    edges = np.unique(a.s_edge[inside])
    if len(edges) > MOST_EDGES:  # the longest ones carry the picture
        edges = np.sort(edges[np.argsort(-a.e_len[edges], kind="stable")[:MOST_EDGES]])
    paths: dict[str, list[str]] = {"street": [], "closed": []}
    for edge in edges:
        first, last = int(a.e_shape[edge]), int(a.e_shape[edge + 1])
        row = router.graph.rows[int(a.e_row[edge])]
        kind = "closed" if any(fact.attribute == "steps" and fact.value != 0 for fact in row.facts) else "street"
        points = [place(float(a.s_lat[k]), float(a.s_lon[k])) for k in range(first, last)]
        kept = [point for k, point in enumerate(points) if k == 0 or point != points[k - 1]]
        if len(kept) > 1:
            paths[kind].append("M" + "L".join(kept))
    parts = [f'<path class="{kind}" d="{"".join(drawn)}"/>' for kind, drawn in paths.items() if drawn]
    if line:
        parts.append(f'<path class="way" d="M{"L".join(place(lat, lon) for lon, lat in line)}"/>')
    for lat, lon, kind in marks:
        x, y = place(lat, lon).split()
        parts.append(f'<circle class="{kind}" cx="{x}" cy="{y}" r="7"/>')
    return f'<svg class="streets" viewBox="0 0 {SIZE} {SIZE}" role="img" aria-label="{title}">{"".join(parts)}</svg>'
