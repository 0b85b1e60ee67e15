import random
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from commonweal.kernel.proof import Checkpoint, Fact, log, static, tree
from commonweal.kernel.proof.note import BadNote, SignerKey
from commonweal.kernel.proof.tests.making import SIGNER

AT = datetime(2026, 1, 1, tzinfo=UTC)
KEY = SIGNER.verifier


def grow(session: psycopg.Connection, count: int, start: int = 0, signer: SignerKey = SIGNER, word: str = "") -> None:
    some = [Fact("toy.given", AT, {"n": n, "word": word}, id=uuid.UUID(int=n + 1)) for n in range(start, start + count)]
    with session.cursor() as cursor:
        log.append(cursor, *some)
    assert log.sequence(session, signer, AT) is not None


def exported(session: psycopg.Connection, directory: Path, signer: SignerKey = SIGNER) -> int:
    with session.cursor() as cursor:
        checkpoint = static.export(cursor, signer.verifier, directory)
    assert checkpoint is not None
    return checkpoint.size


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.fixture
def log_700(session: psycopg.Connection, tmp_path: Path) -> Path:
    grow(session, 700)
    exported(session, tmp_path / "log")
    return tmp_path / "log"


def test_an_empty_log_has_nothing_to_export(session: psycopg.Connection, tmp_path: Path) -> None:
    with session.cursor() as cursor:
        assert static.export(cursor, KEY, tmp_path / "log") is None
    assert not (tmp_path / "log").exists()


def test_the_files_are_those_of_tlog_tiles(log_700: Path) -> None:
    names = {"checkpoint", "log.vkey"}
    names |= {tree.tile_path(level, n, width) for level, n, width in tree.tiles_of(700)}
    names |= {tree.entries_path(n, width) for n, width in tree.tiles_at(0, 700)}
    assert set(files(log_700)) == names
    assert {"tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2", "tile/entries/002.p/188"} <= names
    assert (log_700 / "tile/0/000").stat().st_size == 8192


def test_the_export_holds_and_gives_the_entries_in_order(session: psycopg.Connection, log_700: Path) -> None:
    assert static.fsck(log_700) == static.fsck(log_700, KEY)
    assert static.fsck(log_700).size == 700
    with session.cursor() as cursor:
        rows = cursor.execute("SELECT entry FROM proof_leaf ORDER BY seq").fetchall()
    assert list(static.entries_in(log_700)) == [bytes(entry) for (entry,) in rows]


def test_a_later_export_continues_the_earlier_and_keeps_what_is_whole(
    session: psycopg.Connection, log_700: Path
) -> None:
    whole = [log_700 / "tile/0/000", log_700 / "tile/entries/001"]
    before = [path.stat().st_ino for path in whole]
    assert exported(session, log_700) == 700
    grow(session, 400, 700)
    assert exported(session, log_700) == 1100
    assert [path.stat().st_ino for path in whole] == before
    assert static.fsck(log_700, KEY).size == 1100


def test_many_bundles_are_read_in_chunks(
    session: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static, "CHUNK", 2)
    grow(session, 256 * 5 + 3)
    exported(session, tmp_path)
    (tmp_path / tree.entries_path(2)).unlink()
    exported(session, tmp_path)  # the first chunk is whole, the second has lost one
    assert static.fsck(tmp_path).size == 256 * 5 + 3


def test_what_was_lost_is_written_again(session: psycopg.Connection, log_700: Path) -> None:
    before = files(log_700)
    for name in ("tile/0/001", "tile/entries/000", "checkpoint", "log.vkey", "tile/1/000.p/2"):
        (log_700 / name).unlink()
    exported(session, log_700)
    assert files(log_700) == before


def test_a_directory_of_another_log_is_refused_and_left_alone(session: psycopg.Connection, log_700: Path) -> None:
    before = files(log_700)
    with session.cursor() as cursor, pytest.raises(BadNote, match="not signed by"):
        static.export(cursor, SignerKey("log.example/two", bytes(32)).verifier, log_700)
    assert files(log_700) == before


def test_a_log_that_was_set_back_is_not_published(session: psycopg.Connection, log_700: Path, tmp_path: Path) -> None:
    """A database that was restored to an earlier state, or rewritten, never replaces what the public has seen."""
    before = files(log_700)
    session.execute("SET session_replication_role = replica")  # an attacker who is superuser
    session.execute("DELETE FROM proof_leaf; DELETE FROM proof_tile; DELETE FROM proof_head")
    for size, word in ((600, ""), (750, "rewritten")):
        grow(session, size, word=word)
        with session.cursor() as cursor, pytest.raises(BadNote, match="a log that this one does not continue"):
            static.export(cursor, KEY, log_700)
        session.execute("DELETE FROM proof_leaf; DELETE FROM proof_tile; DELETE FROM proof_head")
    assert files(log_700) == before


def test_every_damaged_file_is_found(log_700: Path) -> None:
    dice = random.Random(20260101)
    for name, data in files(log_700).items():
        path, key = log_700 / name, None if name == "log.vkey" else KEY
        damaged = [b"", data[:-2], b"\0" + data, data + data]
        for _ in range(12):
            position = dice.randrange(len(data) - 1)
            flipped = bytes([data[position] ^ 1 << dice.randrange(8)])
            damaged.append(data[:position] + flipped + data[position + 1 :])
        for other in damaged:
            path.write_bytes(other)
            with pytest.raises(BadNote):
                static.fsck(log_700, key)
        path.unlink()
        with pytest.raises(BadNote, match="No such file"):
            static.fsck(log_700, key)
        path.write_bytes(data)
    assert static.fsck(log_700).size == 700


def test_a_bundle_with_too_few_entries_is_named(log_700: Path) -> None:
    path = log_700 / "tile/entries/001"
    path.write_bytes(tree.bundle(tree.unbundle(path.read_bytes())[:-1]))
    with pytest.raises(BadNote, match="001: 255 entries instead of 256"):
        static.fsck(log_700)


def test_a_log_rewritten_with_all_its_tiles_fails_at_the_root(
    session: psycopg.Connection, log_700: Path, tmp_path: Path
) -> None:
    session.execute("SET session_replication_role = replica")
    session.execute("DELETE FROM proof_leaf; DELETE FROM proof_tile; DELETE FROM proof_head")
    grow(session, 700, word="rewritten")
    exported(session, tmp_path / "other")
    shutil.copy(log_700 / "checkpoint", tmp_path / "other" / "checkpoint")
    with pytest.raises(BadNote, match="the root is not what the entries give"):
        static.fsck(tmp_path / "other")


def test_a_checkpoint_of_an_absurd_size_stops_at_the_first_missing_file(log_700: Path) -> None:
    absurd = Checkpoint(SIGNER.name, 10**18, bytes(32))
    (log_700 / "checkpoint").write_text(SIGNER.sign(str(absurd)))
    with pytest.raises(BadNote, match="No such file"):
        static.fsck(log_700)


def test_bytes_that_are_no_text_are_refused(log_700: Path) -> None:
    for name in ("checkpoint", "log.vkey"):
        data = (log_700 / name).read_bytes()
        (log_700 / name).write_bytes(b"\xff" + data)
        with pytest.raises(BadNote):
            static.fsck(log_700)
        (log_700 / name).write_bytes(data)
