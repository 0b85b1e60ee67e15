"""The motion of a segment in 23 numbers, from its fixes.

Steps are pairs of neighbouring fixes between which time passes and that are slower than 60 m/s. `dur` is the whole
segment's duration as labelled (s), `dist` metres, `vavg` metres a second over the steps' time, `vmean`, `vstd`, `p10`
to `p99` of the steps' speeds, `a50` to `a95` of the absolute change of speed (m/s2), `slow` the share of steps below
0.6 m/s, `stoprate` stops below 1 m/s a kilometre, `hcr` turns over 19 degrees a kilometre while moving, `straight` the
beeline over the distance, `gap` the longest step (s) and `gapfrac` its share of the duration, `dt50` the median step
(s), `n` the number of steps. After Zheng et al. 2008, UbiComp, "Understanding mobility based on GPS data".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from commonweal.kernel.geo import EARTH_RADIUS
from commonweal.services.forest.tracks.fixes import FASTEST, Fix

FEATURES = (
    "dur", "dist", "vavg", "vmean", "vstd", "p10", "p25", "p50", "p75", "p85", "p95", "p99", "a50", "a85", "a95",
    "slow", "stoprate", "hcr", "straight", "gap", "gapfrac", "dt50", "n",
)  # fmt: skip
LEAST_STEPS = 3


def motion(fixes: Sequence[Fix], duration: timedelta | None = None) -> NDArray[np.float64] | None:
    """The numbers of a segment in the order of `FEATURES`; None if there are fewer than three steps."""
    latitude = np.radians([fix.latitude for fix in fixes])
    longitude = np.radians([fix.longitude for fix in fixes])
    times = np.array([fix.at.timestamp() for fix in fixes])
    if len(fixes) < 2:
        return None
    north, east = np.diff(latitude), np.diff(longitude)
    half = np.sin(north / 2) ** 2 + np.cos(latitude[:-1]) * np.cos(latitude[1:]) * np.sin(east / 2) ** 2
    metres = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(1, half)))
    seconds = np.diff(times)
    bearing = np.degrees(
        np.arctan2(
            np.sin(east) * np.cos(latitude[1:]),
            np.cos(latitude[:-1]) * np.sin(latitude[1:]) - np.sin(latitude[:-1]) * np.cos(latitude[1:]) * np.cos(east),
        )
    )
    steps = (seconds > 0) & (metres < FASTEST * np.maximum(seconds, 1e-9))
    if steps.sum() < LEAST_STEPS:
        return None
    metres, seconds, bearing = metres[steps], seconds[steps], bearing[steps]
    speed = metres / seconds
    whole = duration.total_seconds() if duration else times[-1] - times[0]
    distance = max(metres.sum(), 1e-6)
    change = np.abs(np.diff(speed) / seconds[1:])
    turned = np.abs((np.diff(bearing) + 180) % 360 - 180)
    standing = speed < 1
    stops = int(standing[0]) + int((standing[1:] & ~standing[:-1]).sum())
    first, last = fixes[0], fixes[-1]
    beeline = _beeline(first, last)
    return np.array(
        [
            whole,
            distance,
            distance / seconds.sum(),
            speed.mean(),
            speed.std(),
            *np.percentile(speed, (10, 25, 50, 75, 85, 95, 99)),
            *np.percentile(change, (50, 85, 95)),
            (speed < 0.6).mean(),
            stops / distance * 1000,
            ((turned > 19) & (speed[1:] > 1)).sum() / distance * 1000,
            min(1.0, beeline / distance),
            seconds.max(),
            seconds.max() / max(whole, 1.0),
            np.median(seconds),
            len(metres),
        ]
    )


def _beeline(a: Fix, b: Fix) -> float:
    one, two = np.radians(a.latitude), np.radians(b.latitude)
    half = (
        np.sin((two - one) / 2) ** 2
        + np.cos(one) * np.cos(two) * np.sin(np.radians(b.longitude - a.longitude) / 2) ** 2
    )
    return float(2 * EARTH_RADIUS * np.arcsin(np.sqrt(min(1.0, half))))


def shape(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 23 numbers with 13 more that are made of them (ratios and logarithms): what the recogniser sees."""
    f = dict(zip(FEATURES, features.T, strict=True))
    derived = [
        f["p95"] / (f["p50"] + 0.5),
        f["dist"] / (f["dur"] + 1) - f["p50"],
        np.log1p(f["dur"]),
        np.log1p(f["dist"]),
        f["n"] / (f["dur"] + 1),
        f["gap"] / (f["dur"] + 1),
        f["slow"] - f["stoprate"],
        f["stoprate"] * f["dist"] / 1000,
        f["hcr"] * f["dist"] / 1000,
        f["a95"] / (f["p95"] + 0.5),
        f["p99"] - f["p85"],
        f["p85"] - f["p50"],
        f["vstd"] / (f["vmean"] + 0.5),
    ]
    return np.column_stack([features, *derived])
