"""A map on a page: drawn as SVG, and where tiles have been made, one that can be moved once somebody asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from commonweal.kernel.text import Text
from commonweal.services.access.downloads import PREFIX
from commonweal.services.access.graph.tiles import FILE
from commonweal.services.access.queries import Region

Mark = tuple[float, float, str]
"""Latitude, longitude, and what it is: `start`, `goal` or `barrier`."""


@dataclass(frozen=True)
class Map:
    """What `access/map.html` shows. `tiles` is where the tiles are, empty if there are none; `data` is what lies on
    them: `line` and `marks` as longitude and latitude, `bounds` as west, south, east, north."""

    svg: SafeString
    licence: str
    approval: str
    tiles: str
    data: dict[str, Any]


def drawn(region: Region, title: Text, line: Sequence[Sequence[float]] = (), marks: Sequence[Mark] = ()) -> Map:
    """The streets around a line and marks."""
    from commonweal.services.access import queries
    from commonweal.services.access.graph import drawing

    svg = drawing.draw(queries.router(region), line, marks, str(title))
    south, west, north, east = region.meta["bounds"]
    spots = [(lon, lat) for lon, lat in line] + [(lon, lat) for lat, lon, _ in marks]
    if spots:
        west, east = min(lon for lon, _ in spots), max(lon for lon, _ in spots)
        south, north = min(lat for _, lat in spots), max(lat for _, lat in spots)
    made = (region.folder / FILE).exists()
    return Map(
        svg=mark_safe(svg),  # noqa: S308  (our own; nothing comes from outside but numbers)
        licence=region.meta["licence"],
        approval=settings.MAP_APPROVAL,
        tiles=f"{PREFIX}{region.name}/{FILE}?{region.meta['build'][:12]}" if made else "",
        data={
            "line": [list(point) for point in line],
            "marks": [[lon, lat, kind] for lat, lon, kind in marks],
            "bounds": [west, south, east, north],
        },
    )
