"""The leased table: one row a job; a finished job is a deleted row, a lease is a due time in the future."""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.jobs.task import RECURRING, TASKS

log = logging.getLogger(__name__)

CLAIM = """
UPDATE jobs_job SET attempt = attempt + 1, due = %(now)s + lease.length, counted_from = %(now)s
FROM (SELECT id, l.length FROM jobs_job
      JOIN unnest(%(tasks)s::text[], %(leases)s::interval[]) AS l (task, length) USING (task)
      WHERE dead_at IS NULL AND due <= %(now)s ORDER BY due LIMIT %(limit)s FOR UPDATE OF jobs_job SKIP LOCKED) AS lease
WHERE jobs_job.id = lease.id
RETURNING jobs_job.id, task, payload::text, attempt
"""

LONGEST_WAIT = timedelta(hours=1)
AHEAD = timedelta(seconds=5)
"""What the clocks of several machines may differ by; what is counted from later than that was set by a clock that went
wrong and has been set back since."""


@dataclass(frozen=True, slots=True)
class Health:
    """How the work stands: jobs that wait for their first or next attempt, how late the oldest is, dead letters."""

    waiting: int
    late: timedelta
    dead: int


@dataclass(frozen=True, slots=True)
class Dead:
    """A job that has failed for good: for the steward's page."""

    id: uuid.UUID
    task: str
    attempts: int
    error: str
    at: datetime


def run_due(limit: int = 20) -> int:
    """Claim up to `limit` jobs that are due and do them, one after the other; returns how many were claimed."""
    known = list(TASKS.values())
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM,
            {
                "now": clock.now(),
                "tasks": [task.name for task in known],
                "leases": [task.lease for task in known],
                "limit": limit,
            },
        )
        claimed = cursor.fetchall()
    for id, name, payload, attempt in claimed:
        if attempt > TASKS[name].attempts:  # the workers of all its attempts were never heard of again
            _failed(id, name, attempt, "WorkerLost")
        else:
            _attempt(id, name, json.loads(payload), attempt)
    return len(claimed)


def _attempt(id: uuid.UUID, name: str, payload: dict[str, Any], attempt: int) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # The attempt number is the fence: a worker whose lease has run out finds its row taken over. And one that
            # stands still, or is cut off, does not hold the row longer: PostgreSQL ends its session then.
            cursor.execute(
                """
                DELETE FROM jobs_job WHERE id = %s AND attempt = %s
                RETURNING set_config('idle_in_transaction_session_timeout', %s, true)
                """,
                [id, attempt, f"{TASKS[name].lease // timedelta(milliseconds=1)}"],
            )
            if cursor.rowcount:
                TASKS[name](**payload)
    except Exception as error:
        log.warning("job %s of %s failed (attempt %s): %s", id, name, attempt, type(error).__name__)
        _failed(id, name, attempt, type(error).__name__)


def _failed(id: uuid.UUID, name: str, attempt: int, error: str) -> None:
    now = clock.now()
    dead_at = now if attempt >= TASKS[name].attempts else None
    due = now + min(timedelta(seconds=2**attempt), LONGEST_WAIT)
    with connection.cursor() as cursor:
        # Only the kind of error is kept: its text might hold what is personal.
        cursor.execute(
            """
            UPDATE jobs_job SET due = %s, counted_from = %s, dead_at = %s, error = %s WHERE id = %s AND attempt = %s
            """,
            [due, now, dead_at, error, id, attempt],
        )


def health() -> Health:
    """How the work stands now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FILTER (WHERE dead_at IS NULL), min(due) FILTER (WHERE dead_at IS NULL),
                   count(*) FILTER (WHERE dead_at IS NOT NULL)
            FROM jobs_job
            """
        )
        waiting, oldest, dead = cursor.fetchone()
    return Health(waiting, max(timedelta(), clock.now() - oldest) if oldest else timedelta(), dead)


def dead_letters(limit: int = 100) -> list[Dead]:
    """The jobs that have failed for good, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, task, attempt, error, dead_at FROM jobs_job
            WHERE dead_at IS NOT NULL ORDER BY dead_at DESC LIMIT %s
            """,
            [limit],
        )
        return [Dead(*row) for row in cursor.fetchall()]


def retry(id: uuid.UUID) -> bool:
    """Give a dead letter another life; returns whether there was one."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE jobs_job SET dead_at = NULL, attempt = 0, due = %s, counted_from = %s
            WHERE id = %s AND dead_at IS NOT NULL
            """,
            [now, now, id],
        )
        return bool(cursor.rowcount)


def call_back() -> int:
    """Make due what waits for a time that was counted from the future; returns how many jobs.

    A clock that ran ahead and has been set back would else hold them up by as much. Whoever is at work on one of them
    goes on: it holds the row, and its attempt is the fence.
    """
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE jobs_job SET due = %(now)s, counted_from = %(now)s
            WHERE id IN (SELECT id FROM jobs_job WHERE counted_from > %(latest)s FOR UPDATE SKIP LOCKED)
            """,
            {"now": now, "latest": now + AHEAD},
        )
        return int(cursor.rowcount)


def enqueue_due_recurrences() -> int:
    """Enqueue each recurring task whose time has come, once however many clerks ask; returns how many.

    A time further off than the interval was set by a clock that ran ahead: then it has come, too.
    """
    now, enqueued = clock.now(), 0
    for name, interval in RECURRING.items():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO jobs_recurrence AS r (task, next) VALUES (%(task)s, %(next)s)
                ON CONFLICT (task) DO UPDATE SET next = excluded.next WHERE r.next <= %(now)s OR r.next > %(latest)s
                """,
                {"task": name, "next": now + interval, "now": now, "latest": now + interval + AHEAD},
            )
            if cursor.rowcount:
                TASKS[name].enqueue()
                enqueued += 1
    return enqueued
