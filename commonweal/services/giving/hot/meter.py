"""What this process carries, told to the database a few times a second: the control room adds all processes up."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import Error, connection

from commonweal.kernel import clock
from commonweal.kernel.arrays import array
from commonweal.kernel.ids import uuid7
from commonweal.services.giving.rules import load

log = logging.getLogger(__name__)

INTERVAL = 0.25
"""Seconds between two lines."""
KEPT = timedelta(minutes=1)


@dataclass(slots=True)
class Counts:
    """Since the last line."""

    taken: int = 0
    passed: int = 0
    busy: int = 0
    failed: int = 0
    times: list[int] = field(default_factory=lambda: [0] * len(load.BOUNDS))

    def took(self, seconds: float) -> None:
        """A gift was answered after so long."""
        self.taken += 1
        self.times[load.bucket(seconds)] += 1


class Meter:
    """Counts, and writes a line each interval while there is something to say. `waiting` tells the queue's length."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        self.counts = Counts()
        self._waiting = waiting
        self._process = uuid7()
        self._thread = ThreadPoolExecutor(1, "meter")
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop; what was not told yet is forgotten."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._thread.submit(connection.close)
        self._thread.shutdown()

    async def _run(self) -> None:
        silent, since = False, time.monotonic()
        while True:
            await asyncio.sleep(INTERVAL)
            counts, self.counts, waiting = self.counts, Counts(), self._waiting()
            now = time.monotonic()
            quiet = counts == Counts() and not waiting
            if not (quiet and silent):  # one line of zeros says that it is over
                await asyncio.get_running_loop().run_in_executor(self._thread, self._tell, counts, waiting, now - since)
            silent, since = quiet, now

    def _tell(self, counts: Counts, waiting: int, seconds: float) -> None:
        now = clock.now()
        try:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM giving_meter WHERE at < %s", [now - KEPT])
                cursor.execute(
                    """
                    INSERT INTO giving_meter (process, at, seconds, taken, passed, busy, failed, waiting, times)
                    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s::integer[])
                    """,
                    [self._process, now, seconds, counts.taken, counts.passed, counts.busy, counts.failed, waiting,
                     array(counts.times)],
                )  # fmt: skip
        except Error as error:  # the next line may come through; gifts do not wait for it
            log.warning("the meter goes on after %s", type(error).__name__)
            connection.close()
