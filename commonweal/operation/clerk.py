"""The clerk: gives facts their places in the log, does the jobs, starts what recurs. Any number of them may run.

Killed at any moment it leaves nothing half-done; whoever comes next goes on.
"""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

import psycopg

from commonweal.operation import lifeline
from commonweal.operation.database import conninfo, setup

log = logging.getLogger(__name__)

PAUSE = 0.2
"""Seconds between two checkpoints while there is little to do."""
RECURRENCES = 25
"""After how many rounds the recurring tasks are looked at."""


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
                while not stop.is_set():
                    _sequence(connection, signer, stop)
        except psycopg.Error as error:
            log.warning("the sequencer waits for the database: %s", type(error).__name__)
            stop.wait(PAUSE)
    jobs.join()


def _sequence(connection: psycopg.Connection[Any], signer: Any, stop: threading.Event) -> None:
    from commonweal.kernel import clock
    from commonweal.kernel.proof.log import BATCH, sequence

    before = after = 0
    if (checkpoint := sequence(connection, signer, clock.now())) is not None:
        before, after = after, checkpoint.size
    if after - before < BATCH:  # otherwise more is waiting
        stop.wait(PAUSE)


def _do_jobs(stop: threading.Event) -> None:
    from django.db import Error, close_old_connections, connection

    from commonweal.kernel.jobs import enqueue_due_recurrences, run_due

    rounds = 0
    while not stop.is_set():
        try:
            if rounds % RECURRENCES == 0:
                enqueue_due_recurrences()
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
    setup()
    lifeline.hold()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve(stop)


if __name__ == "__main__":
    main()
