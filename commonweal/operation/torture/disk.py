"""A small disk of its own for a data directory, that can be full to the last byte and empty again."""

from __future__ import annotations

import errno
import os
import subprocess
from contextlib import suppress
from pathlib import Path

SIZE = 3_000_000_000
"""Bytes. The image is sparse: only what is written takes space."""


class Disk:
    """A file system mounted at `home`: ext4 in a file, or in memory where loop devices are not to be had."""

    def __init__(self, home: Path, *, wanted: bool = True) -> None:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._home, self._filler = home, home / "filler"
        self._image = home.with_name(f"{home.name}.img")
        self.kind = self._mount() if wanted else "none"

    @property
    def there(self) -> bool:
        """Whether there is such a disk: mounting needs root, and may be forbidden to root in a container."""
        return self.kind != "none"

    def fill(self) -> None:
        """Leave no byte free."""
        with self._filler.open("wb") as file:
            step = SIZE
            while step:
                try:
                    os.posix_fallocate(file.fileno(), file.tell(), step)
                    file.seek(0, os.SEEK_END)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    step //= 2

    def free(self) -> None:
        """Give the space back."""
        self._filler.unlink(missing_ok=True)

    def end(self) -> None:
        """Unmount it and throw it away."""
        if self.there:
            _run("umount", "--lazy", str(self._home))
        self._image.unlink(missing_ok=True)

    def _mount(self) -> str:
        with suppress(OSError, subprocess.CalledProcessError):
            with self._image.open("wb") as image:
                image.truncate(SIZE)
            _run("mkfs.ext4", "-q", "-m", "0", str(self._image))
            _run("mount", "-o", "loop", str(self._image), str(self._home))
            (self._home / "lost+found").rmdir()
            return "ext4"
        with suppress(OSError, subprocess.CalledProcessError):
            _run("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "commonweal-torture", str(self._home))
            return "tmpfs"
        self._image.unlink(missing_ok=True)
        return "none"


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
