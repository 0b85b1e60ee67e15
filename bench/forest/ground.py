"""What the forest's database benchmarks stand on: a server of their own with durability on, and threads that race."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from bench.figure import Figure
from bench.ground import server
from commonweal.services.forest import energy
from commonweal.services.forest.rules.bubbles import RIPENS_AFTER

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
    """The connection string of a fresh migrated database with three methods and the books of the forest open."""
    with server() as started:
        with psycopg.connect(started.conninfo(), autocommit=True) as connection:
            connection.execute("INSERT INTO forest_source VALUES (1, 'metro', 'A'), (2, 'steps', 'B')")
            connection.execute("INSERT INTO forest_kind VALUES (1, 'metro'), (2, 'walking'), (3, 'cycling')")
            connection.execute(METHODS)
            with connection.transaction(), connection.cursor() as cursor:
                energy.open_shards(cursor)
        yield started.conninfo()


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


def judged(found: Figure, right: bool) -> Figure:
    """The figure, which is only `ok` if the results were right as well."""
    return {**found, "ok": found["ok"] and right}
