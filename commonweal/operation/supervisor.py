"""`commonweal run`: database, clerk and web server from one command; whatever dies is started again.

Ctrl-C or SIGTERM stops all of it in order: no new requests, then the clerk, then the database.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg

from commonweal.kernel.errors import Conflict
from commonweal.kernel.postgres import Server
from commonweal.kernel.text import Text
from commonweal.operation import lifeline
from commonweal.operation.database import embedded
from commonweal.operation.prepare import prepare
from commonweal.operation.seed import PASSWORD, SIGN_INS, seed_if_empty

STOP_LIMIT = 20.0
"""Seconds that a child has for an orderly end."""
ORPHANS = lifeline.LOOK + lifeline.GRACE + 5
"""Seconds after which nothing is left of a platform whose supervisor has died."""
AGAIN = 1.0
"""Seconds between two tries to start PostgreSQL again."""
STARTS = 3
"""How often the web server is started before it answers for the first time; later there is no limit."""


@dataclass
class Child:
    """One process that has to be there."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    starts: int = 0

    def keep(self) -> None:
        """Start it if it is not running, at most once a second."""
        if self.process is not None and self.process.poll() is None:
            return
        if time.monotonic() - self.started < 1:
            return
        if self.process is not None:
            print(f"commonweal: the {self.name} has ended and is started again", file=sys.stderr)  # noqa: T201
        self.started = time.monotonic()
        self.starts += 1
        # A session of its own: Ctrl-C reaches the supervisor alone, which then stops things in order.
        environment = os.environ | {lifeline.SUPERVISOR: str(os.getpid())}
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, start_new_session=True, env=environment)

    def stop(self) -> None:
        """End it in order, or at last by force."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def run(host: str, port: int, workers: int) -> int:
    """Run the platform until SIGINT or SIGTERM.

    Raises `Conflict` if the port or the data directory is in use, or if the web server does not start.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    from django.conf import settings

    with _alone(settings.HOME) as after_a_death:
        _check_port(host, port, ORPHANS if after_a_death else 0)
        server = embedded()
        web = Child("web server", _python("web", "--host", host, "--port", str(port), "--workers", str(workers)))
        clerk = Child("clerk", _python("clerk"))
        try:
            if server is not None:
                server.start()
            prepare(settings.HOME, database=settings.DATABASE_URL)
            if settings.DEMONSTRATION:
                seed_if_empty(settings.HOME)
            clerk.keep()  # before anybody is served: if we die, it is the clerk who stops PostgreSQL
            _open(host, port, web, stop)
            if not stop.is_set():
                _greet(host, port, demonstration=settings.DEMONSTRATION)
            while not stop.wait(0.25):
                if server is not None and server.pid() is None:
                    _start_again(server)
                web.keep()
                clerk.keep()
        finally:
            web.stop()
            clerk.stop()
            if server is not None:
                server.stop()
    print("commonweal: stopped", file=sys.stderr)  # noqa: T201
    return 0


def _start_again(server: Server) -> None:
    """Start PostgreSQL after its end. What keeps it from starting, a full disk above all, may pass: then the next try
    succeeds, and until then the web server answers 503."""
    print("commonweal: PostgreSQL has ended and is started again", file=sys.stderr)  # noqa: T201
    try:
        server.start()
    except (RuntimeError, OSError, psycopg.Error) as error:
        print(f"commonweal: it does not start and is tried again: {error}", file=sys.stderr)  # noqa: T201
        time.sleep(AGAIN)


def _open(host: str, port: int, web: Child, stop: threading.Event) -> None:
    """Start the web server and wait until it answers."""
    while not stop.wait(0.02) and not _answers(host, port):
        web.keep()
        if web.starts > STARTS:
            raise Conflict(
                "run.failed",
                Text("The web server does not start; the reason stands above.", "网页服务无法启动，原因见上方输出。"),
            )


@contextmanager
def _alone(home: Path) -> Iterator[bool]:
    """Hold the data directory. Gives whether the last one who held it has died: a note of it was left then."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (home / "run.lock").open("a+") as lock:
        deadline = time.monotonic() + 1  # whoever only asks whether somebody runs holds the lock for a moment
        while not _locked(lock):
            if time.monotonic() > deadline:
                raise Conflict(
                    "run.twice",
                    Text(
                        "Commonweal already runs with this data directory. Stop it first, or name another with --data.",
                        "该数据目录已有一个同心平台在运行。请先停止它，或用 --data 指定另一个目录。",
                    ),
                )
            time.sleep(0.05)
        lock.seek(0)
        after_a_death = bool(lock.read())
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        try:
            yield after_a_death
        finally:
            lock.truncate(0)


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _check_port(host: str, port: int, patience: float) -> None:
    """Raises `Conflict` if the port is in use, and still is after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not _is_free(host, port):
        if time.monotonic() >= deadline:
            raise Conflict(
                "run.port",
                Text(
                    "Port {port} is in use. Choose another: commonweal run --port {other} (or COMMONWEAL_PORT).",
                    "端口 {port} 已被占用。请换一个：commonweal run --port {other}（或设置 COMMONWEAL_PORT）。",
                ).format(port=port, other=port + 1),
            )
        time.sleep(0.05)


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _python(module: str, *words: str) -> list[str]:
    return [sys.executable, "-m", f"commonweal.operation.{module}", *words]


def _greet(host: str, port: int, *, demonstration: bool) -> None:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
    print(f"\n  Commonweal 同心: http://{shown}:{port}/\n", flush=True)  # noqa: T201
    if demonstration:
        print("  This is a demonstration: organisations and stories are made up. 本站为演示，机构与故事均为虚构。")  # noqa: T201
        for address, role in SIGN_INS.items():
            print(f"    {address:<24} {role}")  # noqa: T201
        print(f"  Password for all 统一密码: {PASSWORD}\n  Ctrl-C stops everything. 按 Ctrl-C 停止。\n", flush=True)  # noqa: T201
