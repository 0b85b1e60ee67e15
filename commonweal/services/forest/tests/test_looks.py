"""Satellite scenes of plots, from real pixels: taken in once, clearings told to everybody, and what they take away."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.kernel.jobs import run_due
from commonweal.kernel.notices.inbox import inbox
from commonweal.services.forest.actions import canopy as actions
from commonweal.services.forest.actions import certificates, plantings, plots
from commonweal.services.forest.canopy import read_grid, read_patch, with_outlines
from commonweal.services.forest.canopy.grid import utm
from commonweal.services.forest.queries import canopy, numbers
from commonweal.services.forest.queries import certificates as trees
from commonweal.services.forest.queries import plots as queries
from commonweal.services.forest.rules.trees import State
from commonweal.services.forest.tests.data import public
from commonweal.services.forest.tests.grove import NOW, Grove, geojson, give_energy

# Within the real patch, in Slovenia: a square of 220 m.
WEST, SOUTH = 14.5530, 45.8674
HERE = ((WEST, SOUTH), (WEST + 0.0029, SOUTH), (WEST + 0.0029, SOUTH + 0.002), (WEST, SOUTH + 0.002))


@pytest.mark.parametrize(
    ("longitude", "latitude", "zone", "east", "north"),
    [
        # GeographicLib's GeoConvert, to the millimetre.
        (15.0, 0.0, 33, 500_000.000, 0.000),
        (15.0, 45.0, 33, 500_000.000, 4_982_950.400),
        (-3.0, -40.0, -30, 500_000.000, 5_572_242.780),
    ],
)
def test_utm(longitude: float, latitude: float, zone: int, east: float, north: float) -> None:
    assert utm(longitude, latitude, zone) == pytest.approx((east, north), abs=0.01)


def test_utm_keeps_distances_off_the_meridian() -> None:
    """A thousandth of a degree is 77.65 m on the ellipsoid there, and UTM makes it 0.4 per mille less."""
    a, b = utm(14.55, 45.865, 33), utm(14.551, 45.865, 33)
    assert np.hypot(b[0] - a[0], b[1] - a[1]) == pytest.approx(77.62, abs=0.01)


@pytest.fixture
def watched(grove: Grove) -> Grove:
    plots.contract(grove.steward, plots.Contract(grove.site, grove.season, "SV1", geojson(*HERE), 3_000))
    grove.contract("CF1")
    for code in ("SV1", "CF1"):
        grove.fund(code)
        plantings.plant(grove.officer, code, 1, 300, NOW.date())
    give_energy(grove.person.id, 10 * 17_900)
    for key in "abcdefghij":  # whichever plots they are given
        certificates.ask(grove.person, grove.season, key)
    return grove


def test_scenes_are_taken_in_once(watched: Grove) -> None:
    directory = public("sentinel2_eopatch")
    with pytest.raises(NotAllowed):
        actions.look(watched.person, directory)
    first = actions.look(watched.steward, directory)
    assert (first.plots, first.clearings) == (1, 0) and first.looks >= 30
    assert actions.look(watched.steward, directory).looks == 0
    series = canopy.series(queries.plot("SV1").id)
    assert len(series) == first.looks and 20 <= float(np.median([value for _, value in series])) <= 90
    assert not canopy.series(queries.plot("CF1").id)


def test_a_clearing_takes_away_until_a_survey_has_looked(watched: Grove) -> None:
    directory, plot = public("sentinel2_eopatch"), queries.plot("SV1")
    patch = with_outlines(read_patch(directory), read_grid(directory), {str(plot.id): HERE})
    (parcel,) = patch.parcels
    clear = [
        t for t in np.flatnonzero(patch.clear[:, parcel.pixels].mean(axis=1) >= 0.5) if 5 <= patch.dates[t].month <= 9
    ]
    start = int(clear[-6])
    ndvi = patch.ndvi.copy()
    ndvi[start:, parcel.pixels] = np.random.default_rng(7).normal(0.12, 0.02, (len(ndvi) - start, len(parcel.pixels)))
    assert actions.take(replace(patch, ndvi=ndvi), "test").clearings == 1
    assert actions.take(replace(patch, ndvi=ndvi), "test").clearings == 0
    standing = queries.plot("SV1").standing
    assert standing.cleared >= 400 and standing.counted == 1000 - standing.cleared
    states = {each.plot: each.state for each in trees.Trees([watched.person.id])[0:10]}
    assert states.get("SV1", State.CLEARED) is State.CLEARED and states.get("CF1", State.PLANTED) is State.PLANTED
    assert numbers.of_plot(plot.id).alive == 0
    run_due()
    for party in (watched.steward, watched.officer, watched.person if "SV1" in states else watched.officer):
        assert "forest.clearing" in [message.kind for message in inbox(party)]


def test_scenes_of_elsewhere_and_of_nowhere(grove: Grove, tmp_path: Path) -> None:
    grove.contract("CF1")
    with pytest.raises(Conflict, match=r"patch\.elsewhere"):
        actions.look(grove.steward, public("sentinel2_eopatch"))
    with pytest.raises(Invalid, match=r"patch\.form"):
        actions.look(grove.steward, tmp_path)
    for box in ("{}", json.dumps({"coordinates": [[[0, 0], [1, 1]]], "crs": {"properties": {"name": "EPSG::3857"}}})):
        (tmp_path / "bbox.geojson").write_text(box)
        with pytest.raises(Invalid, match=r"patch\.grid"):
            read_grid(tmp_path)
