from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.forest.photos import coded, plantation
from commonweal.services.forest.modes import FEATURES, MODES
from commonweal.services.forest.tests.data import FOREST, public
from commonweal.services.forest.tests.test_canopy import write
from tests.command import main


def ask(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> Any:
    """What a door says with `--json`, and its exit code."""
    assert main(["forest", *map(str, words), "--json", "--data", str(FOREST)]) == code
    return json.loads(capsys.readouterr().out)


def test_modes_of_segments_and_of_tracks(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    public("geolife_modes/segment_features_dev.csv.xz")
    row = ["1800", "9000", "5", "5", "3", "0.5", "2", "5", "8", "9", "11", "13", "0.3", "0.9", "1.5", "0.1", "1.2", "4"]
    row += ["0.8", "20", "0.01", "2", "900"]
    (tmp_path / "segments.csv").write_text(",".join(FEATURES) + "\n" + ",".join(row) + "\n")
    (one,) = ask(capsys, "modes", tmp_path / "segments.csv")["segments"]
    assert set(one["probabilities"]) == set(MODES) and one["mode"] in MODES
    assert one["green"] == pytest.approx(1 - one["probabilities"]["car"], abs=1e-3)
    assert isinstance(one["credited"], bool)

    tracks = ask(capsys, "modes", public("geolife_modes"))["segments"]
    assert {segment["user"] for segment in tracks} == {"010", "020", "178"}
    assert main(["forest", "modes", str(tmp_path / "segments.csv"), "--data", str(FOREST)]) == 0
    assert capsys.readouterr().out.startswith("segment\tuser\tmode\t")


def test_photos(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    gallery, probes = tmp_path / "gallery", tmp_path / "probes"
    for folder in (gallery, probes):
        folder.mkdir()
    (gallery / "known.jpg").write_bytes(coded(plantation(1)))
    (gallery / "broken.jpg").write_bytes(b"no photo")
    (probes / "copy.jpg").write_bytes(coded(plantation(1).rotate(4), 40))
    (probes / "new.jpg").write_bytes(coded(plantation(2)))
    (probes / "broken.png").write_bytes(b"no photo")
    said = ask(capsys, "photos", gallery, probes)
    assert said["unread"] == [{"photo": "broken.jpg", "code": "photo.form"}]
    found = {row["photo"]: (row["verdict"], row["match"], row["code"]) for row in said["probes"]}
    assert found == {
        "copy.jpg": ("refused", "known.jpg", "photo.reused"),
        "new.jpg": ("accepted", None, None),
        "broken.png": ("refused", None, "photo.form"),
    }


def test_factor(capsys: pytest.CaptureFixture[str]) -> None:
    public("uk_ghg_conversion_factors_2024_2025.csv.xz")
    assert ask(capsys, "factor", "25_301_3074_4_1", "--year", 2024)["value"] == 0.16691
    assert ask(capsys, "factor", "beijing-metro", "--year", 2025)["kg_co2e"] == 4.63
    assert ask(capsys, "factor", "guangzhou-metro", "--year", 2025)["kg_co2e"] == 0.5155
    assert ask(capsys, "factor", "metro", "--year", 2025, "--quantity", 10_000)["grams"] == 348
    assert ask(capsys, "factor", "no such thing", code=1)["code"] == "factor.unknown"
    assert ask(capsys, "factor", "25_301_3074_4_1", "--year", 2001, code=1)["code"] == "factor.year"


def test_ndvi(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said = ask(capsys, "ndvi", public("sentinel2_eopatch"))
    assert (len(said["parcels"]), said["scenes"]) == (42, 68)
    assert all(len(p["dates"]) == len(p["ndvi"]) == len(p["clear"]) for p in said["parcels"])
    write(tmp_path)
    assert len(ask(capsys, "ndvi", tmp_path)["parcels"]) == 2
    np.save(tmp_path / "CLM.npy", np.zeros((1, 1)))
    assert ask(capsys, "ndvi", tmp_path, code=2)["code"] == "patch.form"


def test_survey_and_plan(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_text("subplot,planted,alive\n" + "".join(f"S{i},50,{40 + i % 5}\n" for i in range(30)))
    said = ask(capsys, "survey", file, "--population", 400)
    assert said["low"] < said["survival"] == 0.84 < said["high"] and said["confidence"] == 0.95
    file.write_text("subplot,planted,alive\nS1,50,51\nS2,50,1\nS3,50,1\n")
    assert ask(capsys, "survey", file, code=2)["code"] == "survey.count"
    wanted = ask(capsys, "plan", "--survival", 0.8, "--correlation", 0.1, "--trees", 50)
    assert wanted["subplots"] >= 5


def test_biomass_and_track(capsys: pytest.CaptureFixture[str]) -> None:
    said = ask(capsys, "biomass", "pinus-sylvestris-mongolica", 10, "--promised", 146.21)
    assert said["biomass_kg"] == pytest.approx(20.509, abs=0.001)
    assert ask(capsys, "biomass", "pinus-sylvestris-mongolica", 50, code=2)["code"] == "diameter.range"
    assert ask(capsys, "biomass", "money-tree", 10, code=1)["code"] == "biomass.species"
    file = public("geolife_modes") / "178" / "Trajectory" / "20100312172608.plt"
    assert ask(capsys, "track", file, "--at", "2010-03-13T00:00:00+00:00")["fixes"] == 84
    assert ask(capsys, "track", file, code=2)["code"] == "track.old"


@pytest.mark.parametrize("door", ["modes", "ndvi", "survey", "track"])
def test_what_is_not_there(capsys: pytest.CaptureFixture[str], door: str) -> None:
    assert ask(capsys, door, "nowhere", code=1)["code"] == "forest.no-file"


def test_scenes_that_are_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["forest", "look", str(tmp_path / "nothing"), "--by", "steward@demo.example"]) != 0
    assert "nothing" in capsys.readouterr().err
