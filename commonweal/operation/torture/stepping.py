"""A wall clock that can be stepped, for the platform under torture and for PostgreSQL alike.

The platform has no setting for it, so nobody can set it by mistake.
"""

from __future__ import annotations

import struct
from pathlib import Path

from commonweal.operation.torture import preload


class Clock:
    """The offset of the clock of all processes that are started with its library before them, and `environment`."""

    def __init__(self, directory: Path, *, wanted: bool = True) -> None:
        self._offset = directory / "clock"
        self.set(0)
        self.library = preload.build("clock", directory) if wanted else None
        self.there = self.library is not None
        """Whether there is such a clock: without a C compiler there is none."""
        self.environment: dict[str, str] = {"TORTURE_CLOCK": str(self._offset)} if self.there else {}

    def set(self, seconds: float) -> None:
        """Let the clock be off by so much."""
        with self._offset.open("r+b" if self._offset.exists() else "wb") as file:
            file.write(struct.pack("=q", int(seconds * 1_000_000_000)))
