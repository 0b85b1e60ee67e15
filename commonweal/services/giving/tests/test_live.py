"""The raw route answers as the API does, writes the same rows, and leaves everything else to the API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.errors import Busy
from commonweal.kernel.ledger import audit
from commonweal.kernel.parties import people
from commonweal.services.giving import live
from commonweal.services.giving.tests import conftest as giving

Answer = tuple[int, dict[str, Any]]


@pytest.fixture
def world(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> giving.World:
    """The world at the present moment: threads read the real clock."""
    monkeypatch.setattr(giving, "NOW", clock.now())
    return giving.make_world()


@pytest.fixture
def token(world: giving.World) -> str:
    return people.make_token(world.giver, "test")


class Posting:
    """Gifts by the raw route, and by the API what it leaves: as the front does it."""

    def __init__(self, world: giving.World, token: str) -> None:
        self.path = f"/api/v1/giving/campaigns/{world.campaign.id}/gifts"
        self.token = token

    def scope(self, key: str, length: int = 0) -> dict[str, Any]:
        headers = [
            (b"content-length", str(length).encode()),
            (b"host", b"testserver"),
            (b"authorization", f"Bearer {self.token}".encode()),
            (b"content-type", b"application/json"),
            (b"idempotency-key", key.encode()),
        ]
        return {
            "type": "http", "method": "POST", "path": self.path, "query_string": b"", "headers": headers,
            "http_version": "1.1", "server": ("testserver", 80), "client": ("127.0.0.1", 1), "scheme": "http",
        }  # fmt: skip

    async def ask(self, key: str, body: bytes) -> Answer:
        sent: list[Any] = []
        parts = [{"type": "http.request", "body": part, "more_body": True} for part in (body[:7], body[7:])]
        parts.append({"type": "http.request", "body": b"", "more_body": False})
        messages = list(parts)

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        unread = await live.gifts(self.scope(key, len(body)), receive, send)
        if unread is None:
            return sent[0]["status"], json.loads(sent[1]["body"])
        assert sent == []
        assert [await unread() for _ in parts] == parts
        return await asyncio.to_thread(self.ordinary, key, body)

    def all(self, asked: Sequence[tuple[str, bytes]], writers: int = 2) -> list[Answer]:
        """The answers to requests that come at the same time."""

        async def run() -> list[Answer]:
            hands = live.hands()
            del hands.giving[writers:]
            live._desk = live.Desk(hands)
            try:
                return await asyncio.gather(*(self.ask(key, body) for key, body in asked))
            finally:
                await live._desk.close()
                live._desk = None
                for hand in hands.all():
                    hand.close()

        return asyncio.run(run())

    def ordinary(self, key: str, body: bytes) -> Answer:
        """The API's own answer."""
        answer = Client().post(
            self.path,
            body,
            content_type="application/json",
            HTTP_AUTHORIZATION=f"Bearer {self.token}",
            HTTP_IDEMPOTENCY_KEY=key,
        )
        connection.close()
        return answer.status_code, answer.json()


@pytest.fixture
def posting(world: giving.World, token: str) -> Iterator[Posting]:
    yield Posting(world, token)
    connection.close()


def body(amount: str = "5.00", **more: Any) -> bytes:
    return json.dumps({"amount": amount, "asset": "CNY", "channel": "simulator"} | more).encode()


def plain(answer: Answer) -> Any:
    """An answer without what is another each time: the gift, the moment, and both in the signed address to pay."""
    status, said = answer
    way, _, signed = str(said["pay"]).partition("/pay/")
    return status, said | {"id": len(said["id"]), "given_at": said["given_at"][-1], "pay": (way, len(signed))}


def test_the_answer_is_that_of_the_api(posting: Posting) -> None:
    (hot,) = posting.all([("k1", body("8.80"))])
    assert hot[0] == 201
    assert plain(hot) == plain(posting.ordinary("k2", body("8.80")))
    for again in (posting.ordinary("k1", body("8.80")), *posting.all([("k1", body("8.80"))])):
        assert again[1]["id"] == hot[1]["id"]  # a repetition gets the first answer, by either door
        assert plain(again) == plain(hot)


def test_three_hundred_at_once_are_three_hundred_rows_and_the_books_are_right(
    posting: Posting, session: psycopg.Connection
) -> None:
    answers = posting.all([(f"k{n}", body(f"{n + 1}.00")) for n in range(300)])
    assert {status for status, _ in answers} == {201}
    assert len({said["id"] for _, said in answers}) == 300
    rows = session.execute("SELECT id::text, amount FROM giving_gift").fetchall()
    assert dict(rows) == {said["id"]: 100 * (n + 1) for n, (_, said) in enumerate(answers)}
    with session.cursor() as cursor:
        assert audit(cursor) == []
    stripes = session.execute("SELECT count(DISTINCT stripe), min(stripe) FROM ledger_balance").fetchone()
    assert stripes is not None
    assert stripes[1] > 0


