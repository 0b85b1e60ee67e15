"""`commonweal run` as a process of its own, for tests: started, asked over HTTP, stopped, and looked for in /proc."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

LIMIT = 60.0


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a real start: the tests' own settings are left out."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COMMONWEAL_", "DJANGO_", "DATABASE_URL"))}
    return kept | {"COMMONWEAL_DATA_DIR": str(home)} | more


def processes(home: Path) -> dict[int, str]:
    """The living processes of a data directory, and what they are."""
    mark = os.fsencode(home)
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes()
            here = os.fsencode((entry / "cwd").readlink())
            owned = b"COMMONWEAL_DATA_DIR=" + mark + b"\0" in (entry / "environ").read_bytes()
            zombie = (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            if (owned or mark in words or here.startswith(mark + b"/")) and not zombie:
                found[int(entry.name)] = words.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


class Run:
    """One `commonweal run`."""

    def __init__(self, home: Path, port: int, *, before: Sequence[str] = (), workers: int = 1, **more: str) -> None:
        self.home, self.port = home, port
        self.output = home.with_name(f"{home.name[:40]}.out")
        words = [sys.executable, "-m", "commonweal.cli", "run", "--port", str(port), "--workers", str(workers)]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*before, *words], env=environment(home, **more), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def ask(self, method: str, path: str, **kwargs: object) -> http.client.HTTPResponse:
        """One request; the answer with its body read into `answer.body`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, **kwargs)  # type: ignore[arg-type]
            answer = connection.getresponse()
            answer.text = answer.read()  # type: ignore[attr-defined]
            return answer
        finally:
            connection.close()

    def wait(self, path: str = "/zh/") -> Run:
        """Wait until a page is served."""
        deadline = time.monotonic() + LIMIT
        while True:
            with suppress(OSError, http.client.HTTPException):
                if self.ask("GET", path).status == 200:
                    return self
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.02)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(LIMIT)

    def words(self) -> str:
        """What it has printed."""
        return self.output.read_text()


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
    """Wait until no process of the data directory lives; how long that took. Fails with what is left."""
    start = time.monotonic()
    while left := processes(home):
        assert time.monotonic() - start < limit, left
        time.sleep(0.05)
    return time.monotonic() - start
