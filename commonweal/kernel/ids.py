"""Identifiers: time-ordered UUIDs (version 7, RFC 9562 section 5.7) and names derived from other names (version 5)."""

from __future__ import annotations

import functools
import secrets
import time
import uuid
from collections.abc import Callable


def uuid7(
    *,
    milliseconds: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    random_bits: Callable[[int], int] = secrets.randbits,
) -> uuid.UUID:
    """A new version 7 UUID: 48 bits of Unix time in milliseconds, then 74 random bits."""
    value = (milliseconds() & (2**48 - 1)) << 80 | random_bits(80)
    value = value & ~(0xF << 76) | 0x7 << 76  # version
    value = value & ~(0x3 << 62) | 0x2 << 62  # variant
    return uuid.UUID(int=value)


@functools.lru_cache(65_536)
def derived(book: uuid.UUID, name: str) -> uuid.UUID:
    """The identifier that `name` always has within `book` (UUID version 5): needs no look-up to be known."""
    return uuid.uuid5(book, name)
