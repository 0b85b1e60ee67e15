"""Live streams: one poller for everybody, and nobody who can hold it up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from commonweal.kernel import live
from commonweal.kernel.live import Event, Feed
from commonweal.kernel.proof.log import Cursor


class Source:
    """Counts up whenever it is told to; says how often it was asked."""

    def __init__(self) -> None:
        self.number = 1
        self.asked = 0

    def __call__(self, cursor: Cursor) -> Event | None:
        self.asked += 1
        cursor.execute("SELECT 1")
        return Event(str(self.number), f'{{"n": {self.number}}}') if self.number else None


class Listener:
    """A client: what it was sent, and a way to leave."""

    def __init__(self, feed: Feed, method: str = "GET") -> None:
        self.sent: list[dict[str, Any]] = []
        self.arrived = asyncio.Event()
        self.left = asyncio.Event()
        self._begun = False
        self.task = asyncio.ensure_future(feed({"type": "http", "method": method}, self.receive, self.send))

    async def receive(self) -> dict[str, Any]:
        if not self._begun:
            self._begun = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        self.arrived.set()

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent).decode()

    async def hears(self, words: str) -> None:
        async with asyncio.timeout(10):
            while words not in self.text:
                self.arrived.clear()
                await self.arrived.wait()

    async def leave(self) -> None:
        self.left.set()
        await self.task


@pytest.fixture
def run(fresh_database: str) -> Callable[..., None]:
    return asyncio.run


def test_everybody_hears_the_same_from_one_poller(run: Any) -> None:
    async def talk() -> None:
        source = Source()
        feed = Feed("count", source, interval=0.01)
        listeners = [Listener(feed) for _ in range(20)]
        for listener in listeners:
            await listener.hears('event: count\nid: 1\ndata: {"n": 1}\n\n')
        source.number = 2
        for listener in listeners:
            await listener.hears("id: 2\n")
        late = Listener(feed)
        await late.hears("id: 2\n")  # at once, not at the next change
        assert "id: 1\n" not in late.text
        assert all(listener.text.count("id: 1\n") == 1 for listener in listeners)
        assert listeners[0].sent[0]["status"] == 200
        assert (b"content-type", b"text/event-stream; charset=utf-8") in listeners[0].sent[0]["headers"]
        for listener in (*listeners, late):
            await listener.leave()
        assert feed._poller is None  # nobody listens, nobody asks
        assert live._listeners == 0
        again = Listener(feed)
        await again.hears("id: 2\n")
        await again.leave()

    run(talk())


def test_a_silent_stream_says_that_it_is_alive(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT", 0.02)

    async def talk() -> None:
        source = Source()
        source.number = 0
        listener = Listener(Feed("count", source, interval=0.01))
        await listener.hears("\n\n:\n\n")
        await listener.leave()

    run(talk())


def test_a_slow_listener_misses_the_oldest_and_holds_up_nobody(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BEHIND", 2)

    async def talk() -> None:
        source = Source()
        feed = Feed("count", source, interval=0.01)
        slow, quick = Listener(feed), Listener(feed)
        await slow.hears("id: 1\n")
        gate = asyncio.Event()
        hearing = slow.send

        async def wait(message: Any) -> None:
            await gate.wait()
            await hearing(message)

        monkeypatch.setattr(live, "_say", lambda send, text: (
            wait({"body": text.encode()}) if send == slow.send else send({"body": text.encode()})
        ))  # fmt: skip
        for number in range(2, 9):
            source.number = number
            await quick.hears(f"id: {number}\n")
        gate.set()
        await slow.hears("id: 8\n")
        assert "id: 4\n" not in slow.text
        for listener in (slow, quick):
            await listener.leave()

    run(talk())


def test_a_listener_that_cannot_be_written_to_is_let_go(run: Any) -> None:
    async def talk() -> None:
        feed = Feed("count", Source(), interval=0.01)
        broken = Listener(feed)

        async def fails(message: Any) -> None:
            raise OSError

        await broken.hears("id: 1\n")
        other = Listener(feed)
        await other.hears("id: 1\n")
        feed.poll = lambda cursor: Event("9", "{}")
        broken.send = fails  # type: ignore[method-assign]
        await other.hears("id: 9\n")
        await broken.leave()
        await other.leave()
        assert live._listeners == 0

    run(talk())


def test_a_database_that_is_away_is_asked_again(run: Any) -> None:
    async def talk() -> None:
        source, broken = Source(), [True, True]

        def poll(cursor: Cursor) -> Event | None:
            if broken:
                broken.pop()
                cursor.execute("SELECT 1 / 0")
            return source(cursor)

        listener = Listener(Feed("count", poll, interval=0.01))
        await listener.hears("retry: 3000")
        await listener.hears("id: 1\n")
        await listener.leave()

    run(talk())


@pytest.mark.parametrize(("method", "status"), [("POST", 405), ("HEAD", 200), ("GET", 503)])
def test_what_is_no_stream(run: Any, monkeypatch: pytest.MonkeyPatch, method: str, status: int) -> None:
    monkeypatch.setattr(live, "_listeners", live.LISTENERS if method == "GET" else 0)

    async def talk() -> None:
        listener = Listener(Feed("count", Source()), method)
        await listener.task
        assert listener.sent[0]["status"] == status
        assert listener.text == ""

    run(talk())


def test_a_stop_ends_every_stream_and_takes_no_new_one(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_closed", False)

    async def go() -> tuple[list[Any], Listener]:
        feed = Feed("tick", Source(), interval=0.01)
        listeners = [Listener(feed) for _ in range(3)]
        for listener in listeners:
            await listener.hears("retry")
        live.close()
        async with asyncio.timeout(10):
            await asyncio.gather(*(listener.task for listener in listeners))
        late = Listener(feed)
        await late.task
        return [listener.sent[-1] for listener in listeners], late

    ends, late = asyncio.run(go())
    assert ends == [{"type": "http.response.body", "body": b""}] * 3
    assert late.sent[0]["status"] == 503
