"""Where the trees of a plot are to stand: a grid of rows, cut into permanent sub-plots of 7 by 7 places.

It follows from the outline and the spacing alone, so anybody can lay it out again and get the same places.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from commonweal.kernel.geo import EARTH_RADIUS
from commonweal.services.forest.plots.outline import Outline

BLOCK = 7
"""Places along each side of a sub-plot."""
LEAST_IN_SUBPLOT = 20
"""A sub-plot at the border with fewer places is joined to its neighbour."""
STEPS = 1 << 30
"""Steps of web mercator around the globe."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place for one tree: its number in the plot from 1, its sub-plot from 1, degrees (WGS 84)."""

    seq: int
    subplot: int
    longitude: float
    latitude: float


def lay_out(outline: Outline, across: float, along: float) -> list[Place]:
    """The places of a plot with `across` metres between rows and `along` metres between trees of a row.

    Rows run west to east from the southern border. Places are numbered sub-plot by sub-plot, so that a sub-plot is one
    range of numbers.
    """
    grid = sorted(_grid(outline, across, along), key=lambda p: (p[0] // BLOCK, p[1] // BLOCK, p[0], p[1]))
    blocks: dict[tuple[int, int], list[tuple[int, int, float, float]]] = {}
    for place in grid:
        blocks.setdefault((place[0] // BLOCK, place[1] // BLOCK), []).append(place)
    subplots: list[list[tuple[int, int, float, float]]] = []
    for block in blocks.values():
        if subplots and len(subplots[-1]) < LEAST_IN_SUBPLOT:
            subplots[-1] += block
        else:
            subplots.append(block)
    if len(subplots) > 1 and len(subplots[-1]) < LEAST_IN_SUBPLOT:
        subplots[-2] += subplots.pop()
    places: list[Place] = []
    for number, block in enumerate(subplots, 1):
        places += [Place(len(places) + n, number, x, y) for n, (_, _, x, y) in enumerate(block, 1)]
    return places


def _grid(outline: Outline, across: float, along: float) -> Iterator[tuple[int, int, float, float]]:
    """Row, column, longitude and latitude of each place within the outline."""
    corners = outline.corners
    south, north = min(y for _, y in corners), max(y for _, y in corners)
    west = min(x for x, _ in corners)
    metre = 1 / (EARTH_RADIUS * math.radians(1))
    step_y = across * metre
    step_x = along * metre / math.cos(math.radians((south + north) / 2))
    sides = list(zip(corners, (*corners[1:], corners[0]), strict=True))
    for row in range(math.ceil((north - south) / step_y)):
        y = south + (row + 0.5) * step_y
        cuts = sorted((bx - ax) * (y - ay) / (by - ay) + ax for (ax, ay), (bx, by) in sides if (ay > y) != (by > y))
        for left, right in zip(cuts[::2], cuts[1::2], strict=True):
            first = math.ceil((left - west) / step_x - 0.5)
            for column in range(first, math.ceil((right - west) / step_x - 0.5)):
                yield row, column, west + (column + 0.5) * step_x, y


def mercator(longitude: float, latitude: float) -> tuple[int, int]:
    """Web mercator in steps of 1/2^30 of the globe, from the north-west corner."""
    sine = math.sin(math.radians(latitude))
    x = (longitude + 180) / 360
    y = 0.5 - math.log((1 + sine) / (1 - sine)) / (4 * math.pi)
    return min(STEPS - 1, max(0, int(x * STEPS))), min(STEPS - 1, max(0, int(y * STEPS)))


def degrees(x: float, y: float) -> tuple[float, float]:
    """Longitude and latitude of a position in steps."""
    return x / STEPS * 360 - 180, math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / STEPS))))
