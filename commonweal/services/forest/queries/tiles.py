"""The map of a million trees: counts by cell, kept as an index; near the ground, the positions themselves."""

from __future__ import annotations

from dataclasses import dataclass

from commonweal.kernel.sql import rows
from commonweal.services.forest.planting.layout import STEPS, degrees
from commonweal.services.forest.rules.certificates import Number
from commonweal.services.forest.rules.tiles import CELLS, COUNTED, SINGLE, Tile


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a tile, 0..15 from the west and the north: places under contract, and trees planted in them."""

    x: int
    y: int
    places: int
    planted: int


@dataclass(frozen=True, slots=True)
class Tree:
    """A place near the ground; `number` is its certificate, if it is promised to somebody."""

    plot: str
    seq: int
    longitude: float
    latitude: float
    planted: bool
    photographed: bool
    number: str | None


# Each statement answers one tile by the range of an index. Few rows of few cells are read far from the ground.
FAR = """
    SELECT x - %(x)s AS x, y - %(y)s AS y, sum(trees)::int AS places, sum(planted)::int AS planted FROM forest_cell
    WHERE zoom = %(zoom)s AND x BETWEEN %(x)s AND %(x)s + 15 AND y BETWEEN %(y)s AND %(y)s + 15
    GROUP BY 1, 2 ORDER BY 2, 1"""

NEAR = """
    SELECT (p.x >> %(shift)s) - %(x)s AS x, (p.y >> %(shift)s) - %(y)s AS y, count(*)::int AS places,
           count(g.id)::int AS planted
    FROM forest_position p
    LEFT JOIN forest_planting g ON g.plot = p.plot AND g.duty IS NULL
        AND p.seq >= lower(g.span) AND p.seq < upper(g.span)
    WHERE (((p.x >> 14)::bigint << 16) | (p.y >> 14)) = %(tile)s
      AND p.x BETWEEN %(west)s AND %(east)s AND p.y BETWEEN %(north)s AND %(south)s
    GROUP BY 1, 2 ORDER BY 2, 1"""

TREES = """
    SELECT t.code AS plot, split_part(t.season, '-', 1) AS half, p.seq, p.x, p.y, g.id IS NOT NULL AS planted,
           EXISTS (SELECT FROM forest_capture k WHERE k.plot = p.plot AND k.seq = p.seq) AS photographed,
           c.ask IS NOT NULL AS promised
    FROM forest_position p JOIN forest_plot t ON t.id = p.plot
    LEFT JOIN forest_planting g ON g.plot = p.plot AND g.duty IS NULL
        AND p.seq >= lower(g.span) AND p.seq < upper(g.span)
    LEFT JOIN forest_certificate c ON c.plot = p.plot AND c.seq = p.seq
    WHERE (((p.x >> 14)::bigint << 16) | (p.y >> 14)) = %(tile)s
      AND p.x BETWEEN %(west)s AND %(east)s AND p.y BETWEEN %(north)s AND %(south)s
    ORDER BY t.code, p.seq"""


def cells(tile: Tile) -> list[Cell]:
    """The cells of a tile in which there are places."""
    if tile.zoom <= COUNTED:
        values = {"zoom": tile.zoom + 4, "x": tile.x * CELLS, "y": tile.y * CELLS}
        return [Cell(**found) for found in rows(FAR, values)]
    shift = 30 - (tile.zoom + 4)
    values = _bounds(tile) | {"shift": shift, "x": tile.x * CELLS, "y": tile.y * CELLS}
    return [Cell(**found) for found in rows(NEAR, values)]


def trees(tile: Tile) -> list[Tree]:
    """Every place of a tile near the ground, one by one; none farther up."""
    if tile.zoom < SINGLE:
        return []
    found = []
    for each in rows(TREES, _bounds(tile)):
        longitude, latitude = degrees(each["x"] + 0.5, each["y"] + 0.5)
        number = str(Number(each["plot"], each["half"], each["seq"])) if each["promised"] else None
        found.append(
            Tree(each["plot"], each["seq"], longitude, latitude, each["planted"], each["photographed"], number)
        )
    return found


def _bounds(tile: Tile) -> dict[str, int]:
    """The steps that a tile spans, and the tile of zoom 16 by which positions are found."""
    size = STEPS >> tile.zoom
    west, north = tile.x * size, tile.y * size
    above = tile.zoom - 16
    return {
        "west": west,
        "east": west + size - 1,
        "north": north,
        "south": north + size - 1,
        "tile": (tile.x >> above) << 16 | (tile.y >> above),
    }


def whole() -> Tile:
    """The deepest tile that holds every place there is; the whole world if there is none."""
    query = """
        SELECT min(x) AS west, max(x) AS east, min(y) AS north, max(y) AS south FROM forest_cell WHERE zoom = 19"""
    (found,) = rows(query)
    if found["west"] is None:
        return Tile(0, 0, 0)
    for zoom in range(COUNTED, -1, -1):
        shift = 19 - zoom
        if found["west"] >> shift == found["east"] >> shift and found["north"] >> shift == found["south"] >> shift:
            return Tile(zoom, found["west"] >> shift, found["north"] >> shift)
    return Tile(0, 0, 0)


def corner(tile: Tile, x: float = 0, y: float = 0) -> tuple[float, float]:
    """Longitude and latitude of a point of a tile, in cells from its north-west corner."""
    size = STEPS >> tile.zoom
    return degrees((tile.x + x / CELLS) * size, (tile.y + y / CELLS) * size)


@dataclass(frozen=True, slots=True)
class There:
    """A plot within a tile."""

    code: str
    places: int
    planted: int


def plots_in(tile: Tile, most: int = 50) -> list[There]:
    """The plots of a tile, largest first."""
    zoom = min(tile.zoom, COUNTED) + 4
    shift = tile.zoom + 4 - zoom
    query = """
        SELECT p.code, sum(c.trees)::int AS places, sum(c.planted)::int AS planted
        FROM forest_cell c JOIN forest_plot p ON p.id = c.plot
        WHERE c.zoom = %(zoom)s AND c.x BETWEEN %(x)s AND %(u)s AND c.y BETWEEN %(y)s AND %(v)s
        GROUP BY p.code ORDER BY 2 DESC, 1 LIMIT %(most)s"""
    x, y = tile.x * CELLS >> shift, tile.y * CELLS >> shift
    size = (CELLS >> shift) or 1
    values = {"zoom": zoom, "x": x, "u": x + size - 1, "y": y, "v": y + size - 1, "most": most}
    return [There(**found) for found in rows(query, values)]
