"""A track is a series of fixes. What physics, the clock or the form forbids is refused whole: no partial credit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from commonweal.kernel.errors import Invalid, TooLarge
from commonweal.kernel.geo import EARTH_RADIUS
from commonweal.kernel.text import Text

MOST_FIXES = 100_000
FASTEST = 60.0
"""Metres a second between two fixes that nothing credited here can exceed (216 km/h)."""
LEAST_FIXES = 5
OLDEST = timedelta(days=90)
AHEAD = timedelta(minutes=5)
SETTLED = 0.00001
"""Degrees: the spread of the fixes of one standing position is at most this, about 1.1 m."""


@dataclass(frozen=True, slots=True)
class Fix:
    """Where and when: degrees (WGS 84) and a moment with its zone."""

    latitude: float
    longitude: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Track:
    """Fixes in order of time."""

    fixes: tuple[Fix, ...]


def distance(a: Fix, b: Fix) -> float:
    """Metres between two fixes on the sphere (haversine)."""
    one, two = math.radians(a.latitude), math.radians(b.latitude)
    north, east = two - one, math.radians(b.longitude - a.longitude)
    h = math.sin(north / 2) ** 2 + math.cos(one) * math.cos(two) * math.sin(east / 2) ** 2
    return 2 * EARTH_RADIUS * math.asin(min(1.0, math.sqrt(h)))


def check_track(fixes: Sequence[Fix], recorded: datetime) -> Track:
    """The track, if it can be true.

    Raises `TooLarge` (`track.long`) or `Invalid`: `track.short`, `track.coordinate` (not a number, or off the globe),
    `track.time-zone`, `track.order` (time runs backwards), `track.instant` (no time passes), `track.future`,
    `track.old` (more than 90 days), `track.teleport` (faster than 60 m/s).
    """
    if len(fixes) > MOST_FIXES:
        raise TooLarge(
            "track.long", Text("A track has at most 100,000 fixes.", "轨迹最多 100,000 个点。"), field="track"
        )
    if len(fixes) < LEAST_FIXES:
        raise _wrong("short", "A track needs at least 5 fixes.", "轨迹至少需要 5 个点。")
    for fix in fixes:
        if not (abs(fix.latitude) <= 90 and abs(fix.longitude) <= 180):  # false for NaN too
            raise _wrong("coordinate", "A position is not on the globe.", "有坐标不在地球上。")
        if fix.at.tzinfo is None:
            raise _wrong("time-zone", "Give every time with its zone.", "每个时间都须带时区。")
    for a, b in itertools.pairwise(fixes):
        if b.at < a.at:
            raise _wrong("order", "Time runs backwards in this track.", "轨迹中的时间倒退了。")
    if fixes[-1].at == fixes[0].at:
        raise _wrong("instant", "No time passes in this track.", "轨迹没有经过任何时间。")
    if fixes[-1].at > recorded + AHEAD:
        raise _wrong("future", "This track lies in the future.", "轨迹时间在未来。")
    if fixes[0].at < recorded - OLDEST:
        raise _wrong("old", "Tracks count for 90 days; this is older.", "轨迹须在 90 天内上报，这一条太早了。")
    for a, b in itertools.pairwise(fixes):
        # A second of clock resolution is forgiven; a jump is not.
        if distance(a, b) > FASTEST * max(1.0, (b.at - a.at).total_seconds()):
            raise _wrong("teleport", "Nobody is that fast: the track jumps.", "没有人能这么快：轨迹有跳跃。")
    return Track(tuple(fixes))


@dataclass(frozen=True, slots=True)
class Position:
    """A standing position from several fixes: their mean, and the greater of the two standard deviations in degrees.

    `settled` says whether they agree to about a metre; a position that is not is kept and marked.
    """

    latitude: float
    longitude: float
    spread: float

    @property
    def settled(self) -> bool:
        """Whether the fixes agree."""
        return self.spread <= SETTLED


def settle(fixes: Sequence[tuple[float, float]]) -> Position:
    """One position from repeated fixes `(latitude, longitude)`. Raises `Invalid` `track.short`, `track.coordinate`."""
    if len(fixes) < LEAST_FIXES:
        raise _wrong("short", "Take at least 5 fixes.", "至少定位 5 次。")
    if not all(abs(lat) <= 90 and abs(lon) <= 180 for lat, lon in fixes):
        raise _wrong("coordinate", "A position is not on the globe.", "有坐标不在地球上。")
    n = len(fixes)
    lat, lon = sum(f[0] for f in fixes) / n, sum(f[1] for f in fixes) / n
    spread = max(
        math.sqrt(sum((f[0] - lat) ** 2 for f in fixes) / (n - 1)),
        math.sqrt(sum((f[1] - lon) ** 2 for f in fixes) / (n - 1)),
    )
    return Position(lat, lon, spread)


def _wrong(code: str, en: str, zh: str) -> Invalid:
    return Invalid(f"track.{code}", Text(en, zh), field="track")
