"""Which sub-plots are visited: drawn from a seed whose hash is public before anyone goes out.

So nobody can pick the nice ones: the commitment comes first, the seed is opened after it, and anybody can draw again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Draw:
    """Sub-plots to visit, in the order drawn, and those that step in (in order) if one cannot be reached."""

    chosen: tuple[str, ...]
    substitutes: tuple[str, ...]


def commitment(seed: bytes) -> bytes:
    """What is published before the survey: SHA-256 of the seed. The seed has 16 bytes or more, from a secure source.

    Raises `ValueError` for a shorter one, which could be guessed.
    """
    if len(seed) < 16:
        raise ValueError("a seed has at least 16 bytes")
    return hashlib.sha256(seed).digest()


def opens(committed: bytes, seed: bytes) -> bool:
    """Whether `seed` is the one that was committed to."""
    return commitment(seed) == committed


def draw(subplots: Sequence[str], wanted: int, seed: bytes, substitutes: int = 5) -> Draw:
    """Draw `wanted` of the named sub-plots without replacement; the order in which they are listed does not matter.

    Simple random sampling: names are sorted by the SHA-256 of seed and name. Raises `ValueError` for a name twice or
    more wanted than there are.
    """
    if len(set(subplots)) != len(subplots):
        raise ValueError("a sub-plot is listed twice")
    if not 1 <= wanted <= len(subplots):
        raise ValueError(f"{wanted} of {len(subplots)} sub-plots cannot be drawn")
    order = sorted(subplots, key=lambda name: hashlib.sha256(seed + b"\0" + name.encode()).digest())
    return Draw(tuple(order[:wanted]), tuple(order[wanted : wanted + substitutes]))


def numbers(seed: bytes) -> Iterator[float]:
    """An endless series of numbers in [0, 1) from a seed (SHA-256 in counter mode), the same on every machine."""
    counter = 0
    while True:
        yield int.from_bytes(hashlib.sha256(seed + counter.to_bytes(8, "big")).digest()[:7], "big") / 2**56
        counter += 1
