"""The map: every place in one cell of each zoom, the same by index as by counting, and pages without a script."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel.errors import NotFound
from commonweal.services.forest.actions import certificates, plantings
from commonweal.services.forest.pictures.cells import cell_map, net_step
from commonweal.services.forest.planting import mercator
from commonweal.services.forest.queries import tiles
from commonweal.services.forest.rules.tiles import DEEPEST, Tile, check_tile
from commonweal.services.forest.tests.grove import NOW, Grove, give_energy


@pytest.fixture
def forest(grove: Grove) -> Grove:
    for number, east in enumerate((0.0, 0.3, 2.0), 1):
        grove.contract(f"CF{number}", east=east)
        grove.fund(f"CF{number}", 200)
    plantings.plant(grove.officer, "CF1", 1, 150, NOW.date())
    plantings.plant(grove.officer, "CF2", 11, 20, NOW.date())
    give_energy(grove.person.id, 17_900)
    return grove


def counted(tile: Tile) -> set[tuple[int, int, int, int]]:
    """The cells of a tile by counting every position: the obvious query, and our judge."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (p.x >> %(shift)s) - %(x)s, (p.y >> %(shift)s) - %(y)s, count(*), count(g.id)
            FROM forest_position p LEFT JOIN forest_planting g ON g.plot = p.plot AND g.duty IS NULL AND g.span @> p.seq
            WHERE (p.x >> %(shift)s) / 16 = %(x)s / 16 AND (p.y >> %(shift)s) / 16 = %(y)s / 16 GROUP BY 1, 2
            """,
            {"shift": 26 - tile.zoom, "x": tile.x * 16, "y": tile.y * 16},
        )
        return set(cursor.fetchall())


def walk(tile: Tile) -> list[Tile]:
    """A tile and every tile below it in which there are places."""
    found = [tile]
    if tile.zoom < DEEPEST:
        for child in sorted({tile.child(cell.x, cell.y) for cell in tiles.cells(tile)}, key=str)[:3]:
            found += walk(child)
    return found


def test_every_tile_is_what_counting_says(forest: Grove) -> None:
    top = tiles.whole()
    assert sum(cell.places for cell in tiles.cells(top)) == 900
    assert sum(cell.planted for cell in tiles.cells(top)) == 160
    seen = set()
    for tile in [Tile(0, 0, 0), *walk(top)][:150]:
        found = {(cell.x, cell.y, cell.places, cell.planted) for cell in tiles.cells(tile)}
        assert found == counted(tile), tile
        single = tiles.trees(tile)
        assert len(single) == (sum(cell[2] for cell in found) if tile.zoom >= 18 else 0)
        seen.add(tile.zoom)
    assert seen >= set(range(top.zoom, DEEPEST + 1))


def test_near_the_ground_a_promised_tree_bears_its_number(forest: Grove) -> None:
    made = certificates.ask(forest.person, forest.season, "a")
    x, y = mercator(made.longitude, made.latitude)
    tile = Tile(DEEPEST, x >> (30 - DEEPEST), y >> (30 - DEEPEST))
    (tree,) = [each for each in tiles.trees(tile) if each.number]
    assert (tree.number, tree.seq) == (str(made.number), made.seq)


def test_the_index_cannot_say_more_than_there_is(forest: Grove) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT zoom, sum(trees), sum(planted) FROM forest_cell GROUP BY zoom")
        assert {row[1:] for row in cursor.fetchall()} == {(900, 160)}


@given(st.integers(1, DEEPEST - 1), st.data())
def test_a_child_lies_in_its_parent(zoom: int, data: st.DataObject) -> None:
    side = st.integers(0, 2**zoom - 1)
    tile = Tile(zoom, data.draw(side), data.draw(side))
    child = tile.child(data.draw(st.integers(0, 15)), data.draw(st.integers(0, 15)))
    assert child.parent == tile and check_tile(child.zoom, child.x, child.y) == child
    for beside in (tile.beside(1, 0), tile.beside(-1, 0)):
        assert beside is not None and check_tile(beside.zoom, beside.x, beside.y)
    assert Tile(zoom, 0, 0).beside(0, -1) is None and Tile(0, 0, 0).parent is None


@pytest.mark.parametrize("wrong", [(20, 0, 0), (3, 8, 0), (3, 0, 8)])
def test_a_tile_that_does_not_exist(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(NotFound):
        check_tile(*wrong)


@given(st.floats(1e-4, 360))
def test_the_net_has_a_few_lines(span: float) -> None:
    assert 1.99 <= span / net_step(span) <= 5.01


def test_a_circle_is_as_large_as_its_count() -> None:
    drawn = cell_map([(0, 0, 100, 0), (1, 0, 25, 25)], [])
    assert "a16.0 16.0" in drawn and drawn.count("a8.0 8.0") == 4


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_map_needs_no_script(client: Client, forest: Grove, language: str) -> None:
    page = client.get(f"/{language}/forest/map/")
    assert page.status_code == 200 and page.content.decode().count("<h1") == 1 and "900" in page.content.decode()
    for tile in walk(tiles.whole()):
        assert client.get(f"/{language}/forest/map/{tile.zoom}/{tile.x}/{tile.y}/").status_code == 200
    assert client.get(f"/{language}/forest/map/25/0/0/").status_code == 404
    assert client.get(f"/{language}/forest/map/5/0/0/").status_code == 200


def test_an_empty_forest_has_a_map(client: Client, grove: Grove) -> None:
    assert tiles.whole() == Tile(0, 0, 0) and client.get("/zh/forest/map/").status_code == 200


def test_the_tiles_of_the_api(client: Client, forest: Grove) -> None:
    top = tiles.whole()
    said = client.get(f"/api/v1/forest/map/{top.zoom}/{top.x}/{top.y}")
    assert said["Cache-Control"] == "public, max-age=60" and sum(cell["places"] for cell in said.json()["cells"]) == 900
    assert client.get("/api/v1/forest/map/3/9/0").status_code == 404
    assert client.get("/api/v1/forest/map/3/x/0").status_code == 404
