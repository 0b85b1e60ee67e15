"""A plot seen from above: its outline, its sub-plots, trees that were photographed, what was seen cleared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from commonweal.services.forest.plots.outline import Outline, Point

WIDTH = 640
MARGIN = 8
MOST_PATCHES = 400
"""Sub-plots that are drawn; of more, only those that a survey has chosen."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A sub-plot as a rectangle in degrees, and what is said of it: a class of the style sheet."""

    west: float
    south: float
    east: float
    north: float
    kind: str


@dataclass(frozen=True, slots=True)
class Spot:
    """A single tree in degrees."""

    longitude: float
    latitude: float
    kind: str


def plot_map(outline: Outline, patches: Sequence[Patch], spots: Sequence[Spot]) -> tuple[str, int, int]:
    """The inside of the SVG with its width and height; north is up. Its scale is a bar of a round length."""
    west, east = min(x for x, _ in outline.corners), max(x for x, _ in outline.corners)
    south, north = min(y for _, y in outline.corners), max(y for _, y in outline.corners)
    narrow = math.cos(math.radians((south + north) / 2))
    scale = (WIDTH - 2 * MARGIN) / max((east - west) * narrow, (north - south))
    height = round((north - south) * scale + 2 * MARGIN) + 24

    def at(point: Point) -> tuple[float, float]:
        return MARGIN + (point[0] - west) * narrow * scale, MARGIN + (north - point[1]) * scale

    width = round((east - west) * narrow * scale + 2 * MARGIN)
    corners = "L".join(f"{x:.1f} {y:.1f}" for x, y in map(at, outline.corners))
    drawn = [f'<path class="plot" d="M{corners}Z"/>']
    shown = patches if len(patches) <= MOST_PATCHES else [patch for patch in patches if patch.kind != "planted"]
    for kind in dict.fromkeys(patch.kind for patch in shown):
        path = ""
        for patch in shown:
            if patch.kind == kind:
                (x, y), (u, v) = at((patch.west, patch.north)), at((patch.east, patch.south))
                path += f"M{x:.0f} {y:.0f}H{u:.0f}V{v:.0f}H{x:.0f}Z"
        drawn.append(f'<path class="{kind}" d="{path}"/>')
    for kind in dict.fromkeys(spot.kind for spot in spots):
        dots = "".join(
            f"M{x - 4:.0f} {y:.0f}a4 4 0 1 0 8 0a4 4 0 1 0-8 0"
            for x, y in (at((spot.longitude, spot.latitude)) for spot in spots if spot.kind == kind)
        )
        drawn.append(f'<path class="{kind}" d="{dots}"/>')
    metres = _round(120 / scale * 111_195)
    bar = metres / 111_195 * scale
    foot = height - 10
    drawn.append(f'<path class="scale" d="M{MARGIN} {foot}h{bar:.0f}"/>')
    drawn.append(f'<text x="{MARGIN + bar + 8:.0f}" y="{foot + 4}">{metres:g} m</text>')
    return "".join(drawn), max(width, 260), height


def _round(metres: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is not more."""
    power = math.pow(10, math.floor(math.log10(metres)))
    return max(n * power for n in (1.0, 2.0, 5.0) if n * power <= metres)
