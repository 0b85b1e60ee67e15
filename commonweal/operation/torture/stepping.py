"""A wall clock that can be stepped, for the platform under torture and for PostgreSQL alike.

It is a small library that the C compiler of this machine makes and the loader puts before the C library. The platform
has no setting for it, so nobody can set it by mistake.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """The offset of the clock of all processes that are started with `environment`."""

    def __init__(self, directory: Path, *, wanted: bool = True) -> None:
        self._offset, library = directory / "clock", directory / "clock.so"
        self.set(0)
        compiler = shutil.which("cc") if wanted else None
        self.there = compiler is not None
        """Whether there is such a clock: without a C compiler there is none."""
        if compiler:
            words = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
            subprocess.run(words, check=True, capture_output=True)
        self.environment: Mapping[str, str] = (
            {"LD_PRELOAD": str(library), "TORTURE_CLOCK": str(self._offset)} if self.there else {}
        )

    def set(self, seconds: float) -> None:
        """Let the clock be off by so much."""
        with self._offset.open("r+b" if self._offset.exists() else "wb") as file:
            file.write(struct.pack("=q", int(seconds * 1_000_000_000)))
