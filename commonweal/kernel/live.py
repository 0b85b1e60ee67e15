"""Live streams (server-sent events): one poller a process, fanned out in memory to everybody who listens.

The poller starts with the first listener and stops with the last. It asks the database once an interval, on a thread of
its own, however many people listen: nothing here uses LISTEN, which would cost every money transaction its speed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.db import close_old_connections, connection

from commonweal.kernel.proof.log import Cursor

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LISTENERS = 1000
"""Streams that one process carries; one more is answered 503."""
HEARTBEAT = 15.0
"""Seconds after which a silent stream says that it is alive, so that proxies leave it open."""
BEHIND = 16
"""Events that may wait for a slow listener; then the oldest is dropped."""

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]

_thread = ThreadPoolExecutor(1, "live")
_listeners = 0
_telling: set[asyncio.Future[None]] = set()
_closed = False


@dataclass(frozen=True, slots=True)
class Event:
    """Something new: its `id` says what the listener has, `data` is one line (JSON)."""

    id: str
    data: str


Poll = Callable[[Cursor], Event | None]
"""Reads the newest state; an event with the id of the last one is not sent again."""


@dataclass
class Feed:
    """A stream of one kind of event; itself the raw ASGI handler of its path (`routes = {"/live/x": Feed(...)}`)."""

    name: str
    poll: Poll
    interval: float = 0.5
    _queues: set[asyncio.Queue[Event]] = field(default_factory=set)
    _last: Event | None = None
    _poller: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one listener until it goes."""
        global _listeners  # noqa: PLW0603
        full = _closed or _listeners >= LISTENERS
        refusal = 405 if scope["method"] not in ("GET", "HEAD") else 503 if full else 0
        if refusal:
            more = [(b"allow", b"GET, HEAD")] if refusal == 405 else [(b"retry-after", b"10")]
            await _answer(send, refusal, more)
            return
        if scope["method"] == "HEAD":
            await _answer(send, 200, HEADERS)
            return
        _listeners += 1
        queue: asyncio.Queue[Event] = asyncio.Queue(BEHIND)
        self._queues.add(queue)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            if self._poller is None:
                self._poller = asyncio.create_task(self._poll_on())
            elif self._last is not None:
                queue.put_nowait(self._last)
            await _until_gone(receive, self._tell(queue, send))
            if _closed:
                await send({"type": "http.response.body", "body": b""})
        finally:
            _listeners -= 1
            self._queues.discard(queue)
            if not self._queues and self._poller is not None:
                self._poller.cancel()
                self._poller = self._last = None

    async def _tell(self, queue: asyncio.Queue[Event], send: Send) -> None:
        await _say(send, "retry: 3000\n\n")
        while True:
            try:
                event = await asyncio.wait_for(queue.get(), HEARTBEAT)
            except TimeoutError:
                await _say(send, ":\n\n")
            else:
                await _say(send, f"event: {self.name}\nid: {event.id}\ndata: {event.data}\n\n")

    async def _poll_on(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            event = await loop.run_in_executor(_thread, self._ask)
            if event is not None and (self._last is None or event.id != self._last.id):
                self._last = event
                for queue in self._queues:
                    if queue.full():
                        queue.get_nowait()
                    queue.put_nowait(event)
            await asyncio.sleep(self.interval)

    def _ask(self) -> Event | None:
        """One look at the database; whatever fails is tried again at the next interval."""
        try:
            with connection.cursor() as cursor:
                return self.poll(cursor)
        except Exception as error:
            log.warning("the stream %s goes on after %s", self.name, type(error).__name__)
            connection.close()
            return None
        finally:
            close_old_connections()


def close() -> None:
    """End all streams of this process, on its loop: a server that stops waits for what is open. Listeners come again
    by themselves, to whoever serves then."""
    global _closed  # noqa: PLW0603
    _closed = True
    for task in _telling:
        task.cancel()


async def _until_gone(receive: Receive, telling: Any) -> None:
    """Run `telling` until the listener goes, or it cannot be written to any more."""
    task = asyncio.ensure_future(telling)
    _telling.add(task)
    try:
        while True:
            hearing = asyncio.ensure_future(receive())
            await asyncio.wait({task, hearing}, return_when=asyncio.FIRST_COMPLETED)
            if not hearing.done():
                hearing.cancel()
                return
            if hearing.result()["type"] == "http.disconnect":
                return
    finally:
        _telling.discard(task)
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task


async def _say(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
