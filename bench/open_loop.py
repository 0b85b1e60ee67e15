"""An open loop over HTTP/1.1: requests leave by a schedule, whatever the answers do.

The time of a request counts from the moment at which it was to leave, also while all connections are taken: a server
that stalls is charged for everybody who came meanwhile, and not only for those whom it let in.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

AGAIN = 1.0
"""Seconds after which a request whose connection broke is sent again; its key makes that safe."""


@dataclass(slots=True)
class Request:
    """What is sent, the moment (Unix time) at which it is due, and who hears the answer: status and body."""

    due: float
    sent: bytes
    hear: Callable[[Request, int, bytes], None]
    tries: int = 0


@dataclass
class Loop:
    """Sends over so many connections. What is answered 503 is sent again when its Retry-After says so."""

    port: int
    connections: int
    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    """Connections that ended under a request."""
    unexplained: int = 0
    """Answers of 503 without Retry-After."""
    _idle: deque[_Line] = field(default_factory=deque)
    _waiting: deque[Request] = field(default_factory=deque)

    async def open(self) -> None:
        """Open all connections."""
        await asyncio.gather(*(self._connect() for _ in range(self.connections)))

    def send(self, request: Request) -> None:
        """Send now, or as soon as a connection is free."""
        request.tries += 1
        if self._idle:
            self._idle.pop().carry(request)
        else:
            self._waiting.append(request)

    def close(self) -> None:
        """Close what is idle."""
        self.connections = 0
        while self._idle:
            self._idle.pop().transport.close()

    async def _connect(self) -> None:
        await asyncio.get_running_loop().create_connection(lambda: _Line(self), "127.0.0.1", self.port)

    def free(self, line: _Line) -> None:
        """A connection can carry the next one."""
        if self._waiting:
            line.carry(self._waiting.popleft())
        else:
            self._idle.append(line)

    def answered(self, request: Request, status: int, head: bytes, body: bytes) -> None:
        """An answer has come."""
        self.statuses[status] += 1
        if status != 503:
            request.hear(request, status, body)
            return
        _, found, rest = head.lower().partition(b"retry-after:")
        self.unexplained += not found
        wait = float(rest.split(b"\r\n", 1)[0]) if found else AGAIN
        asyncio.get_running_loop().call_later(wait, self.send, request)

    def lost(self, line: _Line, request: Request | None) -> None:
        """A connection has ended; another takes its place."""
        if line in self._idle:
            self._idle.remove(line)
        loop = asyncio.get_running_loop()
        if request is not None:
            self.broken += 1
            loop.call_later(AGAIN, self.send, request)
        if self.connections:
            loop.call_later(AGAIN, lambda: asyncio.ensure_future(self._connect()))


class _Line(asyncio.Protocol):
    """One connection, which carries one request at a time."""

    transport: asyncio.Transport

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._request: Request | None = None
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._loop.free(self)

    def carry(self, request: Request) -> None:
        """Send a request."""
        self._request = request
        self.transport.write(request.sent)

    def data_received(self, data: bytes) -> None:
        self._read = self._read + data if self._read else data
        head, found, body = self._read.partition(b"\r\n\r\n")
        if not found:
            return
        at = head.lower().find(b"content-length:")
        size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(body) < size:
            return
        request, self._request, self._read = self._request, None, b""
        assert request is not None
        self._loop.answered(request, int(head[9:12]), head, body)
        self._loop.free(self)

    def connection_lost(self, error: Exception | None) -> None:
        request, self._request = self._request, None
        self._loop.lost(self, request)


async def until(moment: float) -> None:
    """Wait for a moment (Unix time)."""
    await asyncio.sleep(max(0.0, moment - time.time()))
