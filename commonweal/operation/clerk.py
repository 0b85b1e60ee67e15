"""The clerk: gives facts their places in the log, does the jobs, starts what recurs. Any number of them may run.

Killed at any moment it leaves nothing half-done; whoever comes next goes on.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import threading
from contextlib import suppress
from typing import Any

import psycopg

from commonweal.operation import lifeline
from commonweal.operation.database import conninfo, embedded, setup

log = logging.getLogger(__name__)

PAUSE = 0.2
"""Seconds between two checkpoints while there is little to do."""
NICE = 10
"""Who waits for an answer comes first: what a rush leaves to be told is told after it."""
RECURRENCES = 25
"""After how many rounds the recurring tasks are looked at, and whether the clock has been set back."""


def serve(stop: threading.Event) -> None:
    """Work until `stop` is set. A database that is away is waited for."""
    from django.conf import settings

    from commonweal.kernel.proof import load_signer

    signer = load_signer(settings.HOME, settings.LOG_NAME)
    jobs = threading.Thread(target=_do_jobs, args=[stop], name="jobs")
    jobs.start()
    while not stop.is_set():
        try:
            with psycopg.connect(conninfo(), autocommit=True, application_name="commonweal clerk") as connection:
                _sequence(connection, signer, stop)
        except psycopg.Error as error:
            log.warning("the sequencer waits for the database: %s", type(error).__name__)
            stop.wait(PAUSE)
    jobs.join()


def _sequence(connection: psycopg.Connection[Any], signer: Any, stop: threading.Event) -> None:
    from commonweal.kernel import clock
    from commonweal.kernel.proof.log import BATCH, head, sequence

    with connection.cursor() as cursor:
        newest = head(cursor)
    size = newest.size if newest else 0
    while not stop.is_set():
        checkpoint = sequence(connection, signer, clock.now())
        before, size = size, checkpoint.size if checkpoint else size
        if size - before < BATCH:  # otherwise more is waiting
            stop.wait(PAUSE)


def _do_jobs(stop: threading.Event) -> None:
    from django.db import Error, close_old_connections, connection

    from commonweal.kernel.jobs import call_back, enqueue_due_recurrences, run_due

    rounds = 0
    while not stop.is_set():
        try:
            if rounds % RECURRENCES == 0:
                enqueue_due_recurrences()
                call_back()
            rounds += 1
            if not run_due():
                stop.wait(PAUSE)
        except Error as error:
            log.warning("the jobs wait for the database: %s", type(error).__name__)
            connection.close()
            stop.wait(PAUSE)
        finally:
            close_old_connections()


def main() -> None:
    """Run as a process of its own, until SIGTERM or until the parent is gone."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    lifeline.hold(lifeline.supervisor())
    os.nice(NICE)
    setup()
    serve(stop)
    _leave()


def _leave() -> None:
    """Stop the embedded server if the supervisor has died: nobody else would.

    The start lock is held meanwhile, so that a new supervisor waits for the end and then starts the server afresh.
    """
    server = embedded()
    if server is None:
        return
    with (server.home / "start.lock").open("a") as start, (server.home / "run.lock").open("a") as supervisor:
        fcntl.flock(start, fcntl.LOCK_EX)
        with suppress(BlockingIOError):
            fcntl.flock(supervisor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(supervisor, fcntl.LOCK_UN)
            server.stop()


if __name__ == "__main__":
    main()
