"""The web server: `commonweal bench web pages` (100 requests/s of real pages), `capacity` (beside Django under ASGI),
`start` (the second start, and the memory of everything).
"""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figure import Figure, figure
from commonweal.operation import outside
from commonweal.operation.outside import Run, free_port

RATE = 100
SECONDS = 10
SENDERS = 32
PAGES = ("/zh/", "/zh/giving/", "/en/search/?q=school")
"""Pages that read the database; those of a service that is not installed are left out."""


def pages() -> list[Figure]:
    """The 99th percentile of each page's time at 100 requests/s, counted from when each request was due."""
    with _platform() as platform:
        figures = []
        for page in _served(platform):
            ours = _latencies(platform.port, page)
            with _under_asgi(platform) as port:
                theirs = _latencies(port, page)
            found = figure(
                f"page {page} at {RATE}/s, p99", _p99(ours), "ms", anchor="Django under ASGI", n=len(ours), most=50,
                anchor_value=_p99(theirs),
            )  # fmt: skip
            print(f"{page}: median {statistics.median(ours):.1f} ms", file=sys.stderr)
            figures.append(found)
        return figures


def capacity() -> list[Figure]:
    """Requests/s with 16 connections, as many as are answered."""
    with _platform() as platform:
        figures = []
        for page in _served(platform):
            ours = _rate(platform.port, page)
            with _under_asgi(platform) as port:
                theirs = _rate(port, page)
            name = f"page {page}, 16 connections"
            figures.append(
                figure(name, ours, "1/s", anchor="Django under ASGI", anchor_value=theirs, n=int(ours * SECONDS))
            )
        return figures


def start() -> list[Figure]:
    """Seconds to the first page of a second start, and the memory (proportional set size) of all processes."""
    with _platform() as platform:
        for page in _served(platform) * 20:
            platform.ask("GET", page)
        memory = sum(_pss(pid) for pid in outside.processes(platform.home))
        home, port = platform.home, platform.port
        platform.stop()
        outside.wait_until_gone(home)
        times = []
        for _ in range(3):
            begun = time.monotonic()
            with outside.run(home, port, workers=2):
                times.append(time.monotonic() - begun)
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", "import django.core.handlers.wsgi, commonweal.settings"], check=True)
    bare = time.monotonic() - begun
    return [
        figure(
            "second start", statistics.median(times), "s", anchor="importing Django", anchor_value=bare, n=3, most=3
        ),
        figure("memory, 2 workers, clerk, PostgreSQL", memory, "MB", anchor="none", anchor_value=0, n=1),
    ]


@contextmanager
def _platform() -> Iterator[Run]:
    directory = tempfile.TemporaryDirectory(prefix="commonweal-bench-")
    with directory as name, outside.run(Path(name) / "home", workers=2) as platform:
        yield platform


def _served(platform: Run) -> list[str]:
    return [page for page in PAGES if platform.ask("GET", page).status == 200]


@contextmanager
def _under_asgi(platform: Run) -> Iterator[int]:
    """The same Django on the same database under its own ASGI handler, with as many workers."""
    port = free_port()
    words = ["granian", "--interface", "asgi", "--factory", "--workers", "2", "--port", str(port), "--no-access-log"]
    environment = outside.environment(platform.home, DJANGO_SETTINGS_MODULE="commonweal.settings")
    command = [sys.executable, "-m", *words, "django.core.asgi:get_asgi_application"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 30
        while _ask(http.client.HTTPConnection("127.0.0.1", port, timeout=20), "/zh/") is None:
            if time.monotonic() > deadline:
                raise RuntimeError("the anchor does not start")
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _ask(connection: http.client.HTTPConnection, page: str) -> int | None:
    try:
        connection.request("GET", page)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return None
    return answer.status


def _latencies(port: int, page: str) -> list[float]:
    """Milliseconds from when each request was due until it was answered: whoever waits in line is counted too."""
    due = [n / RATE for n in range(RATE * SECONDS)]
    taken: list[float] = []
    lock, begun = threading.Lock(), time.monotonic() + 0.5

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        _ask(connection, page)
        while True:
            with lock:
                if not due:
                    return
                moment = begun + due.pop(0)
            time.sleep(max(0.0, moment - time.monotonic()))
            assert _ask(connection, page) == 200
            taken.append((time.monotonic() - moment) * 1000)

    senders = [threading.Thread(target=send) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(taken) == RATE * SECONDS
    return taken


def _p99(times: list[float]) -> float:
    return sorted(times)[len(times) * 99 // 100]


def _rate(port: int, page: str) -> float:
    """By wrk where it is installed: a Python client would be the slower half."""
    address = f"http://127.0.0.1:{port}{page}"
    if shutil.which("wrk"):
        words = ["wrk", "-t2", "-c16", f"-d{SECONDS}s", "--timeout", "30s", address]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        assert "Non-2xx" not in said, said
        return float(next(line.split()[1] for line in said.splitlines() if line.startswith("Requests/sec")))
    end, answered = time.monotonic() + SECONDS, 0
    lock = threading.Lock()

    def send() -> None:
        nonlocal answered
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.monotonic() < end:
            assert _ask(connection, page) == 200
            with lock:
                answered += 1

    senders = [threading.Thread(target=send) for _ in range(16)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return answered / SECONDS


def _pss(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
