"""The backup file: a tar whose last member says what all the others must be.

A tar is what every administrator can open. The last member is named after the SHA-256 of its own content, so that a
file that is cut off or altered is known as such before anything is restored from it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Self

from commonweal.kernel.errors import Conflict
from commonweal.kernel.text import Text

FORMAT = 1
MANIFEST = "manifest-"
CHUNK = 1 << 20


class Broken(Conflict):
    """A file that is not, or no longer, a backup."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "backup.broken",
            Text(
                "This file is not a whole backup ({reason}). Nothing was restored: take another copy of it.",
                "此文件不是完整的备份（{reason}）。没有恢复任何内容，请换用另一份副本。",
            ).format(reason=reason),
        )


def write(path: Path, about: Mapping[str, Any], members: Iterable[tuple[str, Path]]) -> None:
    """Write the members (name and source), then the manifest with `about`. The file gets its name when it is whole."""
    fresh = path.with_name(f"{path.name}.partial")
    listed = {}
    with fresh.open("wb") as file:
        fresh.chmod(0o600)
        with tarfile.open(fileobj=file, mode="w:", format=tarfile.GNU_FORMAT) as tar:
            for name, source in members:
                with source.open("rb") as content:
                    digest = hashlib.file_digest(content, "sha256").hexdigest()
                    size = content.tell()
                    content.seek(0)
                    tar.addfile(_header(name, size), content)
                listed[name] = {"size": size, "sha256": digest}
            manifest = json.dumps({"format": FORMAT, **about, "members": listed}, indent=1).encode()
            name = f"{MANIFEST}{hashlib.sha256(manifest).hexdigest()}.json"
            tar.addfile(_header(name, len(manifest)), io.BytesIO(manifest))
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode = size, 0o600
    return header


class Archive:
    """A backup opened for reading: `about` is its manifest. Raises `Broken` if it is not whole."""

    def __init__(self, path: Path) -> None:
        try:
            self._tar = tarfile.open(path, "r:")  # noqa: SIM115
        except (OSError, tarfile.TarError) as error:
            raise Broken(f"{path.name}: {error}") from error
        try:
            found = {member.name: member for member in self._tar.getmembers()}
            self.about = self._manifest(next(reversed(found), ""))
            self._listed: dict[str, dict[str, Any]] = self.about["members"]
            for name, listed in self._listed.items():
                if name not in found or not found[name].isreg() or found[name].size != listed["size"]:
                    raise Broken(f"{name} is missing or has another length")
                if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                    raise Broken(f"{name} leads out of the directory")
        except (OSError, tarfile.TarError, EOFError) as error:
            self._tar.close()
            raise Broken(f"it is cut off: {error}") from error
        except Broken:
            self._tar.close()
            raise

    def _manifest(self, name: str) -> dict[str, Any]:
        if not name.startswith(MANIFEST):
            raise Broken("it is cut off: its last part, the manifest, is missing")
        data = self._read(name).read()
        if name != f"{MANIFEST}{hashlib.sha256(data).hexdigest()}.json":
            raise Broken("its manifest was altered")
        about: dict[str, Any] = json.loads(data)
        if about["format"] != FORMAT:
            raise Conflict(
                "backup.format",
                Text(
                    "This backup has format {found}, this version of commonweal ({own}) reads format {format}. "
                    "Restore it with commonweal {other}.",
                    "此备份的格式为 {found}，当前版本（{own}）只能读取格式 {format}。请用 commonweal {other} 恢复。",
                ).format(found=about["format"], own=_version(), format=FORMAT, other=about.get("commonweal", "?")),
            )
        return about

    def names(self, folder: str = "") -> list[str]:
        """The members whose name begins with `folder`."""
        return [name for name in self._listed if name.startswith(folder)]

    def extract(self, name: str, to: Path) -> None:
        """Write one member to the path `to`. Raises `Broken` if its bytes are not what the manifest says."""
        to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            content = self._read(name)
            while chunk := content.read(CHUNK):
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != self._listed[name]["sha256"]:
            raise Broken(f"{name} was altered")

    def _read(self, name: str) -> Any:
        return self._tar.extractfile(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()


def _version() -> str:
    import commonweal

    return commonweal.__version__
