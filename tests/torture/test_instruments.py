"""What the faults are made with: the relay, the disk and the clock do what is said of them, and nothing else."""

from __future__ import annotations

import errno
import http.client
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psycopg
import pytest

from commonweal.kernel.postgres import Server, running
from commonweal.operation.outside import children, free_port, wait_until_gone
from commonweal.operation.torture import cutter, faults, preload
from commonweal.operation.torture.disk import Disk
from commonweal.operation.torture.line import Gate
from commonweal.operation.torture.power import Power
from commonweal.operation.torture.stepping import Clock


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """Counts what it is asked for."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        asked = 0

        def do_POST(self) -> None:
            type(self).asked += 1
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(201)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"done")

        def log_message(self, *_: object) -> None:
            pass

    serving = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield serving
    serving.shutdown()
    thread.join()
    serving.server_close()


def ask(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/", b"x" * 100_000)
        return connection.getresponse().read()
    finally:
        connection.close()


def test_a_cut_comes_after_the_request_and_before_the_answer(server: HTTPServer) -> None:
    own = free_port()
    relay = cutter.before_the_web(server.server_port, own, seed=1)
    try:
        assert ask(own) == b"done"
        relay.chance = 1.0
        with pytest.raises((OSError, http.client.HTTPException)):
            ask(own)
        relay.chance = 0.0
        assert ask(own) == b"done"
    finally:
        relay.close()
    assert server.RequestHandlerClass.asked == 3  # type: ignore[attr-defined]
    assert relay.cuts == 1


def test_a_cut_before_postgres_comes_after_the_commit(tmp_path: Path) -> None:
    with running(tmp_path / "home") as embedded:
        with (
            cutter.before_postgres(embedded.socket_directory, seed=1) as relay,
            psycopg.connect(embedded.conninfo(), autocommit=True) as session,
        ):
            session.execute("CREATE TABLE noted (n integer)")
            relay.chance = 1.0
            with pytest.raises(psycopg.OperationalError), session.transaction():
                session.execute("INSERT INTO noted VALUES (1)")
        with psycopg.connect(embedded.conninfo()) as session:
            assert session.execute("SELECT n FROM noted").fetchall() == [(1,)]
    assert relay.cuts == 1


def test_a_disk_is_full_and_then_it_is_not(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "home")
    if not disk.there:
        pytest.skip("no file system may be mounted here: `commonweal torture` leaves full disks out and says so")
    try:
        note = tmp_path / "home" / "note"
        disk.fill()
        with pytest.raises(OSError, match="No space left") as full:
            note.write_bytes(b"x" * 8192)
        assert full.value.errno == errno.ENOSPC
        disk.free()
        note.write_bytes(b"x" * 8192)
    finally:
        disk.end()
    assert list(tmp_path.glob("home/*")) == []
    assert not (tmp_path / "home.img").exists()


NOW = "import time, datetime; print(time.time(), datetime.datetime.now().timestamp(), time.monotonic())"


@pytest.mark.skipif(shutil.which("cc") is None, reason="a clock that can be stepped takes a C compiler")
def test_a_clock_is_stepped_while_a_process_runs(tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    watch = "import sys\nfor _ in sys.stdin:\n exec(sys.argv[1], {}); sys.stdout.flush()"
    process = subprocess.Popen(
        [sys.executable, "-c", watch, NOW],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | clock.environment | preload.before(clock.library),
    )
    with process:
        assert process.stdin
        assert process.stdout
        for seconds in (0, 90_000, -3.5, 0):
            clock.set(seconds)
            process.stdin.write("\n")
            process.stdin.flush()
            wall, also, monotonic = map(float, process.stdout.readline().split())
            assert wall - time.time() == pytest.approx(seconds, abs=1)
            assert also - time.time() == pytest.approx(seconds, abs=1)
            assert monotonic == pytest.approx(time.monotonic(), abs=1)
        process.stdin.close()


def test_the_clock_of_postgresql_is_stepped_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(tmp_path)
    if not clock.there:
        pytest.skip("a clock that can be stepped takes a C compiler")
    for name, value in (clock.environment | preload.before(clock.library)).items():
        monkeypatch.setenv(name, value)
    with running(tmp_path / "home") as embedded, psycopg.connect(embedded.conninfo(), autocommit=True) as session:
        clock.set(86_400)
        row = session.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
        assert row is not None
        assert row[0] - time.time() == pytest.approx(86_400, abs=1)


@pytest.mark.parametrize("waits", ["on", "off"])
def test_power_loss_takes_what_was_not_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: str) -> None:
    """The instrument is tried on a PostgreSQL that syncs before it answers, and on one that does not."""
    home, settings = tmp_path / "home", {"synchronous_commit": waits}
    server = Server(home, settings)
    with running(home), psycopg.connect(server.conninfo(), autocommit=True) as session:
        session.execute("CREATE TABLE noted (n integer)")
    power = Power(tmp_path, server.cluster)
    if not power.there:
        pytest.skip("a disk that forgets takes a C compiler")
    power.begin()
    for name, value in (power.environment | preload.before(power.library)).items():
        monkeypatch.setenv(name, value)
    server.start()
    with psycopg.connect(server.conninfo(), autocommit=True) as session:
        for number in range(20):
            session.execute("INSERT INTO noted VALUES (%s)", [number])
        head = server.pid()
        assert head
        for pid in (head, *children(head)):
            os.kill(pid, signal.SIGKILL)
    while server.pid() is not None:
        pass
    wait_until_gone(home)
    power.lose()
    with running(home), psycopg.connect(server.conninfo()) as session:
        row = session.execute("SELECT count(*) FROM noted").fetchone()
    assert row is not None
    assert row[0] == 20 if waits == "on" else row[0] < 20


def test_the_gate_waits_for_errands_and_not_for_ever() -> None:
    gate, done = Gate(3), []

    def walk() -> None:
        while gate.passes():
            done.append(1)

    people = [threading.Thread(target=walk) for _ in range(3)]
    for each in people:
        each.start()
    gate.open()
    while len(done) < 30:
        pass
    gate.close()
    before = len(done)
    gate.open()
    while len(done) == before:
        pass
    gate.close(for_good=True)
    for each in people:
        each.join(10)
    assert not any(each.is_alive() for each in people)


def test_a_seed_chooses_the_same_faults_again() -> None:
    def chosen() -> list[str]:
        return [fault.name for fault in faults.choose(faults.KINDS, 40, random.Random(7))]

    assert chosen() == chosen()
    assert {fault.kind for fault in faults.choose(faults.KINDS, 40, random.Random(7))} == set(faults.KINDS)
    assert {fault.kind for fault in faults.choose(("clock",), 5, random.Random(7))} == {"clock"}
