from __future__ import annotations

import json
import math

import pytest

from commonweal.kernel.errors import Conflict, Invalid, TooLarge
from commonweal.services.forest.plots import check_outline, overlap, read_outline
from commonweal.services.forest.plots.outline import refuse_overlap


def square(x: float = 105.0, y: float = 38.0, side: float = 0.01) -> list[tuple[float, float]]:
    return [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]


def test_area_and_inside() -> None:
    outline = check_outline(square())
    assert outline.area == pytest.approx(1111.95 * 1111.95 * math.cos(math.radians(38.005)), rel=1e-3)
    assert outline.holds((105.005, 38.005)) and not outline.holds((105.02, 38.005))
    assert check_outline(list(reversed(square()))).corners[0] in square()


@pytest.mark.parametrize(
    ("ring", "code"),
    [
        ([], "plot.corners"),
        ([(0, 0), (1, 1)], "plot.corners"),
        ([(0, 0), (1, 1), (2, 2)], "plot.crosses-itself"),
        ([(0, 0), (1, 1), (1, 0), (0, 1)], "plot.crosses-itself"),
        ([(0, 0), (2, 0), (2, 2), (1, 0), (0, 2)], "plot.crosses-itself"),
        ([(0, 0), (2, 0), (1, 0), (1, 2)], "plot.crosses-itself"),
        ([(0, 0), (1, 0), (1, 1), (1, 0), (0, 1)], "plot.crosses-itself"),
        ([(0, 0), (math.nan, 0), (1, 1)], "plot.coordinate"),
        ([(0, 0), (181, 0), (1, 1)], "plot.coordinate"),
    ],
)
def test_an_outline_is_refused(ring: list[tuple[float, float]], code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_outline(ring)
    assert refusal.value.code == code


def test_an_outline_has_a_limit() -> None:
    with pytest.raises(TooLarge):
        check_outline([(i / 1e5, 0) for i in range(2001)])


def test_geojson() -> None:
    ring = [*square(), square()[0]]
    polygon = {"type": "Polygon", "coordinates": [ring]}
    assert read_outline(json.dumps({"type": "Feature", "geometry": polygon})) == read_outline(json.dumps(polygon))
    for text in (
        "",
        "[]",
        "{}",
        '{"type":"Point","coordinates":[1,2]}',
        json.dumps({**polygon, "coordinates": [ring, ring]}),
    ):
        with pytest.raises(Invalid):
            read_outline(text)


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        (square(), True),
        (square(105.005), True),
        (square(105.002, 38.002, 0.002), True),
        (square(104.99, 37.99, 0.03), True),
        (square(105.01), False),  # a common side
        (square(106), False),
        ([(105.002, 37.99), (105.004, 37.99), (105.004, 38.02), (105.002, 38.02)], True),  # a cross: no corner inside
    ],
)
def test_one_ground_one_promise(other: list[tuple[float, float]], shared: bool) -> None:
    one, two = check_outline(square()), check_outline(other)
    assert overlap(one, two) is overlap(two, one) is shared
    if shared:
        with pytest.raises(Conflict, match="another programme"):
            refuse_overlap(two, [("another programme", one)])
