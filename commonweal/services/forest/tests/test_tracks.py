from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from commonweal.kernel.errors import Invalid, TooLarge
from commonweal.services.forest.tracks import Fix, check_track, read_csv, read_gpx, read_plt, shared_fixes, signature
from commonweal.services.forest.tracks.fixes import distance, settle
from commonweal.services.forest.tracks.replay import SHARED

NOW = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)


def ride(count: int = 60, speed: float = 4.0, start: datetime = NOW - timedelta(hours=2)) -> list[Fix]:
    """A straight ride north from Beijing, a fix every five seconds."""
    return [Fix(39.9 + i * 5 * speed / 111_195, 116.4, start + timedelta(seconds=5 * i)) for i in range(count)]


def test_a_true_track_passes() -> None:
    assert len(check_track(ride(), NOW).fixes) == 60
    assert distance(ride()[0], ride()[1]) == pytest.approx(20, abs=0.01)


def change(place: int, **fields: object) -> list[Fix]:
    fixes = ride()
    fixes[place] = replace(fixes[place], **fields)  # type: ignore[arg-type]
    return fixes


@pytest.mark.parametrize(
    ("fixes", "code"),
    [
        (ride(4), "track.short"),
        (change(3, latitude=math.nan), "track.coordinate"),
        (change(3, longitude=999.0), "track.coordinate"),
        (change(3, latitude=math.inf), "track.coordinate"),
        (change(3, at=NOW.replace(tzinfo=None)), "track.time-zone"),
        (change(3, at=NOW - timedelta(hours=3)), "track.order"),
        ([replace(fix, at=NOW) for fix in ride()], "track.instant"),
        (ride(start=NOW + timedelta(hours=1)), "track.future"),
        (ride(start=NOW - timedelta(days=91)), "track.old"),
        (change(30, latitude=41.0), "track.teleport"),
        (ride(speed=70.0), "track.teleport"),
    ],
)
def test_an_impossible_track_is_refused_whole(fixes: list[Fix], code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_track(fixes, NOW)
    assert refusal.value.code == code


def test_a_track_has_a_limit() -> None:
    with pytest.raises(TooLarge):
        check_track(ride(1) * 100_001, NOW)


GPX = """<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="{lat}" lon="116.4"><ele>50</ele><time>2026-05-04T02:00:00Z</time></trkpt>
<trkpt lat="39.91" lon="116.41"/></trkseg></trk></gpx>"""


def test_gpx() -> None:
    assert read_gpx(GPX.format(lat="39.9").encode()) == [Fix(39.9, 116.4, datetime(2026, 5, 4, 2, tzinfo=UTC))]
    assert math.isnan(read_gpx(GPX.format(lat="nan").encode())[0].latitude)  # read, and then refused by check_track


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b"<gpx><trk>",
        GPX.format(lat="north").encode(),
        GPX.format(lat="39.9").replace("2026-05-04T02:00:00Z", "yesterday").encode(),
        b'<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><gpx>&b;</gpx>',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><gpx>&a;</gpx>',
    ],
)
def test_a_gpx_that_is_none(data: bytes) -> None:
    with pytest.raises(Invalid, match=r"track\.form"):
        read_gpx(data)


def test_a_gpx_has_a_limit() -> None:
    with pytest.raises(TooLarge):
        read_gpx(b" " * 20_000_001)


def test_plt_and_csv() -> None:
    plt = "\n" * 6 + "39.9,116.4,0,492,39938.1,2009-05-04,02:00:00\n"
    assert read_plt(plt)[0].at == datetime(2009, 5, 4, 2, tzinfo=UTC)
    assert len(read_csv("latitude,longitude,time\n1,2,2026-05-04T02:00:00+08:00\n")) == 1
    for text in ("latitude,longitude\n1,2\n", "latitude,longitude,time\n1,2,never\n", "latitude,longitude,time\n1\n"):
        with pytest.raises(Invalid):
            read_csv(text)
    with pytest.raises(Invalid):
        read_plt("\n" * 6 + "39.9,116.4\n")


def test_a_track_is_credited_once_whoever_brings_it() -> None:
    first = check_track(ride(), NOW)
    thinned = check_track(ride()[::2] + ride(1, start=NOW - timedelta(hours=1)), NOW)
    other = check_track([replace(fix, longitude=fix.longitude + 0.01) for fix in ride()], NOW)
    known = [("a", signature(first)), ("b", signature(other))]
    assert shared_fixes(signature(thinned), known)[0] == "a"
    assert shared_fixes(signature(thinned), known)[1] > SHARED
    assert shared_fixes(signature(other), known[:1]) == (None, 0)
    yesterday = check_track(ride(start=NOW - timedelta(days=1, seconds=7)), NOW)
    assert shared_fixes(signature(yesterday), known)[1] == 0
    assert shared_fixes(signature(yesterday, timeless=True), [("a", signature(first, timeless=True))])[1] == 1


def test_a_standing_position() -> None:
    good = settle([(39.9, 116.4), (39.900001, 116.4), (39.9, 116.400001), (39.9, 116.4), (39.900001, 116.4)])
    assert good.settled and good.latitude == pytest.approx(39.9, abs=1e-5)
    assert not settle([(39.9 + i / 1000, 116.4) for i in range(5)]).settled
    for fixes in ([(39.9, 116.4)] * 4, [(39.9, math.nan)] * 5):
        with pytest.raises(Invalid):
            settle(fixes)
