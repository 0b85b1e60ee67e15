"""A loss of power: whatever was not synced is gone. A kill leaves it, since the kernel has it and lives on.

PostgreSQL's directory has a double that holds what was synced, kept by a small library in every process. To lose the
power is to put the double in its place.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from commonweal.operation.torture import preload


class Power:
    """What is kept of the directory `live`, for all processes that are started with `environment` once it has begun."""

    def __init__(self, directory: Path, live: Path, *, wanted: bool = True) -> None:
        self._live, self._kept = live, directory / "kept"
        self.library = preload.build("power", directory) if wanted else None
        self.there = self.library is not None
        """Whether power can be lost: without a C compiler it cannot."""

    @property
    def environment(self) -> dict[str, str]:
        """Its settings, empty until there is a double."""
        kept = self._kept.exists()
        return {"TORTURE_LIVE": str(self._live.resolve()), "TORTURE_KEPT": str(self._kept)} if kept else {}

    def begin(self) -> None:
        """Make the double, while nothing runs."""
        _copy(self._live, self._kept)

    def lose(self) -> None:
        """Forget what was not synced, while nothing runs."""
        shutil.rmtree(self._live)
        _copy(self._kept, self._live)


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", "--sparse=always", str(source), str(target)], check=True)
