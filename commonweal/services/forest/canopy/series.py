"""NDVI of parcels through time, and the detection of clearings against what the place should look like on that day.

Each pixel is compared with its own past in scenes where the whole patch looked alike: the patch's median says how far
the season (or haze, or snow) has gone, and past scenes are weighted by how near theirs was. A pixel is lost when it
falls far below that in two clear looks running, or in one under an open sky together with its whole parcel; a clearing
is a parcel that has lost enough of its pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from commonweal.services.forest.canopy.patch import Parcel, Patch

SEEN = 0.5
"""Share of a parcel's pixels that must be clear for a value."""
LIKENESS = 0.10
"""Difference of two scenes' patch medians at which one says little about the other."""
HISTORY = 3
"""Clear looks before a pixel can be judged."""
DROP, RELATIVE_DROP = 0.14, 0.35
"""A pixel has dropped if it lies below what is expected by both: NDVI units, and a share of the expected."""
BARE = 0.25
"""Where less than this is expected (snow, bare winter), nothing can be told: the look does not count."""
PART, AREA = 0.4, 40
"""A clearing is 40 % of a parcel's clear pixels, or 40 pixels (0.4 ha) of a large one."""
PLAIN, PLAIN_PART, PLAIN_SKY = 0.18, 0.8, 0.75
"""One look is enough where the sky over the patch was clear and nearly the whole parcel has plainly dropped."""


@dataclass(frozen=True, slots=True)
class Series:
    """Median NDVI of a parcel at the dates on which it was clear, with the share of its pixels that were."""

    parcel: str
    dates: list[datetime]
    ndvi: list[float]
    clear: list[float]


@dataclass(frozen=True, slots=True)
class Clearing:
    """Canopy lost in a parcel: first seen at `seen`, certain at `confirmed`; how many pixels and what share of it."""

    parcel: str
    seen: datetime
    confirmed: datetime
    pixels: int
    share: float
    before: float
    after: float


def series(patch: Patch) -> list[Series]:
    """The series of every parcel, in the patch's order."""
    found = []
    for parcel in patch.parcels:
        clear = patch.clear[:, parcel.pixels]
        share = clear.mean(axis=1)
        usable = np.flatnonzero(share >= SEEN)
        values = patch.ndvi[np.ix_(usable, parcel.pixels)]
        medians = np.nanmedian(np.where(clear[usable], values, np.nan), axis=1) if len(usable) else np.zeros(0)
        found.append(
            Series(
                parcel.id,
                [patch.dates[i] for i in usable],
                [round(float(v), 4) for v in medians],
                [round(float(s), 3) for s in share[usable]],
            )
        )
    return found


def clearings(patch: Patch) -> list[Clearing]:
    """Clearings in order of their confirmation; a parcel is reported once, until its pixels have recovered."""
    expected, dropped, judged = _judge(patch)
    count, pixels = patch.ndvi.shape
    first = np.full(pixels, -1)  # scene at which the present loss of a pixel was first seen
    lost = np.zeros(pixels, bool)
    reported = np.zeros(len(patch.parcels), bool)
    found = []
    for t in range(count):
        again = judged[t] & dropped[t] & (first >= 0)
        fresh = judged[t] & dropped[t] & (first < 0)
        back = judged[t] & ~dropped[t]
        lost = (lost | again) & ~back
        first[fresh], first[back] = t, -1
        open_sky = patch.clear[t].mean() >= PLAIN_SKY
        plain = judged[t] & dropped[t] & (expected[t] - patch.ndvi[t] >= PLAIN) & open_sky
        for n, parcel in enumerate(patch.parcels):
            where = parcel.pixels
            now = lost[where]
            if not reported[n] and plain[where].sum() >= PLAIN_PART * len(where):
                now = lost[where] = dropped[t][where]
            seen = int((judged[t][where] | now).sum())
            enough = bool(now.any()) and seen >= SEEN * len(where) and _enough(int(now.sum()), seen)
            if enough and dropped[t][where].any() and not reported[n]:
                reported[n] = True
                found.append(_clearing(patch, parcel, t, now, first=first, expected=expected))
            elif reported[n] and judged[t][where].mean() >= SEEN and not _enough(int(now.sum()), seen):
                reported[n] = False
    return found


def _enough(lost: int, seen: int) -> bool:
    return lost >= PART * seen or lost >= AREA


def _clearing(
    patch: Patch,
    parcel: Parcel,
    t: int,
    now: NDArray[np.bool_],
    *,
    first: NDArray[np.int64],
    expected: NDArray[np.float32],
) -> Clearing:
    where = parcel.pixels[now]
    start = int(np.median(first[where]))
    return Clearing(
        parcel.id,
        patch.dates[start],
        patch.dates[t],
        len(where),
        round(len(where) / len(parcel.pixels), 3),
        round(float(np.median(expected[t, where])), 3),
        round(float(np.median(patch.ndvi[t, where])), 3),
    )


def _judge(patch: Patch) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """For every scene and pixel: the expected NDVI, whether it has dropped, and whether that could be told."""
    ndvi, clear = patch.ndvi, patch.clear
    count, pixels = ndvi.shape
    level = _level(ndvi, clear)
    expected = np.zeros((count, pixels), np.float32)
    dropped = np.zeros((count, pixels), bool)
    judged = np.zeros((count, pixels), bool)
    kept = clear.astype(np.float32)  # looks that may stand for the past: not those already in doubt
    for t in range(count):
        if np.isnan(level[t]):
            continue
        near = np.exp(-(((level[:t] - level[t]) / LIKENESS) ** 2)).astype(np.float32)
        near[np.isnan(near)] = 0
        weight = near @ kept[:t]
        looks = (near > 0.05).astype(np.float32) @ kept[:t]
        shift = near * (level[t] - np.nan_to_num(level[:t]))
        total = near @ (kept[:t] * ndvi[:t]) + shift @ kept[:t]
        expected[t] = total / np.maximum(weight, 1e-6)
        judged[t] = clear[t] & (looks >= HISTORY) & (expected[t] >= BARE)
        fall = expected[t] - ndvi[t]
        dropped[t] = judged[t] & (fall >= DROP) & (fall >= RELATIVE_DROP * expected[t])
        kept[t] *= ~dropped[t]
    return expected, dropped, judged


def _level(ndvi: NDArray[np.float32], clear: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The patch's median NDVI in each scene; not a number where less than a tenth is clear."""
    return np.array(
        [np.median(values[seen]) if seen.mean() >= 0.1 else np.nan for values, seen in zip(ndvi, clear, strict=True)]
    )


def alarms_a_year(found: Sequence[Clearing], patch: Patch) -> float:
    """Clearings a parcel and year: on a patch where nothing was cleared, the rate of false alarms."""
    years = (patch.dates[-1] - patch.dates[0]).days / 365.25
    return len(found) / len(patch.parcels) / years
