"""Backing up, restoring and forgetting, by the commands, on a platform with people, gifts and facts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from commonweal.kernel.errors import Conflict
from commonweal.kernel.postgres import Server, conninfo, running
from commonweal.operation import restore as restoring
from commonweal.operation.backup import DUMP, FORGOTTEN

TRANSFERS = 300


def python(home: Path, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python with a data directory, outside of the tests' own settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COMMONWEAL_", "DJANGO_", "DATABASE_URL"))}
    return subprocess.run(
        [sys.executable, *map(str, words)],
        env=kept | {"COMMONWEAL_DATA_DIR": str(home)} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def commonweal(home: Path, *words: object, expect: int = 0, **environment: str) -> dict[str, Any]:
    """The JSON answer of a command."""
    done = python(home, "-m", "commonweal.cli", *words, "--json", **environment)
    assert done.returncode == expect, done.stderr
    return dict(json.loads(done.stdout))


@dataclass(frozen=True)
class Platform:
    """A data directory with its backup, and what is in it."""

    home: Path
    backup: Path
    people: dict[str, str]
    file: str
    figures: dict[str, Any]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    home = tmp_path_factory.mktemp("platform") / "home"
    home.mkdir()
    with running(home):  # several commands in a row need not start it each
        made = python(home, "-m", "commonweal.operation.tests.world", TRANSFERS)
        assert made.returncode == 0, made.stderr
        backup = home.with_name("backup.tar")
        figures = commonweal(home, "backup", backup)
        yield Platform(home, backup, figures=figures, **json.loads(made.stdout))


def query(home: Path, statement: str) -> list[tuple[Any, ...]]:
    with running(home), psycopg.connect(conninfo(home)) as connection:
        return connection.execute(statement).fetchall()


def contents(home: Path) -> str:
    """A plain dump of everything."""
    with running(home) as server:
        from commonweal.kernel.postgres.binaries import program

        words = [str(program("pg_dump")), "--dbname", server.conninfo()]
        return str(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def test_a_backup_says_what_it_holds(platform: Platform) -> None:
    assert platform.figures["transfers"] == platform.figures["size"] == TRANSFERS
    assert platform.figures["moved"] == {"CNY": str(TRANSFERS * 500)}
    assert platform.figures["bytes"] == platform.backup.stat().st_size
    assert not list(platform.home.parent.glob(".backup-*"))


def test_a_restored_platform_is_the_same_one(platform: Platform, tmp_path: Path) -> None:
    home = tmp_path / "restored"
    left = tmp_path / "restored.partial" / "postgres"  # by a restore that was killed
    left.mkdir(parents=True)
    (left / "PG_VERSION").write_text("3")
    found = commonweal(platform.home, "restore", platform.backup, "--verify", "--data", home)
    assert found["verified"]
    assert found["root"] == platform.figures["root"]
    assert [path.name for path in tmp_path.iterdir()] == ["restored"]
    assert not (home / DUMP).exists()
    same = [f"{path.parent.name}/{path.name}" for path in platform.home.glob("files/??/*")]
    assert [f"{path.parent.name}/{path.name}" for path in home.glob("files/??/*")] == same
    for key in ("log.key", "log.vkey", "parties.key", "secret"):
        assert (home / "keys" / key).read_bytes() == (platform.home / "keys" / key).read_bytes()
    assert home.stat().st_mode & 0o777 == 0o700
    assert query(home, "SELECT count(*) FROM parties_partykey") == [(3,)]
    again = commonweal(home, "backup", tmp_path / "again.tar")
    assert {k: v for k, v in again.items() if k not in ("file", "bytes")} == {
        k: v for k, v in platform.figures.items() if k not in ("file", "bytes")
    }


def test_a_home_with_something_in_it_is_not_touched(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    answer = commonweal(platform.home, "restore", platform.backup, "--data", tmp_path, expect=1)
    assert answer["code"] == "restore.not-empty"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_damaged_backup_leaves_nothing_behind(platform: Platform, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.tar"
    data = bytearray(platform.backup.read_bytes())
    data[data.index(b"PGDMP") + 2000] ^= 1
    damaged.write_bytes(data)
    answer = commonweal(platform.home, "restore", damaged, "--data", tmp_path / "new", expect=1)
    assert answer["code"] == "backup.broken"
    assert "take another copy" in answer["en"]
    assert [path.name for path in tmp_path.iterdir()] == ["damaged.tar"]


def test_books_that_were_altered_are_found_out(platform: Platform, tmp_path: Path) -> None:
    """Somebody with the database's own powers changes one leaf and one posting before the backup is made."""
    home = tmp_path / "altered"
    commonweal(platform.home, "restore", platform.backup, "--data", home)
    with running(home):
        with psycopg.connect(conninfo(home)) as connection:
            connection.execute("SET session_replication_role = replica")  # no trigger fires
            connection.execute("UPDATE proof_leaf SET entry = entry || ' ' WHERE seq = 17")
            connection.execute("UPDATE ledger_posting SET amount = amount + 1 WHERE seq = 0 AND amount > 0")
        commonweal(home, "backup", tmp_path / "altered.tar")
    answer = commonweal(home, "restore", tmp_path / "altered.tar", "--verify", "--data", tmp_path / "new", expect=1)
    assert answer["code"] == "restore.unlike"
    assert "root:" in answer["en"]
    assert "its postings" in answer["en"]
    assert not (tmp_path / "new").exists()


def test_a_platform_without_data_is_not_backed_up(tmp_path: Path) -> None:
    answer = commonweal(tmp_path / "none", "backup", tmp_path / "b.tar", expect=1)
    assert answer["code"] == "data.none"
    assert not (tmp_path / "b.tar").exists()


