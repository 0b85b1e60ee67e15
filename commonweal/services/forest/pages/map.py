"""The public forest: a map of every place and every tree, with a table beside it. It needs no script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from commonweal.kernel.text import Text
from commonweal.services.forest.pages.plots import Drawn
from commonweal.services.forest.pictures.cells import SIDE, cell_map, net_step, tree_map
from commonweal.services.forest.planting import mercator
from commonweal.services.forest.planting.layout import STEPS
from commonweal.services.forest.queries import numbers, tiles
from commonweal.services.forest.queries.certificates import Certificate
from commonweal.services.forest.rules.tiles import CELLS, DEEPEST, SINGLE, Tile, check_tile

ROWS = 24
"""Rows of the table; the rest is reached by going closer."""


@require_safe
def whole(request: HttpRequest) -> HttpResponse:
    """The part of the map that holds everything."""
    return _show(request, tiles.whole())


@require_safe
def part(request: HttpRequest, zoom: int, x: int, y: int) -> HttpResponse:
    """A part of the map."""
    return _show(request, check_tile(zoom, x, y))


def _show(request: HttpRequest, tile: Tile) -> HttpResponse:
    cells = tiles.cells(tile)
    single = tiles.trees(tile)
    largest = sorted(cells, key=lambda cell: -cell.places)[:ROWS] if tile.zoom < DEEPEST else []
    context: dict[str, Any] = {
        "tile": tile,
        "map": _draw(tile, cells, single),
        "places": sum(cell.places for cell in cells),
        "planted": sum(cell.planted for cell in cells),
        "rows": [(cell, tile.child(cell.x, cell.y), _where(tile, cell)) for cell in largest],
        "more": max(0, len(cells) - len(largest)),
        "trees": sorted(single, key=lambda tree: tree.number is None)[: ROWS * 2] if tile.zoom == DEEPEST else [],
        "plots": tiles.plots_in(tile),
        "ways": _ways(tile),
        "numbers": numbers.of_all(),
    }
    return render(request, "forest/map.html", context)


def _where(tile: Tile, cell: tiles.Cell) -> str:
    longitude, latitude = tiles.corner(tile, cell.x + 0.5, cell.y + 0.5)
    n = max(1, min(6, tile.zoom // 3))
    north, east = "N" if latitude >= 0 else "S", "E" if longitude >= 0 else "W"
    return f"{abs(latitude):.{n}f}°{north} {abs(longitude):.{n}f}°{east}"


def _ways(tile: Tile) -> list[tuple[Text, Tile]]:
    ways = [
        (Text("Farther away", "缩小"), tile.parent),
        (Text("North", "向北"), tile.beside(0, -1)),
        (Text("South", "向南"), tile.beside(0, 1)),
        (Text("West", "向西"), tile.beside(-1, 0)),
        (Text("East", "向东"), tile.beside(1, 0)),
    ]
    return [(title, to) for title, to in ways if to is not None and to != tile]


def _draw(tile: Tile, cells: list[tiles.Cell], single: list[tiles.Tree]) -> Drawn:
    label = Text("Map: {n} places, {m} trees planted", "地图：{n} 个位置，已栽 {m} 株").format(
        n=f"{sum(cell.places for cell in cells):,}", m=f"{sum(cell.planted for cell in cells):,}"
    )
    if tile.zoom >= SINGLE:
        size = STEPS >> tile.zoom
        spots = []
        for tree in single:
            x, y = mercator(tree.longitude, tree.latitude)
            kind = "tree" if tree.photographed else "planted" if tree.planted else "bare"
            spots.append(((x - tile.x * size) / size, (y - tile.y * size) / size, kind))
        inside = tree_map(spots, _net(tile))
    else:
        inside = cell_map([(cell.x, cell.y, cell.places, cell.planted) for cell in cells], _net(tile))
    return Drawn(mark_safe(inside), SIDE, SIDE, label)  # noqa: S308 (numbers and our own classes)


def _net(tile: Tile) -> list[tuple[str, float, str]]:
    """Lines of round degrees that cross a tile."""
    west, north = tiles.corner(tile)
    east, south = tiles.corner(tile, CELLS, CELLS)
    net = []
    step = net_step(east - west)
    for n in range(math.ceil(west / step), math.floor(east / step) + 1):
        net.append(("v", (n * step - west) / (east - west), _degrees(n * step, step)))
    step = net_step(north - south)
    size = STEPS >> tile.zoom
    for n in range(math.ceil(south / step), math.floor(north / step) + 1):
        net.append(("h", mercator(west, n * step)[1] / size - tile.y, _degrees(n * step, step)))
    return net


def _degrees(value: float, step: float) -> str:
    """A round degree with as many places as its step has."""
    return f"{value:.{max(0, -math.floor(math.log10(step)))}f}°"


def map_of(trees: Sequence[Certificate]) -> Drawn | None:
    """A map of some certificates' trees on our net of degrees; None without trees."""
    if not trees:
        return None
    spots = [(mercator(tree.longitude, tree.latitude), tree.captures > 0, tree.planted is not None) for tree in trees]
    tile = Tile(0, 0, 0)
    for zoom in range(1, SINGLE):
        within = {(x * 2**zoom // STEPS, y * 2**zoom // STEPS) for (x, y), _, _ in spots}
        if len(within) > 1:
            break
        tile = Tile(zoom, *within.pop())
    size = STEPS >> tile.zoom
    drawn = [
        ((x - tile.x * size) / size, (y - tile.y * size) / size, "tree" if shot else "mine" if planted else "bare")
        for (x, y), shot, planted in spots
    ]
    label = Text("Map of your trees: {n}", "您的树的地图：{n} 棵").format(n=len(trees))
    return Drawn(mark_safe(tree_map(drawn, _net(tile))), SIDE, SIDE, label)  # noqa: S308 (numbers and our own classes)


urlpatterns = [
    path("map/", whole, name="map"),
    path("map/<int:zoom>/<int:x>/<int:y>/", part, name="tile"),
]
