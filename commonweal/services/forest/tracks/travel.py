"""How far somebody moved, and whether the way they say fits the speeds. A track never proves a bus or a metro."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.forest.tracks.fixes import Track, distance

Way = Literal["walking", "cycling"]

STANDING = 0.5
"""Metres a second below which a fix only wanders: nothing is counted."""
FASTEST_USUAL: dict[Way, float] = {"walking": 3.0, "cycling": 9.0}
"""Metres a second that nine tenths of the moving time stay below: a brisk run, a fast cyclist."""
WAYS: dict[Way, Text] = {"walking": Text("walking", "步行"), "cycling": Text("cycling", "骑行")}
LONGEST_GAP = 300.0
"""Seconds without a fix after which nobody knows what was travelled: not counted."""
LEAST = 200
"""Metres below which a track is no trip."""


@dataclass(frozen=True, slots=True)
class Travelled:
    """Metres moved, the moving time in seconds, and the speed that nine tenths of it stay below."""

    metres: int
    seconds: int
    usual: float


def travelled(track: Track) -> Travelled:
    """What a track comes to. Stretches of 10 seconds and more are judged: the jitter of one fix does not count."""
    metres, moving, speeds = 0.0, 0.0, []
    start = track.fixes[0]
    length = 0.0
    for earlier, later in itertools.pairwise(track.fixes):
        if (later.at - earlier.at).total_seconds() > LONGEST_GAP:
            start, length = later, 0.0
            continue
        length += distance(earlier, later)
        seconds = (later.at - start.at).total_seconds()
        if seconds < 10:
            continue
        # Neither the wandering path nor a jump there and back: the straight way, where it is the shorter.
        straight = distance(start, later)
        if straight / seconds >= STANDING:
            metres += min(length, straight)
            moving += seconds
            speeds.append((straight / seconds, seconds))
        start, length = later, 0.0
    return Travelled(int(metres), int(moving), _ninth_decile(speeds, moving))


def _ninth_decile(speeds: list[tuple[float, float]], moving: float) -> float:
    so_far = 0.0
    for speed, seconds in sorted(speeds):
        so_far += seconds
        if so_far >= 0.9 * moving:
            return speed
    return 0.0


def check_way(found: Travelled, way: Way) -> int:
    """Metres that count as this way. Raises `Invalid`: `track.still` (below 200 m), `track.fast` (no one walks so)."""
    if found.metres < LEAST:
        raise Invalid(
            "track.still",
            Text(
                "This track covers {metres} m; a trip has at least 200 m.", "这条轨迹只有 {metres} 米，至少要 200 米。"
            ).format(metres=found.metres),
            field="track",
        )
    if found.usual > FASTEST_USUAL[way]:
        raise Invalid(
            "track.fast",
            Text(
                "The speeds of this track ({speed} km/h) are not those of {way}.",
                "这条轨迹的速度（{speed} 公里/小时）不像{way}。",
            ).format(speed=round(found.usual * 3.6), way=WAYS[way]),
            field="way",
        )
    return found.metres
