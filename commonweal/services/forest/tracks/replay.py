"""A track handed in twice, by anybody, shifted or thinned, shares its cells of space and time with the first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from commonweal.services.forest.tracks.fixes import Track

CELL = 4
"""Decimal places of a degree that two fixes share to be the same place: about 11 m."""
SHARED = 0.80
"""The share of a track's fixes that may not be in another one."""


def signature(track: Track, *, timeless: bool = False) -> frozenset[bytes]:
    """What is kept of a track to find it again: hashes of its cells of place and minute, from which no place is read.

    With `timeless`, the minute is counted from the track's first fix, so that a replay on another day is found too.
    """
    first = track.fixes[0].at
    cells = set()
    for fix in track.fixes:
        minute = int((fix.at - first).total_seconds() // 60) if timeless else int(fix.at.timestamp() // 60)
        cell = f"{round(fix.latitude, CELL)} {round(fix.longitude, CELL)} {minute}"
        cells.add(hashlib.blake2b(cell.encode(), digest_size=8).digest())
    return frozenset(cells)


def shared_fixes(new: frozenset[bytes], known: Iterable[tuple[str, frozenset[bytes]]]) -> tuple[str | None, float]:
    """The known track with the greatest share of the new one's cells, and that share (0 to 1).

    A share above `SHARED` is a replay.
    """
    name, share = None, 0.0
    for track, cells in known:
        common = len(new & cells) / len(new)
        if common > share:
            name, share = track, common
    return name, share
