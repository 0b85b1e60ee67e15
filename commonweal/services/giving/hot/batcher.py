"""Group commit for asyncio: whatever waits while one batch is being written is the next batch.

A lone request is a batch of one and waits for nothing. What is asked is answered only after its batch is durable.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from commonweal.kernel.errors import Busy
from commonweal.kernel.text import Text

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

CAP = 1_000
"""Requests of one batch."""
QUEUE = 20_000
"""Requests that may wait in one process; one more is answered 503 at once."""


class Unreachable(Exception):
    """The database is gone, and with it the knowledge of what became of a batch. Asking again is safe."""


def busy() -> Busy:
    """The queue is full, or the outcome is not known."""
    return Busy(
        "busy",
        Text("Many people are here right now. Try again in a second.", "现在访问的人很多，请一秒后再试。"),
        retry_after=1,
    )


class Batcher(Generic[Asked, Answer]):
    """Takes requests one by one and has them written in batches, by as many writers as there are `writes`.

    A write answers a whole batch in its order, or raises and has written nothing. Then the batch is halved and tried
    again, so that a poisonous request is alone in the end and gets the error, and the others are written.

    A batch is of one `group`: what lies on one machine of a database that is spread over several. Groups take turns.
    """

    def __init__(
        self,
        writes: Sequence[Callable[[list[Asked]], Awaitable[Sequence[Answer]]]],
        *,
        group: Callable[[Asked], Hashable] = lambda _: None,
        cap: int = CAP,
        queue: int = QUEUE,
    ) -> None:
        self._group, self._cap, self._limit = group, cap, queue
        self._waiting: defaultdict[Hashable, deque[tuple[Asked, asyncio.Future[Answer]]]] = defaultdict(deque)
        self._number = 0
        self._come = asyncio.Event()
        self._writers = [asyncio.create_task(self._run(write)) for write in writes]

    def __len__(self) -> int:
        """How many requests wait."""
        return self._number

    async def ask(self, asked: Asked) -> Answer:
        """The answer to one request, once it is durable.

        Raises `Busy` at once if the queue is full, or later if the database went away: the request may then have been
        carried out or not, and asking again with the same key tells. A caller that stops waiting changes nothing.
        """
        if self._number >= self._limit:
            raise busy()
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[self._group(asked)].append((asked, future))
        self._number += 1
        self._come.set()
        return await future

    async def close(self) -> None:
        """Write what waits and stop."""
        while self._waiting:
            await asyncio.sleep(0)
        for writer in self._writers:
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer

    async def _run(self, write: Callable[[list[Asked]], Awaitable[Sequence[Answer]]]) -> None:
        while True:
            while not self._waiting:
                self._come.clear()
                await self._come.wait()
            batch = self._next()
            written = asyncio.create_task(self._write(write, batch))
            try:
                await asyncio.shield(written)
            except asyncio.CancelledError:  # closing: the batch at hand is finished first
                await written
                raise

    def _next(self) -> list[tuple[Asked, asyncio.Future[Answer]]]:
        """What waits of the group whose turn it is; what is left of it is behind the others."""
        group = next(iter(self._waiting))
        waiting = self._waiting.pop(group)
        batch = [waiting.popleft() for _ in range(min(len(waiting), self._cap))]
        if waiting:
            self._waiting[group] = waiting
        self._number -= len(batch)
        return batch

    async def _write(
        self,
        write: Callable[[list[Asked]], Awaitable[Sequence[Answer]]],
        batch: list[tuple[Asked, asyncio.Future[Answer]]],
    ) -> None:
        try:
            answers = await write([asked for asked, _ in batch])
        except Unreachable:
            for _, future in batch:
                if not future.done():
                    future.set_exception(busy())
        except Exception as error:  # whatever it is, it is the answer to the one request that causes it
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._write(write, batch[:middle])
                await self._write(write, batch[middle:])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
