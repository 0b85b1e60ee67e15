from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commonweal.kernel.errors import Invalid
from commonweal.services.forest.canopy import Parcel, Patch, clearings, read_patch, series
from commonweal.services.forest.canopy.series import SEEN, alarms_a_year
from commonweal.services.forest.tests.data import public

SEED = 7


@pytest.fixture(scope="module")
def patch() -> Patch:
    return read_patch(public("sentinel2_eopatch"))


def test_the_real_patch(patch: Patch) -> None:
    assert (len(patch.parcels), len(patch.dates), patch.shape) == (42, 68, (101, 100))
    forest = [s for s, p in zip(series(patch), patch.parcels, strict=True) if p.cover == "forest"]
    masked = np.mean([np.mean(s.ndvi) for s in forest])
    bare = [np.median(patch.ndvi[:, p.pixels], axis=1).mean() for p in patch.parcels if p.cover == "forest"]
    assert masked == pytest.approx(0.55, abs=0.05)
    assert np.mean(bare) < 0.8 * masked  # without the cloud mask a forest looks a quarter poorer


def test_it_is_quick(patch: Patch) -> None:
    start = time.process_time()
    series(patch)
    clearings(patch)
    assert time.process_time() - start < 1


def test_false_alarms_are_rare(patch: Patch) -> None:
    assert alarms_a_year(clearings(patch), patch) <= 0.05


def clear_looks(patch: Patch, parcel: Parcel) -> list[int]:
    """Scenes in the growing season in which the parcel is seen."""
    seen = patch.clear[:, parcel.pixels].mean(axis=1) >= SEEN
    return [t for t in np.flatnonzero(seen).tolist() if 4 <= patch.dates[t].month <= 10]


def test_a_clearing_is_found_within_two_clear_looks(patch: Patch) -> None:
    """One parcel in three; `bench forest clearings` clears all of them several times."""
    rng = np.random.default_rng(SEED)
    found = 0
    sample = patch.parcels[::3]
    for parcel in sample:
        looks = clear_looks(patch, parcel)
        start = int(rng.integers(8, len(looks) - 1))
        ndvi = patch.ndvi.copy()
        ndvi[looks[start] :, parcel.pixels] = rng.normal(0.18, 0.03, (len(ndvi) - looks[start], len(parcel.pixels)))
        limit = patch.dates[looks[start + 1]]
        found += any(
            c.parcel == parcel.id and patch.dates[looks[start]] <= c.seen and c.confirmed <= limit
            for c in clearings(replace(patch, ndvi=ndvi))
        )
    assert found / len(sample) >= 0.90


def test_a_cloud_is_no_clearing(patch: Patch) -> None:
    parcel = max(patch.parcels, key=lambda p: len(p.pixels) * (p.cover == "forest"))
    look = clear_looks(patch, parcel)[12]
    ndvi, clear = patch.ndvi.copy(), patch.clear.copy()
    ndvi[look, parcel.pixels] = 0.05
    clear[look, parcel.pixels] = False
    assert clearings(replace(patch, ndvi=ndvi, clear=clear)) == clearings(replace(patch, clear=clear))


def write(directory: Path, **arrays: object) -> Path:
    ndvi = np.full((3, 8, 9, 1), 0.6, np.float32)
    cover = np.ones((8, 9, 1), np.uint16)
    cover[:, 5:] = 2
    files = {"NDVI": ndvi, "CLM": np.zeros(ndvi.shape, np.uint8), "LULC": cover} | arrays
    for name, array in files.items():
        if array is not None:
            np.save(directory / f"{name}.npy", array)  # type: ignore[arg-type]
    (directory / "timestamps.json").write_text(json.dumps(["2026-05-01", "2026-05-06", "2026-05-11"]))
    return directory


def test_areas_without_outlines(tmp_path: Path) -> None:
    parcels = read_patch(write(tmp_path)).parcels
    assert [(p.id, len(p.pixels)) for p in parcels] == [("0", 40), ("5", 32)]


@pytest.mark.parametrize(
    "arrays",
    [
        {"NDVI": None},
        {"CLM": np.zeros((3, 8, 8, 1), np.uint8)},
        {"NDVI": np.zeros((2, 8, 9, 1), np.float32), "CLM": np.zeros((2, 8, 9, 1), np.uint8)},
        {"LULC": np.zeros((3, 3), np.uint16)},
    ],
)
def test_a_directory_that_does_not_fit(tmp_path: Path, arrays: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=r"patch\.form"):
        read_patch(write(tmp_path, **arrays))


def test_values_that_are_no_ndvi_are_not_seen(tmp_path: Path) -> None:
    ndvi = np.full((3, 8, 9, 1), 0.6, np.float32)
    ndvi[0, 0, 0], ndvi[1, 0, 0], ndvi[2, 0, 0] = np.nan, np.inf, 9.9
    assert not read_patch(write(tmp_path, NDVI=ndvi)).clear[:, 0].any()
