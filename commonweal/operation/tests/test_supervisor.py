"""`commonweal run`: starts anywhere, stops cleanly, and gets over the death of any of its processes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from commonweal.kernel.postgres import Server, conninfo, running
from commonweal.operation.outside import (
    Run,
    children,
    environment,
    free_port,
    processes,
    run,
    wait_until_gone,
    web_servers,
)


def prepared(home: Path) -> Path:
    """A data directory in which no demonstration has to be seeded."""
    home.mkdir(parents=True)
    (home / "seeded").touch()
    return home


@pytest.fixture(scope="module")
def far_away(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose path has blanks, Chinese characters and more bytes than a socket's may have."""
    home = tmp_path_factory.mktemp("a path") / "with blanks and 中文" / ("深" * 30) / "the data directory"
    assert len(os.fsencode(home)) > 107
    return prepared(home)


@pytest.fixture(scope="module")
def platform(far_away: Path) -> Iterator[Run]:
    with run(far_away) as started:
        yield started


def test_it_says_where_it_is_and_how_to_sign_in(platform: Run) -> None:
    assert f"http://127.0.0.1:{platform.port}/" in platform.words()
    assert "steward@demo.example" in platform.words()
    assert "commonweal-demo" in platform.words()


def command(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "commonweal.cli", *words]
    return subprocess.run(line, env=environment(home), capture_output=True, text=True, check=False, timeout=60)


def test_the_same_data_directory_is_not_served_twice(platform: Run) -> None:
    done = command(platform.home, "run", "--port", str(free_port()))
    assert done.returncode == 1
    assert "already runs with this data directory" in done.stderr
    assert platform.ask("GET", "/zh/").status == 200


def test_a_port_in_use_is_named_with_another(platform: Run, tmp_path: Path) -> None:
    done = command(tmp_path / "other", "run", "--port", str(platform.port))
    assert done.returncode == 1
    assert f"commonweal run --port {platform.port + 1}" in done.stderr
    assert not (tmp_path / "other" / "postgres").exists()


def test_a_real_connection_is_refused_a_body_too_large_before_it_is_sent(platform: Run) -> None:
    with socket.create_connection(("127.0.0.1", platform.port), timeout=20) as raw:
        raw.sendall(b"POST /zh/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99000000\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 413 ")


def test_head_over_a_real_connection(platform: Run) -> None:
    whole, head = platform.ask("GET", "/zh/"), platform.ask("HEAD", "/zh/")
    assert head.status == 200
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert (head.body, bool(whole.body)) == (b"", True)


def test_an_unknown_method_over_a_real_connection(platform: Run) -> None:
    assert platform.ask("BREW", "/zh/").status == 501


def test_another_command_can_work_beside_it(platform: Run, tmp_path: Path) -> None:
    assert command(platform.home, "backup", str(tmp_path / "b.tar")).returncode == 0
    assert platform.ask("GET", "/zh/").status == 200


def the_clerk(run: Run) -> int | None:
    return next((pid for pid, words in children(run.process.pid).items() if "operation.clerk" in words), None)


VICTIMS: dict[str, Callable[[Run], int | None]] = {
    "web server": lambda run: next(iter(web_servers(run.process.pid)), None),
    "web worker": lambda run: next(iter(web_servers(run.process.pid)[1:]), None),
    "clerk": the_clerk,
    "postgres": lambda run: Server(run.home).pid(),
}


@pytest.mark.parametrize("victim", VICTIMS)
def test_what_dies_is_started_again(platform: Run, victim: str) -> None:
    find = VICTIMS[victim]
    while (before := find(platform)) is None:
        assert platform.process.poll() is None, platform.words()
    os.kill(before, signal.SIGKILL)
    while find(platform) in (None, before):
        assert platform.process.poll() is None, platform.words()
    platform.wait()


def kill(run: Run) -> None:
    os.kill(run.process.pid, signal.SIGKILL)
    run.process.wait()


def test_after_the_supervisors_death_nothing_survives_and_the_next_start_recovers(tmp_path: Path) -> None:
    home = prepared(tmp_path / "home")
    first = Run(home, free_port()).wait()
    assert len(web_servers(first.process.pid)) == 2
    kill(first)
    second = Run(home, first.port).wait()  # at once: what is left of the first still holds the port
    kill(second)
    assert wait_until_gone(home) < 15


STREAM = b"GET /live/checkpoints HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_open_streams_do_not_hold_up_a_stop(far_away: Path, platform: Run) -> None:
    """Near the end of this module: it stops the platform that the others use."""
    with ExitStack() as streams:
        listeners = [
            streams.enter_context(socket.create_connection(("127.0.0.1", platform.port), timeout=20)) for _ in range(20)
        ]
        for listener in listeners:
            listener.sendall(STREAM)
            assert listener.recv(100).startswith(b"HTTP/1.1 200 ")
        begun = time.monotonic()
        platform.process.send_signal(signal.SIGTERM)
        for listener in listeners:
            said = b""
            while part := listener.recv(10_000):
                said += part
            assert said.endswith(b"0\r\n\r\n")  # told to the end, not cut off
        assert time.monotonic() - begun < 8  # a busy machine; a worker that does not end is killed after 10 s
        assert platform.stop() == 0
    assert processes(far_away) == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_in_order(far_away: Path, platform: Run, number: int) -> None:
    """Last in this module: it stops the platform that the others use, then starts and stops it once more."""
    started = platform if platform.process.poll() is None else Run(far_away, platform.port).wait()
    assert started.stop(number) == 0
    assert processes(far_away) == {}
    assert started.words().rstrip().endswith("commonweal: stopped")
    assert "database system is shut down" in (far_away / "postgres.log").read_text()[-2000:]


def test_a_start_without_a_web_server_ends_with_the_reason(tmp_path: Path) -> None:
    home = prepared(tmp_path / "home")
    broken = tmp_path / "broken" / "granian"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('granian is broken here')")
    started = Run(home, free_port(), PYTHONPATH=str(broken.parent))
    assert started.process.wait(60) == 1
    assert "granian is broken here" in started.words()
    assert "does not start" in started.words()
    assert processes(home) == {}


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root to become somebody else")
def test_it_runs_as_a_plain_user(tmp_path: Path) -> None:
    become = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    reach = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import commonweal'], check=True)"
    if subprocess.run([*become, sys.executable, "-c", reach], capture_output=True, check=False).returncode:
        pytest.skip("a plain user cannot reach this Python or this checkout; tests/newcomer runs as one")
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(parent.stat().st_mode | 0o005)
    home = prepared(tmp_path / "theirs" / "home")
    for path in (home.parent, home, home / "seeded"):
        os.chown(path, 65534, 65534)
    with run(home, before=become):
        postgres = Server(home).pid()
        assert Path(f"/proc/{postgres}").stat().st_uid == 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="root is what PostgreSQL refuses to be")
def test_as_root_the_files_stay_roots_and_no_folder_is_opened(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with running(prepared(closed / "home")) as server:
        assert Path(f"/proc/{server.pid()}/uid_map").read_text().split()[:2] == ["65534", "0"]
    assert closed.stat().st_mode & 0o777 == 0o700
    assert (closed / "home" / "postgres" / "PG_VERSION").stat().st_uid == 0
    assert conninfo(closed / "home")
