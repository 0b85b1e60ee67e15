"""What the forest's database benchmarks stand on: a server of their own with durability on, and threads that race."""

from __future__ import annotations

import importlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from commonweal.kernel.postgres import Server
from commonweal.services.forest import energy
from commonweal.services.forest.rules.bubbles import RIPENS_AFTER

Result = dict[str, Any]
SEED = 20260504
NOW = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)
RIPE = NOW + RIPENS_AFTER + timedelta(hours=1)
METHODS = """
INSERT INTO forest_method SELECT id, id, '2025.1', '[2025-01-01,)', 35 * id, 10000, 100000 FROM forest_kind
"""
OTHERS = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@contextmanager
def forest() -> Iterator[str]:
    """The connection string of a fresh database with the forest's tables; the server stops at the end."""
    with tempfile.TemporaryDirectory(prefix="cw-forest-") as home:
        server = Server(Path(home))
        server.start(quiet=True)
        try:
            with psycopg.connect(server.conninfo(), autocommit=True) as connection:
                for module, names in (
                    ("commonweal.kernel.proof.migrations.0001_log", ("LOG",)),
                    ("commonweal.kernel.ledger.migrations.0001_books", ("BOOKS",)),
                    ("commonweal.services.forest.migrations.0001_energy", ("ENERGY", "TREES")),
                ):
                    for name in names:
                        connection.execute(getattr(importlib.import_module(module), name))
                connection.execute("INSERT INTO forest_source VALUES (1, 'metro', 'A'), (2, 'steps', 'B')")
                connection.execute("INSERT INTO forest_kind VALUES (1, 'metro'), (2, 'walking'), (3, 'cycling')")
                connection.execute(METHODS)
                with connection.transaction(), connection.cursor() as cursor:
                    energy.open_shards(cursor)
            yield server.conninfo()
        finally:
            server.stop()


def together(count: int, work: Callable[[int], Any]) -> tuple[list[Any], float]:
    """Run `work` in threads that start at once; their answers and the seconds it took. An error of any is raised."""
    answers: list[Any] = [None] * count
    errors: list[BaseException] = []
    ready = threading.Barrier(count + 1)

    def run(number: int) -> None:
        try:
            ready.wait()
            answers[number] = work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return answers, time.perf_counter() - start


def kill_somebody(connection: psycopg.Connection[Any], rng: Any) -> bool:
    """End the server process of one of the other sessions, as a crash would; whether there was one."""
    others = connection.execute(OTHERS).fetchall()
    if others:
        connection.execute("SELECT pg_terminate_backend(%s)", [rng.choice(others)[0]])
    return bool(others)


def result(name: str, value: float, unit: str, anchor: str, anchor_value: float, *, n: int, ok: bool) -> Result:
    """A benchmark's line: `ratio` says how many times better than the anchor, also where less is better (seconds)."""
    ratio = value / anchor_value if anchor_value else None
    if unit == "s" and value:
        ratio = anchor_value / value
    return {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "anchor": anchor,
        "anchor_value": round(anchor_value, 3),
        "ratio": round(ratio, 2) if ratio is not None else None,
        "n": n,
        "ok": bool(ok),
    }