def test_a_storm_of_one_key_with_seven_bodies_is_one_gift(posting: Posting, session: psycopg.Connection) -> None:
    answers = posting.all([("one", body(f"{5 + n % 7}.00")) for n in range(200)])
    assert sorted({status for status, _ in answers}) == [201, 409]
    assert len({said["id"] for status, said in answers if status == 201}) == 1
    assert {said["code"] for status, said in answers if status == 409} == {"key.reused"}
    assert session.execute("SELECT count(*) FROM giving_gift").fetchone() == (1,)


def test_what_a_charity_has_collected_is_there_at_once(
    posting: Posting, world: giving.World, session: psycopg.Connection
) -> None:
    posting.token = people.make_token(world.officer, "test")
    answers = posting.all([(f"k{n}", body("5.00", channel="collected")) for n in range(50)])
    assert {status for status, _ in answers} == {201}
    assert {(said["state"], said["pay"]) for _, said in answers} == {("paid", None)}
    rows = session.execute("SELECT p.fact::text, s.entry FROM giving_payment p JOIN proof_staged s ON s.id = p.fact")
    facts: dict[str, bytes] = dict(rows.fetchall())
    assert {said["fact"] for _, said in answers} == set(facts)
    with session.cursor() as cursor:
        assert audit(cursor) == []


def test_only_an_officer_enters_what_was_collected(posting: Posting, session: psycopg.Connection) -> None:
    (answer,) = posting.all([("k", body(channel="collected"))])
    assert (answer[0], answer[1]["code"]) == (403, "gift.not-yours-to-enter")
    assert session.execute("SELECT count(*) FROM giving_gift").fetchone() == (0,)


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("k", body("0.00")),
        ("k", body("-1")),
        ("k", body("1e3")),
        ("k", body("0.001")),
        ("k", body("99999999.00")),
        ("k", body(asset="USD")),
        ("k", body(asset="XXX")),
        ("k", body(channel="nobody")),
        ("k", body(channel="collected")),
        ("k", body(more=1)),
        ("k", b'{"amount": 5, "asset": "CNY"}'),
        ("k", b'{"amount": "5", "amount": "6", "asset": "CNY"}'),
        ("k", b"{"),
        ("k", b"[]"),
        ("k", b"\xff"),
        ("k", b'{"amount": "5.00", "asset": "CNY", "channel": "' + b"x" * 5000 + b'"}'),
        ("", body()),
        ("k" * 65, body()),
        ("k k", body()),
    ],
)
def test_what_is_not_right_gets_the_word_of_the_api(posting: Posting, key: str, sent: bytes) -> None:
    (answer,) = posting.all([(key, sent)], writers=1)
    assert answer == posting.ordinary(key, sent)
    assert 400 <= answer[0] < 500


def test_an_unknown_token_and_a_closed_campaign(posting: Posting, world: giving.World) -> None:
    good, posting.token = posting.token, "cw_unknown"
    (answer,) = posting.all([("k", body())])
    assert (answer[0], answer[1]["code"]) == (401, "token.unknown")
    posting.token = good
    world.campaign.closes_at = clock.now() - timedelta(seconds=1)
    world.campaign.save(update_fields=["closes_at"])
    answers = posting.all([(f"k{n}", body()) for n in range(20)])
    assert {status for status, _ in answers} == {409}
    assert {said["code"] for _, said in answers} == {"campaign.closed"}


def test_a_full_queue_is_busy(posting: Posting) -> None:
    async def run() -> Answer:
        live._desk = live.Desk(live.hands(), queue=0)
        try:
            return await posting.ask("k", body())
        finally:
            assert live._desk.meter.counts.busy == 1
            await live._desk.close()
            live._desk = None

    with pytest.raises(Busy):
        asyncio.run(run())


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
def test_other_requests_are_left_unread(posting: Posting, method: str) -> None:
    async def receive() -> Any:
        raise AssertionError

    async def run(scope: dict[str, Any]) -> Any:
        return await live.gifts(scope, receive, receive)  # type: ignore[arg-type]

    assert asyncio.run(run(posting.scope("k") | {"method": method})) is receive
    assert asyncio.run(run(posting.scope("k") | {"path": posting.path + "/1"})) is receive
    assert asyncio.run(run(posting.scope("k") | {"headers": []})) is receive
    assert asyncio.run(run(posting.scope("k", live.MAX_BODY + 1))) is receive
