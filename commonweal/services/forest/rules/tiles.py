"""Tiles of the map of the forest: the usual web mercator scheme, 16 by 16 cells a tile."""

from __future__ import annotations

from dataclasses import dataclass

from commonweal.kernel.errors import NotFound
from commonweal.kernel.text import Text

DEEPEST = 19
"""Zoom at which a tile is 76 m wide at the equator."""
COUNTED = 15
"""Up to this zoom, cells are read as counted; beyond it, from the positions themselves."""
SINGLE = 18
"""From this zoom on, trees are shown one by one."""
CELLS = 16


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile: `0 <= x, y < 2**zoom`, from the north-west."""

    zoom: int
    x: int
    y: int

    @property
    def parent(self) -> Tile | None:
        """The tile that holds this one."""
        return Tile(self.zoom - 1, self.x // 2, self.y // 2) if self.zoom else None

    def child(self, x: int, y: int) -> Tile:
        """The tile one zoom deeper that holds cell (x, y) of this one."""
        return Tile(self.zoom + 1, self.x * 2 + x * 2 // CELLS, self.y * 2 + y * 2 // CELLS)

    def beside(self, east: int, south: int) -> Tile | None:
        """The neighbour, around the globe to the east and west; None beyond a pole."""
        y = self.y + south
        return Tile(self.zoom, (self.x + east) % 2**self.zoom, y) if 0 <= y < 2**self.zoom else None


def check_tile(zoom: int, x: int, y: int) -> Tile:
    """Raises `NotFound` (`tile.unknown`) for a tile that does not exist."""
    if not (0 <= zoom <= DEEPEST and 0 <= x < 2**zoom and 0 <= y < 2**zoom):
        raise NotFound("tile.unknown", Text("There is no such part of the map.", "地图上没有这一块。"))
    return Tile(zoom, x, y)