def test_the_data_of_another_postgresql_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("15\n")
    answer = commonweal(tmp_path, "backup", tmp_path / "b.tar", expect=1)
    assert answer["code"] == "postgres.version"
    assert "commonweal restore FILE" in answer["en"]
    assert "commonweal restore FILE" in answer["zh"]


def test_a_backup_of_a_later_version_is_refused() -> None:
    about = {"commonweal": "9.0.0", "migrations": ["proof.0001_log", "proof.0002_from_the_future"]}
    with pytest.raises(Conflict, match=r"0002_from_the_future.*Install that version") as refused:
        restoring._check_migrations(about)
    assert refused.value.code == "restore.version"


def test_a_server_that_is_older_than_the_dump_is_refused(session: psycopg.Connection[Any]) -> None:
    with pytest.raises(Conflict, match="Use a server of version 99 or newer") as refused:
        restoring._check_server(session, {"postgresql": 99})
    assert refused.value.code == "restore.postgres"


def test_a_database_with_tables_is_refused(session: psycopg.Connection[Any]) -> None:
    with pytest.raises(Conflict) as refused:
        restoring._check_server(session, {"postgresql": 18})
    assert refused.value.code == "restore.database-not-empty"


def test_a_server_of_ones_own_is_backed_up_and_restored_too(
    platform: Platform, postgres: Server, tmp_path: Path
) -> None:
    name = f"clone_restored_{os.getpid()}"
    postgres.create(name)
    url = f"postgresql://commonweal@/{name}?host={str(postgres.socket_directory).replace('/', '%2F')}"
    try:
        words = ("restore", platform.backup, "--verify", "--data", tmp_path / "home")
        found = commonweal(platform.home, *words, DATABASE_URL=url)
        assert found["verified"]
        assert not (tmp_path / "home" / "postgres").exists()
        again = commonweal(tmp_path / "home", "backup", tmp_path / "again.tar", DATABASE_URL=url)
        assert again["root"] == platform.figures["root"]
        answer = commonweal(platform.home, *words[:-1], tmp_path / "other", expect=1, DATABASE_URL=url)
        assert answer["code"] == "restore.database-not-empty"
    finally:
        postgres.drop(name)


def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    url = f"postgresql://nobody@/none?host={str(tmp_path).replace('/', '%2F')}"
    answer = commonweal(tmp_path, "backup", tmp_path / "b.tar", expect=1, DATABASE_URL=url)
    assert answer["code"] == "database.away"


def test_who_is_forgotten_stays_forgotten(platform: Platform, tmp_path: Path) -> None:
    """Forget, then restore what was backed up before: with the old keys, and with newer ones."""
    home = tmp_path / "home"
    commonweal(platform.home, "restore", platform.backup, "--data", home)
    party, canary = next(iter(platform.people.items()))
    older, newest = tmp_path / "older", tmp_path / "newest"
    with running(home):  # once for all commands
        assert canary in contents(home)

        done = commonweal(home, "forget", party)
        assert done["erased"]
        assert {"parties_partykey", "parties_login", "notices_notice", "parties_party"} <= set(done["cleaned"])
        assert not commonweal(home, "forget", party)["erased"]
        assert (home / FORGOTTEN).read_text().split() == [party]
        assert canary not in contents(home)
        assert query(home, f"SELECT count(*) FROM parties_partykey WHERE party_id = '{party}'") == [(0,)]
        # Not even in the files of the tables.
        found = subprocess.run(["grep", "-rl", canary, home / "postgres" / "base"], capture_output=True, check=False)
        assert found.stdout == b""

        # The earlier backup, restored beside the data directory in use: forgotten again.
        again = commonweal(home, "restore", platform.backup, "--data", older)
        assert again["forgotten_again"] == [party]
        assert canary not in contents(older)

        # Only the keys of today are needed for the same.
        data, keys = tmp_path / "data.tar", tmp_path / "keys.tar"
        commonweal(home, "backup", data, "--keys", keys)
    nobody = tmp_path / "nobody"  # no data directory is in use any more
    restored = commonweal(nobody, "restore", platform.backup, "--keys", keys, "--data", newest)
    assert restored["forgotten_again"] == [party]
    assert canary not in contents(newest)


def test_the_keys_can_be_kept_apart(platform: Platform, tmp_path: Path) -> None:
    data, keys = tmp_path / "data.tar", tmp_path / "keys.tar"
    commonweal(platform.home, "backup", data, "--keys", keys)
    for secret in ("parties.key", "secret", "log.key"):
        assert (platform.home / "keys" / secret).read_bytes() not in data.read_bytes()
    answer = commonweal(platform.home, "restore", data, "--data", tmp_path / "a", expect=1)
    assert answer["code"] == "restore.keys"
    answer = commonweal(platform.home, "restore", keys, "--data", tmp_path / "a", expect=1)
    assert answer["code"] == "backup.broken"
    found = commonweal(platform.home, "restore", data, "--keys", keys, "--verify", "--data", tmp_path / "a")
    assert found["root"] == platform.figures["root"]
    assert query(tmp_path / "a", "SELECT count(*) FROM parties_partykey") == [(3,)]


@pytest.mark.parametrize(
    ("party", "code", "exit"),
    [("not-an-id", "party.form", 2), ("01a2104d-35ed-78e2-a883-d68940d60d74", "party.unknown", 1)],
)
def test_forgetting_nobody(platform: Platform, party: str, code: str, exit: int) -> None:
    assert commonweal(platform.home, "forget", party, expect=exit)["code"] == code
