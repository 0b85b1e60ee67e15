"""A million trees on a map: the time of a tile by the API, the weight of the first view; the obvious SQL beside it."""

from __future__ import annotations

import gzip
import math
import random
import time
from datetime import date
from types import ModuleType

from bench.figure import Figure, figure
from bench.forest.ground import SEED, judged
from bench.ground import server
from commonweal.services.forest.rules.tiles import DEEPEST, Tile
from commonweal.services.forest.tests.ground import open_plot

EACH = 5_000
"""Trees of a plot: 50 rows of 100, 3 by 5 m."""
PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"
OBVIOUS = """
    SELECT x >> %(shift)s, y >> %(shift)s, count(*), count(g.id) FROM forest_position p
    LEFT JOIN forest_planting g ON g.plot = p.plot AND g.duty IS NULL AND g.span @> p.seq
    WHERE x >> %(top)s = %(x)s AND y >> %(top)s = %(y)s GROUP BY 1, 2
"""


def tiles(trees: int = 1_000_000, asks: int = 1_500) -> Figure:
    """The 95th percentile of a tile's time over every zoom, warm, judged by counting; and what a first view weighs."""
    with server() as started:
        _plant(started.conninfo(), trees)
        from django.conf import settings
        from django.db import connection
        from django.test import Client, override_settings

        from commonweal.services.forest.queries import tiles as queries

        client, dice = Client(), random.Random(SEED)
        asked = [_somewhere(dice, queries) for _ in range(asks)]
        for tile in asked[:50]:
            client.get(f"/api/v1/forest/map/{tile.zoom}/{tile.x}/{tile.y}")
        taken, by_zoom = [], dict[int, list[float]]()
        for tile in asked:
            start = time.perf_counter()
            answer = client.get(f"/api/v1/forest/map/{tile.zoom}/{tile.x}/{tile.y}")
            taken.append((time.perf_counter() - start) * 1000)
            by_zoom.setdefault(tile.zoom, []).append(taken[-1])
            assert answer.status_code == 200
        right, obvious = True, []
        for tile in [Tile(0, 0, 0), *dice.sample(asked, 40)]:
            values = {"shift": 26 - tile.zoom, "top": 30 - tile.zoom, "x": tile.x, "y": tile.y}
            start = time.perf_counter()
            with connection.cursor() as cursor:
                cursor.execute(OBVIOUS, values)
                judge = {(x % 16, y % 16, n, m) for x, y, n, m in cursor.fetchall()}
            obvious.append((time.perf_counter() - start) * 1000)
            right = right and judge == {(c.x, c.y, c.places, c.planted) for c in queries.cells(tile)}
        start = time.perf_counter()
        with override_settings(STORAGES=settings.STORAGES | {"staticfiles": {"BACKEND": PLAIN}}):
            page = client.get("/zh/forest/map/")
        first = (time.perf_counter() - start) * 1000
        world = sum(cell.places for cell in queries.cells(Tile(0, 0, 0)))
    weight = len(gzip.compress(page.content))
    print(
        f"{world:,} trees; slowest zoom "
        + max((f"{_p95(found):.1f} ms at {zoom}" for zoom, found in by_zoom.items()), key=lambda s: float(s.split()[0]))
        + f"; first view {first:.0f} ms, {weight / 1000:.1f} kB of 200; every tile judged right: {right}"
    )
    found = figure(
        "forest map, p95 of a tile",
        _p95(taken),
        "ms",
        anchor="the obvious GROUP BY, p95",
        anchor_value=_p95(obvious),
        n=asks,
        most=50,
    )
    return judged(found, right and world == trees and weight <= 200_000)


def _p95(times: list[float]) -> float:
    return sorted(times)[math.ceil(len(times) * 0.95) - 1]


def _somewhere(dice: random.Random, queries: ModuleType) -> Tile:
    """A tile in which there are trees, as somebody reaches it who goes closer and closer."""
    tile: Tile = queries.whole()
    deep = dice.randrange(tile.zoom, DEEPEST + 1)
    while tile.zoom < deep:
        cells = queries.cells(tile)
        cell = dice.choices(cells, [each.places for each in cells])[0]
        tile = tile.child(cell.x, cell.y)
    return tile


def _plant(conninfo: str, trees: int) -> None:
    """Plots of 5,000 in twenty sites across the north, laid out and four in five planted; filling is not measured."""
    import psycopg

    from commonweal.services.forest.planting import mercator

    dice = random.Random(SEED)
    sites = [(dice.uniform(80, 125), dice.uniform(36, 46)) for _ in range(20)]
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for plot in range(1, trees // EACH + 1):
            longitude, latitude = sites[plot % 20]
            west, south = longitude + plot // 20 * 0.004, latitude + dice.randrange(20) * 0.004
            east = 3 / (111_195 * math.cos(math.radians(south)))
            spots = [mercator(west + n % 100 * east, south + n // 100 * 5 / 111_195) for n in range(EACH)]
            open_plot(connection, plot, 17_900, EACH, EACH)
            with connection.transaction():
                connection.execute(
                    """
                    INSERT INTO forest_position (plot, seq, subplot, x, y)
                    SELECT %s, n, (n - 1) / 50 + 1, x, y
                    FROM unnest(%s::int[], %s::int[]) WITH ORDINALITY AS u (x, y, n)
                    """,
                    [plot, [x for x, _ in spots], [y for _, y in spots]],
                )
                if plot % 5:
                    connection.execute(
                        """
                        INSERT INTO forest_planting
                        SELECT gen_random_uuid(), %s, int4range(1, %s), %s, NULL, id, now() FROM parties_party LIMIT 1
                        """,
                        [plot, EACH + 1, date(2026, 4, 1)],
                    )
        connection.execute("ANALYZE")
