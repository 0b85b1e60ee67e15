from __future__ import annotations

import csv
import lzma
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from commonweal.kernel.errors import Invalid
from commonweal.services.forest.modes import FEATURES, Recogniser, Segment, motion, read_segments, read_tracks
from commonweal.services.forest.modes.recogniser import SAME
from commonweal.services.forest.modes.stops import Stops, halts, odds_of_bus, read_stops
from commonweal.services.forest.tests.data import public
from commonweal.services.forest.tracks import Fix

UNSEEN = ("020", "062", "126", "179")
"""Four people who are left out when the recogniser of these tests learns."""
START = datetime(2026, 5, 4, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def taught() -> list[Segment]:
    return read_segments(public("geolife_modes/segment_features_dev.csv.xz"))


@pytest.fixture(scope="module")
def geolife() -> list[Segment]:
    return read_tracks(public("geolife_modes"))


@pytest.fixture(scope="module")
def recogniser(taught: list[Segment]) -> Recogniser:
    return Recogniser([segment for segment in taught if segment.user not in UNSEEN])


def f1(truth: Sequence[str], said: Sequence[str]) -> dict[str, float]:
    found = {}
    for mode in set(truth):
        hits = sum(a == b == mode for a, b in zip(truth, said, strict=True))
        found[mode] = 2 * hits / max(1, truth.count(mode) + said.count(mode))
    return found


def test_people_not_learned_from_are_judged_well(taught: list[Segment], recogniser: Recogniser) -> None:
    """Four people (814 segments) unseen in learning; `bench forest modes` scores all of them in turn."""
    unseen = [segment for segment in taught if segment.user in UNSEEN]
    truth = [SAME.get(str(segment.mode), str(segment.mode)) for segment in unseen]
    judged = recogniser.judge(unseen)
    said = [max(j.probabilities, key=lambda mode: j.probabilities[mode]) for j in judged]
    assert len(unseen) == 814
    scores = f1(truth, said)
    assert sum(scores.values()) / len(scores) >= 0.72, scores
    cars = [j for j, mode in zip(judged, truth, strict=True) if mode == "car"]
    assert sum(j.credited for j in cars) / len(cars) <= 0.06
    assert all(abs(sum(j.probabilities.values()) - 1) < 0.001 for j in judged)


def test_features_of_tracks_are_those_of_the_segment_file(taught: list[Segment], geolife: list[Segment]) -> None:
    known = {(s.user, round(s.features[0]), round(s.features[-1])): s for s in taught}
    compared = 0
    for segment in geolife:
        other = known.get((segment.user, round(segment.features[0]), round(segment.features[-1])))
        if other is None:
            continue
        compared += 1
        for name, ours, theirs in zip(FEATURES, segment.features, other.features, strict=True):
            assert ours == pytest.approx(theirs, rel=0.01, abs=0.01), (name, segment.name)
    assert compared >= 6


def test_real_tracks(geolife: list[Segment], recogniser: Recogniser) -> None:
    """The way from tracks to judgements; one of the three people is among those learned from."""
    judged = list(zip(geolife, recogniser.judge(geolife), strict=True))
    trains = [j.mode for s, j in judged if s.mode == "train"]
    assert trains.count("train") >= len(trains) - 1, trains
    assert not any(j.credited for s, j in judged if s.mode == "taxi")
    assert any(s.user == "178" and s.mode is None for s, _ in judged)


def test_the_label_is_never_looked_at(taught: list[Segment], recogniser: Recogniser) -> None:
    few = taught[:20]
    bare = [Segment(s.name, s.user, None, s.features) for s in few]
    assert recogniser.judge(few) == recogniser.judge(bare)


def test_a_persons_other_rides_count_a_little(taught: list[Segment], recogniser: Recogniser) -> None:
    cars = [s for s in taught if s.mode == "car"][:8]
    doubtful = next(s for s in taught if s.mode == "bus")
    alone = recogniser.judge([doubtful])[0]
    driver = [Segment(s.name, "x", None, s.features) for s in (doubtful, *cars)]
    nameless = [Segment(s.name, "", None, s.features) for s in (doubtful, *cars)]
    assert recogniser.judge(driver)[0].green < alone.green == recogniser.judge(nameless)[0].green
    assert alone.green - recogniser.judge(driver)[0].green < 0.15


def line(speeds: Sequence[float], seconds: int = 5) -> list[Fix]:
    latitude, fixes = 39.9, [Fix(39.9, 116.4, START)]
    for i, speed in enumerate(speeds, 1):
        latitude += speed * seconds / 111_195
        fixes.append(Fix(latitude, 116.4, START + timedelta(seconds=seconds * i)))
    return fixes


def test_a_walk_is_told_by_its_speed(recogniser: Recogniser) -> None:
    rng = np.random.default_rng(1)
    features = motion(line(rng.normal(1.3, 0.15, 300).tolist()))
    assert features is not None
    assert recogniser.judge([Segment("w", "", None, features)])[0].mode == "walk"


def test_a_few_steps_are_no_segment() -> None:
    assert motion(line([3, 3])) is None
    assert motion([]) is None
    assert motion(line([70, 70, 70, 70])) is None  # all of it faster than anything credited


def bus() -> tuple[list[Fix], Stops]:
    """A ride that halts for 20 s every 400 m, and stops at those places."""
    fixes = line(([8.0] * 10 + [0.0] * 4) * 8)
    return fixes, Stops([(39.9 + i * 400 / 111_195, 116.4) for i in range(1, 9)])


def test_halting_at_bus_stops_speaks_for_a_bus(recogniser: Recogniser) -> None:
    fixes, stops = bus()
    elsewhere = Stops([(39.9 + (i + 0.5) * 400 / 111_195, 116.4) for i in range(8)])
    assert len(halts(fixes)) == 7  # the last one is the end of the track
    assert odds_of_bus(fixes, stops) == 20
    assert odds_of_bus(fixes, elsewhere) == 1 / 20
    assert odds_of_bus(line([8.0] * 50), stops) == 1
    features = motion(fixes)
    assert features is not None
    segment = Segment("b", "", None, features, tuple(fixes))
    plain, with_stops = recogniser.judge([segment])[0], recogniser.judge([segment], stops)[0]
    assert with_stops.probabilities["bus"] > plain.probabilities["bus"]


def test_stops_are_read_from_gtfs(tmp_path: Path) -> None:
    path = tmp_path / "stops.txt"
    path.write_text("\ufeffstop_id,stop_lat,stop_lon\n1,39.9,116.4\n2,,\n")
    assert read_stops(path).near(Fix(39.9001, 116.4, START))
    path.write_text("a,b\n1,2\n")
    with pytest.raises(Invalid, match=r"stops\.form"):
        read_stops(path)


def test_too_little_to_learn_from(taught: list[Segment]) -> None:
    for few in (taught[:50], [s for s in taught if s.mode != "train"]):
        with pytest.raises(Invalid, match=r"modes\.taught"):
            Recogniser(few)


@pytest.mark.parametrize("value", ["", "nan", "inf", "fast"])
def test_a_segment_file_with_no_number_is_refused(tmp_path: Path, value: str) -> None:
    path = tmp_path / "segments.csv"
    path.write_text(",".join(FEATURES) + "\n" + ",".join(["1"] * 22 + [value]) + "\n")
    with pytest.raises(Invalid, match="line 2"):
        read_segments(path)
    path.write_text("dur,dist\n1,2\n")
    with pytest.raises(Invalid, match="no column vavg"):
        read_segments(path)


def test_tracks_without_labels_end_at_a_silence(tmp_path: Path) -> None:
    rows = ["latitude,longitude,time"]
    for part in range(2):
        for fix in line([4.0] * 10):
            rows.append(f"{fix.latitude},{fix.longitude},{(fix.at + part * timedelta(hours=1)).isoformat()}")
    (tmp_path / "ride.csv").write_text("\n".join(rows))
    assert [s.name for s in read_tracks(tmp_path)] == ["ride.csv#1", "ride.csv#2"]
    (tmp_path / "ride.csv").write_text("latitude,longitude,time\n")
    with pytest.raises(Invalid, match=r"modes\.file"):
        read_tracks(tmp_path)


def test_a_wrong_label_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "001" / "Trajectory").mkdir(parents=True)
    (tmp_path / "001" / "labels.txt").write_text("Start Time\tEnd Time\tTransportation Mode\nnow\tthen\tbus\n")
    with pytest.raises(Invalid, match="line 2"):
        read_tracks(tmp_path)


def test_the_segment_file_may_be_plain(tmp_path: Path) -> None:
    packed = public("geolife_modes/segment_features_dev.csv.xz")
    plain = tmp_path / "segments.csv"
    with lzma.open(packed, "rt") as file:
        plain.write_text("".join(row for row, _ in zip(file, range(5), strict=False)))
    assert [s.name for s in read_segments(plain)] == ["1", "2", "3", "4"]
    assert csv.reader(plain.open()).__next__()[0] == "user"
