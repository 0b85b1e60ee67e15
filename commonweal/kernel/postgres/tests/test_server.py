import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from commonweal.kernel import postgres
from commonweal.kernel.errors import Conflict
from commonweal.kernel.postgres import DATABASE, Server, binaries, running
from commonweal.kernel.postgres import server as module


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A data directory whose server, if a test leaves one, is stopped."""
    yield tmp_path / "home"
    Server(tmp_path / "home").stop()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An initialised cluster to copy, so that each test need not make one."""
    home = tmp_path_factory.mktemp("cluster")
    Server(home).initialise()
    return home / "postgres"


@pytest.fixture
def server(home: Path, cluster: Path) -> Server:
    """A server that is initialised and not running."""
    home.mkdir(mode=0o700)
    shutil.copytree(cluster, home / "postgres")
    return Server(home)


def ask(server: Server, query: str, database: str = DATABASE) -> object:
    with psycopg.connect(server.conninfo(database)) as session:
        row = session.execute(query).fetchone()
    return row[0] if row else None


# Start, adopt, stop


def test_from_nothing_to_a_database_and_back(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    server = Server(home)
    assert (server.pid(), server.answers()) == (None, False)
    assert server.start(quiet=False)
    assert "PostgreSQL 18 runs, data in" in capfd.readouterr().err
    assert ask(server, "SELECT current_database()") == DATABASE
    assert ask(server, "SELECT current_setting('server_version_num')::int / 10000") == binaries.MAJOR
    settings = "fsync", "synchronous_commit", "full_page_writes", "data_checksums"
    assert [ask(server, f"SELECT current_setting('{name}')") for name in settings] == ["on"] * 4
    assert ask(server, "SELECT datlocale FROM pg_database WHERE datname = current_database()") == "C.UTF-8"
    assert ask(server, "SHOW listen_addresses") == ""
    assert ask(server, "SHOW log_parameter_max_length_on_error") == "0"
    server.stop()
    assert (server.pid(), server.answers()) == (None, False)
    server.stop()  # stopping what does not run is nothing


def test_one_that_runs_is_adopted(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    assert server.start()
    pid = server.pid()
    assert not Server(server.home).start(quiet=False)
    assert server.pid() == pid
    assert capfd.readouterr().err == ""


def test_it_is_adopted_by_another_name_of_its_directory_too(server: Server, tmp_path: Path) -> None:
    server.start()
    (tmp_path / "link").symlink_to(server.home)
    assert not Server(tmp_path / "link").start()


def test_an_adopter_finishes_what_a_killed_starter_left_undone(server: Server) -> None:
    server.start()
    server.drop(DATABASE)
    assert not server.start()
    assert ask(server, "SELECT current_database()") == DATABASE


def test_two_starters_at_once_start_one(server: Server) -> None:
    barrier, started = threading.Barrier(4), []

    def start() -> None:
        barrier.wait()
        started.append(Server(server.home).start())

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(started) == [False, False, False, True]


def test_running_stops_what_it_started_and_leaves_what_it_found(server: Server) -> None:
    with running(server.home) as outer:
        assert outer.answers()
        with running(server.home) as inner:
            assert inner.pid() == outer.pid()
        assert outer.answers()
    assert server.pid() is None
    with pytest.raises(ZeroDivisionError), running(server.home):
        raise ZeroDivisionError
    assert server.pid() is None


def test_further_settings_are_taken(server: Server) -> None:
    with_settings = Server(server.home, {"max_connections": "30"})
    with_settings.start()
    assert ask(with_settings, "SHOW max_connections") == "30"
    assert "max_connections" in module.SETTINGS
    assert module.SETTINGS["max_connections"] == "120"


# After a crash


def test_what_was_committed_survives_a_sigkill(server: Server) -> None:
    server.start()
    with psycopg.connect(server.conninfo(), autocommit=True) as session:
        session.execute("CREATE TABLE t (n int)")
        for n in range(100):
            session.execute("INSERT INTO t VALUES (%s)", [n])
        pid = server.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)  # its children live on for a moment and hold the shared memory
        assert server.start()
    assert server.pid() != pid
    assert ask(server, "SELECT count(*) FROM t") == 100


def test_initialising_that_was_killed_starts_over(home: Path) -> None:
    (home / "postgres.new" / "base").mkdir(parents=True)
    server = Server(home)
    server.initialise()
    assert (server.cluster / "PG_VERSION").read_text() == f"{binaries.MAJOR}\n"
    assert not (home / "postgres.new").exists()


def test_another_process_number_in_the_pid_file_is_not_the_server(server: Server) -> None:
    pid_file = server.cluster / "postmaster.pid"
    for text in ("", "word\n", f"{os.getpid()}\n", "999999999\n"):
        pid_file.write_text(text)
        assert server.pid() is None
    server.stop()  # kills nobody
    pid_file.write_text(f"{os.getpid()}\n{server.cluster}\n")
    pid_file.unlink()


def test_a_zombie_is_not_a_server(server: Server) -> None:
    command = [sys.executable, "-c", "pass", str(server.cluster)]
    process = subprocess.Popen(command)
    (server.cluster / "postmaster.pid").write_text(f"{process.pid}\n")
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended and nobody has taken note
    assert server.pid() is None
    process.wait()
    (server.cluster / "postmaster.pid").unlink()


# What is refused, and how


def test_another_major_version_is_refused_with_what_to_do(server: Server) -> None:
    (server.cluster / "PG_VERSION").write_text("15\n")
    with pytest.raises(Conflict, match=r"belongs to PostgreSQL 15, this is 18\. .*backup.*restore") as refused:
        server.start()
    assert refused.value.code == "postgres.version"
    (server.cluster / "PG_VERSION").write_text("18\n")


def test_a_server_that_cannot_start_says_why_at_once(server: Server) -> None:
    (server.cluster / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(RuntimeError, match=r"does not start:\n(.*\n)*.*no_such_setting"):
        server.start()


def test_a_stranger_that_holds_the_pid_file_is_waited_for_and_left_alive(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ORPHANS_LIMIT", 0.5)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        (server.cluster / "postmaster.pid").write_text(f"{stranger.pid}\n{server.cluster}\n1\n5432\n\n\n")
        with pytest.raises(RuntimeError, match=r"lock file \"postmaster.pid\" already exists"):
            server.start()
        assert stranger.poll() is None
        (server.cluster / "postmaster.pid").unlink()
        stranger.communicate(b"\n")


def test_a_start_that_takes_too_long_leaves_no_process(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    spawned: list[subprocess.Popen[bytes]] = []
    spawn = Server._spawn

    def noted(server: Server) -> subprocess.Popen[bytes]:
        spawned.append(spawn(server))
        return spawned[-1]

    monkeypatch.setattr(module, "START_LIMIT", -1.0)
    monkeypatch.setattr(Server, "_spawn", noted)
    with pytest.raises(RuntimeError, match="is not ready after"):
        server.start()
    (process,) = spawned
    assert process.returncode is not None
    assert server.pid() is None


def test_without_a_log_there_are_no_last_words(home: Path) -> None:
    assert Server(home)._last_words() == "(no log)"


def test_a_server_that_does_not_stop_is_an_error(server: Server) -> None:
    server.start()
    pid = server.pid()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(RuntimeError, match=rf"\(process {pid}\) did not stop within 0 s"):
            server.stop(limit=0.05)
    finally:
        os.kill(pid, signal.SIGCONT)
    server.stop()


def test_a_directory_of_somebody_else_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody = os.geteuid() + 4242
    monkeypatch.setattr(os, "geteuid", lambda: somebody)
    with pytest.raises(RuntimeError, match="belongs to somebody else"):
        server.start()


def test_a_socket_directory_planted_by_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(tmp_path / ("deep" * 30))
    (tmp_path / "planted").mkdir()
    monkeypatch.setattr(Server, "socket_directory", property(lambda self: tmp_path / "planted"))
    status = os.lstat(tmp_path / "planted")
    real = Path.lstat
    other = os.stat_result((status.st_mode, 0, 0, 1, status.st_uid + 1, 0, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "lstat", lambda self: other if self.name == "planted" else real(self))
    with pytest.raises(RuntimeError, match="planted belongs to somebody else"):
        server.start()


# Where it lives


@pytest.mark.parametrize(
    ("name", "inside"),
    [("with a space", True), ("公益 数据", True), ("a,b", False), ("深" * 40, False), ("quo\"te's", True)],
)
def test_paths_of_every_kind(tmp_path: Path, cluster: Path, name: str, inside: bool) -> None:
    server = Server(tmp_path / name)
    server.home.mkdir(mode=0o700)
    shutil.copytree(cluster, server.cluster)
    short = len(os.fsencode(server.home / "run" / ".s.PGSQL.5432")) <= module.SOCKET_LIMIT
    assert (server.socket_directory == server.home / "run") is (inside and short)
    with running(tmp_path / name):
        assert ask(server, "SELECT current_database()") == DATABASE
        assert postgres.conninfo(tmp_path / name) == server.conninfo()
    if not server.socket_directory.is_relative_to(server.home):
        server.socket_directory.rmdir()


def test_only_the_owner_can_enter(server: Server) -> None:
    server.home.chmod(0o755)
    server.start()
    for directory in (server.home, server.socket_directory, server.cluster):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert server.home.parent.stat().st_uid == os.geteuid()


# Databases


def test_databases_are_made_once_from_templates_and_dropped_with_their_sessions(server: Server) -> None:
    server.start()
    with psycopg.connect(server.conninfo(), autocommit=True) as session:
        session.execute("CREATE TABLE t (n int)")
        session.execute("INSERT INTO t VALUES (7)")
    server.create("copy", template=DATABASE)
    server.create("copy", template="no such template")  # it is there already
    assert ask(server, "SELECT n FROM t", "copy") == 7
    with psycopg.connect(server.conninfo("copy")) as session:
        server.drop("copy")
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    server.drop("copy")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        ask(server, "SELECT 1", "copy")
    server.create('odd "name"; DROP TABLE t')
    assert ask(server, "SELECT 1", 'odd "name"; DROP TABLE t') == 1
