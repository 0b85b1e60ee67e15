"""How fast gifts are answered: times in buckets, each a quarter wider than the one before, so that they add up."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence

BOUNDS = tuple(0.001 * 1.25**n for n in range(48))
"""The upper bounds of the buckets in seconds: from 1 ms to 36 s; whatever takes longer is in the last."""


def bucket(seconds: float) -> int:
    """The place of a time."""
    return min(bisect.bisect_left(BOUNDS, seconds), len(BOUNDS) - 1)


def added(times: Iterable[Sequence[int]]) -> list[int]:
    """Several counts as one."""
    return [sum(counts) for counts in zip(*times, strict=True)] or [0] * len(BOUNDS)


def quantile(counts: Sequence[int], share: float) -> float:
    """The time in seconds within which a share (0 to 1) was answered, at most a quarter too high; 0 if none was."""
    rest = share * sum(counts)
    for bound, count in zip(BOUNDS, counts, strict=True):
        rest -= count
        if count and rest <= 1e-9:
            return bound
    return 0.0
