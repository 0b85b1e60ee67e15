"""Connections that are lost between the commit and the answer: a relay that passes what is asked, and drops answers.

It stands between givers and the web server on a port of its own. Between the web server and PostgreSQL it takes the
place of the server's socket for a while: no setting of the platform knows of it.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

TAKEN = b"HTTP/1.1 20"
"""How an answer of the web server begins that says yes."""
COMMITTED = b"COMMIT\x00"
"""What PostgreSQL says of a transaction that is durable."""


class Cutter:
    """A relay. While `chance` is above 0, an answer that begins or ends with `mark` is dropped as often as that, and
    with it the connection, both ways."""

    def __init__(self, connect: Callable[[], Awaitable[Streams]], mark: bytes, seed: int) -> None:
        self.chance = 0.0
        self.cuts = 0
        self._connect, self._mark = connect, mark
        self._random = random.Random(seed)  # noqa: S311
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="cutter", daemon=True)
        self._thread.start()

    def listen(self, start: Callable[[Callable[..., Awaitable[None]]], Awaitable[asyncio.Server]]) -> None:
        """Open the relay where `start` says (`asyncio.start_server` or `start_unix_server`, bound to a place)."""

        async def begin() -> None:
            self._server = await start(self._relay)

        asyncio.run_coroutine_threadsafe(begin(), self._loop).result()

    def close(self) -> None:
        """End the relay and all its connections."""

        async def end() -> None:
            if self._server is not None:
                self._server.close()
            for writer in self._open:
                writer.transport.abort()
            await asyncio.sleep(0)
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _relay(self, asked: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        self._open.add(answer)
        there: asyncio.StreamWriter | None = None
        with suppress(OSError, asyncio.CancelledError):
            answered, there = await self._connect()
            self._open.add(there)
            forth = asyncio.create_task(_pass(asked, there))
            await self._pass_back(answered, answer)
            forth.cancel()
        for writer in (answer, there):
            if writer is not None:
                self._open.discard(writer)
                writer.transport.abort()

    async def _pass_back(self, answered: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        while data := await answered.read(65_536):
            if self.chance and self._mark in data and self._random.random() < self.chance:
                self.cuts += 1
                return
            answer.write(data)
            await answer.drain()


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
        target.write_eof()


def before_the_web(port: int, own: int, seed: int) -> Cutter:
    """A relay on port `own` to the web server on `port`."""
    cutter = Cutter(lambda: asyncio.open_connection("127.0.0.1", port), TAKEN, seed)
    cutter.listen(lambda relay: asyncio.start_server(relay, "127.0.0.1", own, backlog=512))
    return cutter


@contextmanager
def before_postgres(directory: Path, seed: int) -> Iterator[Cutter]:
    """A relay in the place of PostgreSQL's socket; sessions that are open already go on without it."""
    socket, moved = directory / ".s.PGSQL.5432", directory / "moved"
    socket.rename(moved)
    cutter = Cutter(lambda: asyncio.open_unix_connection(moved), COMMITTED, seed)
    cutter.listen(lambda relay: asyncio.start_unix_server(relay, socket, backlog=512))
    socket.chmod(0o700)
    try:
        yield cutter
    finally:
        moved.rename(socket)
        cutter.close()
