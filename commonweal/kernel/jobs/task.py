"""Declaring tasks: the shape of Django's Tasks (`@task`, `.enqueue()`, `.using(run_after=...)`)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from commonweal.kernel import clock
from commonweal.kernel.ids import uuid7

TASKS: dict[str, Task] = {}
RECURRING: dict[str, timedelta] = {}


@dataclass(frozen=True)
class Task:
    """Something to do. `lease` is how long one attempt may take before another worker takes over."""

    name: str
    do: Callable[..., None]
    attempts: int
    lease: timedelta
    run_after: datetime | None = None

    def enqueue(self, **payload: Any) -> None:
        """Ask for it, in the caller's transaction. The payload is JSON: ids, never personal data."""
        enqueue(self.name, run_after=self.run_after, **payload)

    def enqueue_each(self, payloads: Sequence[Mapping[str, Any]]) -> None:
        """Ask for it many times at once."""
        enqueue_each(self.name, payloads, run_after=self.run_after)

    def using(self, *, run_after: datetime) -> Task:
        """The same, not before a moment."""
        return dataclasses.replace(self, run_after=run_after)

    def __call__(self, **payload: Any) -> None:
        """Do it now, here."""
        self.do(**payload)


def enqueue(name: str, *, run_after: datetime | None = None, **payload: Any) -> None:
    """Ask for the task of this name, in the caller's transaction: for actions, which lie below the module of jobs."""
    enqueue_each(name, [payload], run_after=run_after)


def enqueue_each(name: str, payloads: Sequence[Mapping[str, Any]], *, run_after: datetime | None = None) -> None:
    """Ask for the same task many times, in one statement."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO jobs_job (id, task, payload, due, counted_from)
            SELECT j.id, %s, j.payload, %s, %s FROM unnest(%s::uuid[], %s::jsonb[]) AS j (id, payload)
            """,
            [name, run_after or now, None if run_after else now, [uuid7() for _ in payloads],
             [json.dumps(payload) for payload in payloads]],
        )  # fmt: skip


def task(
    name: str, *, attempts: int = 8, lease: timedelta = timedelta(seconds=60)
) -> Callable[[Callable[..., None]], Task]:
    """Declare a task under a stable name (`giving.thank`).

    It runs in one transaction with its own removal from the table: what it writes happens exactly once, what it does
    outside happens at least once. It fails by raising; after `attempts` failures it becomes a dead letter.
    """

    def declare(do: Callable[..., None]) -> Task:
        if name in TASKS:
            raise ValueError(f"there is a task {name} already")
        TASKS[name] = Task(name, do, attempts, lease)
        return TASKS[name]

    return declare


def every(interval: timedelta, declared: Task) -> Task:
    """Let a task without payload be enqueued once each `interval`, by whichever clerk comes first."""
    RECURRING[declared.name] = interval
    return declared
