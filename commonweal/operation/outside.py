"""The platform seen from outside: `commonweal run` as a process, asked over HTTP and looked for in /proc.

For the fault tests, the tests of the supervisor and the benchmarks: none of them shares code or memory with what they
look at.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

LIMIT = 120.0
"""Seconds that a start or a stop may take."""


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a fresh start: settings of this process are left out.

    Where setproctitle is installed, granian renames its processes; SPT_NOENV keeps their environment readable.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COMMONWEAL_", "DJANGO_", "DATABASE_URL"))}
    return kept | {"COMMONWEAL_DATA_DIR": str(home), "SPT_NOENV": "1"} | more


def processes(home: Path) -> dict[int, str]:
    """The living processes of a data directory, and what they are."""
    mark = os.fsencode(home)
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes()
            here = os.fsencode((entry / "cwd").readlink())
            owned = b"COMMONWEAL_DATA_DIR=" + mark + b"\0" in (entry / "environ").read_bytes()
            zombie = _stat(entry)[0] == "Z"
            if (owned or mark in words or here.startswith(mark + b"/")) and not zombie:
                found[int(entry.name)] = words.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


def web_servers(supervisor: int) -> list[int]:
    """The web server and its workers, below a supervisor: whatever is neither the clerk nor PostgreSQL."""
    for pid, words in children(supervisor).items():
        if "operation.clerk" not in words and "postgres" not in words:
            return [pid, *(worker for worker, words in children(pid).items() if "resource_tracker" not in words)]
    return []


def children(parent: int) -> dict[int, str]:
    """The living children of a process, and what they are."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, above = _stat(entry)[:2]
            if above == str(parent) and state != "Z":
                words = (entry / "cmdline").read_bytes()
                found[int(entry.name)] = words.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


def _stat(entry: Path) -> list[str]:
    """Of a process: state, parent and the rest of `/proc/PID/stat` behind its name."""
    return (entry / "stat").read_text().rpartition(")")[2].split()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Run:
    """One `commonweal run`. Its output goes to a file beside the data directory."""

    def __init__(self, home: Path, port: int, *, before: Sequence[str] = (), workers: int = 1, **more: str) -> None:
        self.home, self.port = home, port
        self.output = home.with_name(f"{home.name}.out")
        words = [sys.executable, "-m", "commonweal.cli", "run", "--port", str(port), "--workers", str(workers)]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*before, *words], env=environment(home, **more), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request over a connection of its own. Raises `OSError` or `http.client.HTTPException`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def wait(self, path: str = "/zh/") -> Run:
        """Wait until a page is served. Raises `RuntimeError` with the output if the platform ends instead."""
        deadline = time.monotonic() + LIMIT
        while True:
            with suppress(OSError, http.client.HTTPException):
                if self.ask("GET", path).status == 200:
                    return self
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the platform does not open:\n{self.words()}")
            time.sleep(0.02)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and wait; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(LIMIT)

    def words(self) -> str:
        """What it has printed."""
        return self.output.read_text(errors="replace")


@contextmanager
def run(home: Path, port: int | None = None, **options: object) -> Iterator[Run]:
    """A platform that is served within the block."""
    started = Run(home, port or free_port(), **options)  # type: ignore[arg-type]
    try:
        yield started.wait()
    finally:
        started.stop()
        wait_until_gone(home)


def wait_until_gone(home: Path, limit: float = 20.0) -> float:
    """Wait until no process of the data directory lives; how long that took. Raises `RuntimeError` naming the rest."""
    start = time.monotonic()
    while left := processes(home):
        if time.monotonic() - start > limit:
            raise RuntimeError(f"still alive: {left}")
        time.sleep(0.05)
    return time.monotonic() - start
