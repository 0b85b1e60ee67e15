"""The backup file: whole or refused."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commonweal.kernel.errors import Conflict
from commonweal.operation import archive
from commonweal.operation.archive import Archive, Broken

CONTENT = {"keys/secret": b"s" * 40, "files/ab/abcd": bytes(range(256)) * 5, "database.dump": b"PGDMP" + b"\0" * 700}


def make(directory: Path) -> Path:
    for name, content in CONTENT.items():
        path = directory / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    file = directory / "backup.tar"
    archive.write(file, {"commonweal": "1.2"}, [(name, directory / "source" / name) for name in CONTENT])
    return file


def read(file: Path, to: Path) -> dict[str, bytes]:
    with Archive(file) as opened:
        for name in opened.names():
            opened.extract(name, to / name)
        return {name: (to / name).read_bytes() for name in opened.names()}


def test_what_went_in_comes_out(tmp_path: Path) -> None:
    file = make(tmp_path)
    assert read(file, tmp_path / "out") == CONTENT
    with Archive(file) as opened:
        assert opened.about["commonweal"] == "1.2"
        assert opened.names("keys/") == ["keys/secret"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "out/keys/secret").stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.partial"))


def test_any_tar_opens_it(tmp_path: Path) -> None:
    with tarfile.open(make(tmp_path)) as tar:
        assert [member.name for member in tar][:3] == list(CONTENT)


@pytest.fixture(scope="module")
def whole() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        return make(Path(directory)).read_bytes()


several = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@several
@given(data=st.data())
def test_a_changed_byte_is_refused_or_changes_nothing(whole: bytes, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[position] ^= data.draw(st.integers(1, 255))
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "backup.tar"
        file.write_bytes(changed)
        try:
            assert read(file, Path(directory) / "out") == CONTENT
        except Broken:
            return


@several
@given(data=st.data())
def test_a_file_that_is_cut_off_is_refused(whole: bytes, data: st.DataObject) -> None:
    end = whole.rindex(b"}") + 1  # what follows is padding
    length = data.draw(st.integers(0, end - 1))
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "backup.tar"
        file.write_bytes(whole[:length])
        with pytest.raises(Broken, match="Nothing was restored"):
            Archive(file)


def forged(path: Path, names: list[str], *, format: int = archive.FORMAT, link: bool = False) -> Path:
    """A tar by somebody who knows how the manifest is made."""
    members = {name: {"size": 1, "sha256": hashlib.sha256(b"x").hexdigest()} for name in names}
    manifest = json.dumps({"format": format, "commonweal": "9.9", "members": members}).encode()
    with tarfile.open(path, "w") as tar:
        for name in names:
            header = tarfile.TarInfo(name)
            header.size = 1
            if link:
                header.type, header.linkname, header.size = tarfile.SYMTYPE, "/etc/passwd", 0
            tar.addfile(header, io.BytesIO(b"x"))
        header = tarfile.TarInfo(f"manifest-{hashlib.sha256(manifest).hexdigest()}.json")
        header.size = len(manifest)
        tar.addfile(header, io.BytesIO(manifest))
    return path


@pytest.mark.parametrize("name", ["../escaped", "keys/../../escaped", "/tmp/escaped"])
def test_no_member_leaves_the_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(Broken, match="leads out"):
        Archive(forged(tmp_path / "f.tar", [name]))


def test_no_member_is_a_link(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="is missing or has another length"):
        Archive(forged(tmp_path / "f.tar", ["keys/secret"], link=True))


def test_another_format_names_the_version_that_reads_it(tmp_path: Path) -> None:
    with pytest.raises(Conflict, match=r"Restore it with commonweal 9\.9") as refused:
        Archive(forged(tmp_path / "f.tar", ["a"], format=2))
    assert refused.value.code == "backup.format"


@pytest.mark.parametrize("content", [b"", b"PGDMP and so on", b"\0" * 10240])
def test_what_is_no_backup_at_all_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "f.tar"
    file.write_bytes(content)
    with pytest.raises(Broken):
        Archive(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Broken, match=r"none\.tar"):
        Archive(tmp_path / "none.tar")


def test_a_failed_writing_leaves_no_backup(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        archive.write(tmp_path / "b.tar", {}, [("a", tmp_path / "missing")])
    assert not (tmp_path / "b.tar").exists()
