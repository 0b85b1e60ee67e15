"""The map of the forest for other programs: cells of a tile, or every tree near the ground."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from commonweal.services.forest.queries import tiles
from commonweal.services.forest.rules.tiles import check_tile

router = Router()


class CellOut(Schema):
    """A cell, 0..15 from the west and the north."""

    x: int
    y: int
    places: int
    planted: int


class TreeOut(Schema):
    """A place; `number` is its certificate, if it is promised."""

    plot: str
    seq: int
    longitude: float
    latitude: float
    planted: bool
    photographed: bool
    number: str | None


class TileOut(Schema):
    """A tile in 16 by 16 cells; from zoom 18 on also its places one by one."""

    cells: list[CellOut]
    trees: list[TreeOut]


@router.get("/map/{int:zoom}/{int:x}/{int:y}", response=TileOut, auth=None, summary="A tile of the map")
def tile(request: HttpRequest, response: HttpResponse, zoom: int, x: int, y: int) -> TileOut:
    """Web mercator, `0 <= zoom <= 19`, counted from the north-west."""
    found = check_tile(zoom, x, y)
    response["Cache-Control"] = "public, max-age=60"
    return TileOut(
        cells=[CellOut(x=each.x, y=each.y, places=each.places, planted=each.planted) for each in tiles.cells(found)],
        trees=[
            TreeOut(
                plot=each.plot,
                seq=each.seq,
                longitude=round(each.longitude, 7),
                latitude=round(each.latitude, 7),
                planted=each.planted,
                photographed=each.photographed,
                number=each.number,
            )
            for each in tiles.trees(found)
        ],
    )
