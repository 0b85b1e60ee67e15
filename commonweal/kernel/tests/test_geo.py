"""Places: distances against known ones, and the Chinese grid against its published pairs."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel.errors import Invalid
from commonweal.kernel.geo import EARTH_RADIUS, Point, distance, from_bd09, from_gcj02, in_gcj02_area, to_bd09, to_gcj02

PUBLISHED = {  # googollee/eviltransform, its test data: WGS-84 and GCJ-02
    "Shanghai": ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
    "Shenzhen": ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
    "Beijing": ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
}
inland = st.builds(Point, st.floats(2, 55), st.floats(73, 137))


@pytest.mark.parametrize(("wgs", "gcj"), PUBLISHED.values(), ids=PUBLISHED)
def test_published_pairs(wgs: tuple[float, float], gcj: tuple[float, float]) -> None:
    shown, found = to_gcj02(Point(*wgs)), from_gcj02(Point(*gcj))
    assert (shown.lat, shown.lon) == pytest.approx(gcj, abs=1e-12)
    assert distance(found, Point(*wgs)) < 0.001


@given(inland)
def test_the_shift_can_be_undone_to_a_millimetre(point: Point) -> None:
    assert distance(from_gcj02(to_gcj02(point)), point) < 0.001


@given(inland)
def test_the_shift_is_what_it_is_known_to_be(point: Point) -> None:
    assert distance(to_gcj02(point), point) < 2000


@pytest.mark.parametrize("place", [Point(51.5, -0.12), Point(-33.9, 151.2), Point(0, 0), Point(60, 100)])
def test_elsewhere_nothing_is_shifted(place: Point) -> None:
    assert not in_gcj02_area(place)
    assert to_gcj02(place) == from_gcj02(place) == place


def test_the_way_back_stays_on_earth() -> None:
    assert from_gcj02(Point(90, 180)) == Point(90, 180)


def test_known_distances() -> None:
    quarter = EARTH_RADIUS * math.pi / 2
    assert distance(Point(0, 0), Point(90, 77)) == pytest.approx(quarter)
    assert distance(Point(0, -180), Point(0, 180)) == pytest.approx(0, abs=1e-6)
    assert distance(Point(0, 0), Point(0, 180)) == pytest.approx(2 * quarter)
    # googollee/eviltransform gives 1,078,164 m from Shanghai to Beijing, on a sphere of the equator's radius.
    gcj = [Point(*PUBLISHED[city][1]) for city in ("Shanghai", "Beijing")]
    assert distance(*gcj) == pytest.approx(1_078_164 * EARTH_RADIUS / 6_378_137, abs=1)


@given(inland, inland)
def test_a_distance_is_a_metric(a: Point, b: Point) -> None:
    assert distance(a, b) == pytest.approx(distance(b, a), abs=1e-6)
    assert distance(a, a) == 0


@pytest.mark.parametrize(
    ("lat", "lon"), [(90.1, 0), (-91, 0), (0, 180.5), (0, -181), (math.nan, 0), (0, math.nan), (math.inf, 0)]
)
def test_what_is_not_on_earth_is_refused(lat: float, lon: float) -> None:
    with pytest.raises(Invalid) as refused:
        Point(lat, lon)
    assert (refused.value.code, refused.value.field) == ("point.range", "point")


@given(st.builds(Point, st.floats(18, 54), st.floats(74, 135)))
def test_baidus_shift_can_be_undone_to_a_millimetre(point: Point) -> None:
    shown = to_bd09(point)
    assert 400 < distance(point, shown) < 1500
    assert distance(from_bd09(shown), point) < 0.001
