"""The control room's stream, and the raw routes of `POST /api/v1/giving/campaigns/{campaign}/gifts` and
`POST /api/v1/giving/payments/{channel}`.

A route takes the same wish by the same rules, and gives the same answer, as the API. It answers what is plainly right,
a well-formed new gift in the name of a token's party, or a signed payment of a gift, after it is durable. All else
(another request, a form error, an unknown token, a refusal, a repetition) goes on to the API, whose answer it is: by
its key the API finds what was written, if something was.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Hashable, MutableMapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.utils.datastructures import CaseInsensitiveMapping

from commonweal.kernel import clock
from commonweal.kernel.errors import Busy, Refusal
from commonweal.kernel.ledger import check_key
from commonweal.kernel.live import Event, Feed
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.quantity import format_amount, parse_amount
from commonweal.services.giving.actions import control as actions
from commonweal.services.giving.actions import payments as payment_actions
from commonweal.services.giving.actions.gifts import Taken
from commonweal.services.giving.hot.batcher import QUEUE, Answer, Asked, Batcher
from commonweal.services.giving.hot.meter import Meter
from commonweal.services.giving.hot.shards import Shards
from commonweal.services.giving.hot.writer import Wish, Writer, carry_gifts
from commonweal.services.giving.payment import Callback, Ignored, Kind, Order, providers
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import control
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.rules.gifts import COLLECTED, Give, Outcome

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PREFIX = "/api/v1/giving/campaigns/"
PAYMENTS = "/api/v1/giving/payments/"
PATH = re.compile(re.escape(PREFIX) + r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/gifts")
MAX_BODY = 4_096
"""Bytes of a body that is read here."""
ROOM = "/live/giving/room/"
WRITERS = 1
"""One a process: while it waits for the disk, that of another process fills. A second one makes batches of half the
size, which cost a gift a quarter more in PostgreSQL."""


@dataclass(frozen=True)
class Hands:
    """The writers of a process: of gifts, and of payments."""

    giving: list[Writer[Wish, Taken | Refusal | None]]
    receiving: Writer[Callback, Outcome | None]
    shards: Shards

    def all(self) -> list[Writer[Any, Any]]:
        """Each of them."""
        return [*self.giving, self.receiving]


def hands() -> Hands:
    """Writers that are not open yet."""
    shards, book = Shards(), attrgetter("book")
    giving = [Writer(carry_gifts, book, shards) for _ in range(WRITERS)]
    return Hands(giving, Writer(payment_actions.take_in, book, shards), shards)


class Desk:
    """Where this process takes gifts and payments: its queues and its meter, on the loop that serves it."""

    def __init__(self, hands: Hands, queue: int = QUEUE) -> None:
        def group(asked: Wish | Callback) -> Hashable:
            return hands.shards.group(asked.book)

        self.gifts = Batcher([writer.write for writer in hands.giving], group=group, queue=queue)
        self.payments = Batcher([hands.receiving.write], group=group, queue=queue)
        self.meter = Meter(lambda: len(self.gifts) + len(self.payments))

    async def ask(self, batcher: Batcher[Asked, Answer], asked: Asked) -> Answer:
        """The answer of one of the queues, as `Batcher.ask`."""
        try:
            return await batcher.ask(asked)
        except Busy:
            self.meter.counts.busy += 1
            raise
        except Exception:
            self.meter.counts.failed += 1
            raise

    async def close(self) -> None:
        """Write what waits and stop."""
        await self.gifts.close()
        await self.payments.close()
        await self.meter.close()


_hands: Hands | None = None
_desk: Desk | None = None


def open() -> None:
    """Open the writers' sessions as the process starts, so that the first gift of a rush waits for nothing."""
    global _hands  # noqa: PLW0603
    _hands = hands()
    for writer in _hands.all():
        writer.open()


def desk() -> Desk:
    """The one of this process, made when the first request comes."""
    global _desk  # noqa: PLW0603
    if _desk is None:
        _desk = Desk(_hands or hands())
    return _desk


async def gifts(scope: Scope, receive: Receive, send: Send) -> Receive | None:
    """Answer a new gift. Otherwise the way to read the request from its beginning, for whoever answers it.

    Raises `Busy` if the queue is full or the database away.
    """
    found = PATH.fullmatch(scope["path"])
    if scope["method"] != "POST" or found is None:
        return receive
    headers: dict[bytes, bytes] = dict(scope["headers"])
    token = headers.get(b"authorization", b"").split(b" ")
    if len(token) != 2 or token[0].lower() != b"bearer" or headers.get(b"content-type") != b"application/json":
        return receive
    length = _length(scope, headers)
    if length is None:
        return receive
    read, body = await _read(receive, length)
    wish = _wish(_campaign(found[1]), headers.get(b"idempotency-key", b""), headers.get(b"device", b""), body)
    if wish is None:
        return _again(read, receive)
    begun, here = time.perf_counter(), desk()
    taken = await here.ask(here.gifts, Wish(wish, hashlib.sha256(token[1]).digest()))
    if not isinstance(taken, Taken) or taken.existed:
        here.meter.counts.passed += 1
        return _again(read, receive)
    try:
        content = await _answer(wish, taken)
    except Refusal:  # the gift is kept; what its provider says of the payment is told by the API
        return _again(read, receive)
    await _send(send, 201, content)
    here.meter.counts.took(time.perf_counter() - begun)
    return None


async def payments(scope: Scope, receive: Receive, send: Send) -> Receive | None:
    """Answer a provider's word that a gift is paid. All else that it calls back goes on to the API.

    Raises `Busy` as `gifts` does: the provider calls again.
    """
    source = providers().get(scope["path"].removeprefix(PAYMENTS))
    headers: dict[bytes, bytes] = dict(scope["headers"])
    length = _length(scope, headers)
    if scope["method"] != "POST" or source is None or length is None:
        return receive
    read, body = await _read(receive, length)
    named = CaseInsensitiveMapping({name.decode("latin1"): value.decode("latin1") for name, value in headers.items()})
    try:
        callback = source.read_callback(body, named, clock.now())
    except (Refusal, Ignored):
        return _again(read, receive)
    here = desk()
    outcome = await here.ask(here.payments, callback) if callback.kind is Kind.PAYMENT else None
    if outcome is None:
        return _again(read, receive)
    await _send(send, 200, ENCODER.encode({"outcome": outcome.value}).encode())
    return None


def poll(cursor: Cursor) -> Event | None:
    """The control room as it is now."""
    room = control.room()
    return Event(room.at.isoformat(), json.dumps(room.figures()))


feed = Feed("room", poll, interval=0.3)


async def room(scope: Scope, receive: Receive, send: Send) -> Receive | None:
    """The stream of the control room, for those whom its page has given a ticket."""
    if not actions.admits(scope["path"].removeprefix(ROOM)):
        return receive
    await feed(scope, receive, send)
    return None


routes = {PREFIX: gifts, PAYMENTS: payments, ROOM: room}


def _length(scope: Scope, headers: dict[bytes, bytes]) -> int | None:
    """The length of a body that is read here; None if it is not told, or too large, or a header stands twice."""
    told = headers.get(b"content-length", b"")
    if not told.isdigit() or len(headers) != len(scope["headers"]) or b"transfer-encoding" in headers:
        return None
    length = int(told)
    return length if length <= MAX_BODY else None


async def _read(receive: Receive, length: int) -> tuple[list[MutableMapping[str, Any]], bytes]:
    """The messages of a request until its body is there, and the body.

    The message that says that nothing follows is not waited for: it costs the server as much as the body itself.
    """
    message = await receive()
    read, body = [message], message.get("body", b"")
    while len(body) < length and message["type"] == "http.request" and message.get("more_body", False):
        message = await receive()
        read.append(message)
        body += message.get("body", b"")
    return read, body


async def _send(send: Send, status: int, content: bytes) -> None:
    headers = [JSON, (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def _wish(campaign: uuid.UUID, key: bytes, device: bytes, body: bytes) -> Give | None:
    """The wish, if the request is in the one plain form; its giver is known later, by the token."""
    try:
        said = DECODER.decode(body.decode())
        amount, code, channel = said.pop("amount"), said.pop("asset"), said.pop("channel", "simulator")
        if said or (channel != COLLECTED and channel not in providers()):
            return None
        wished = parse_amount(amount, asset_of(code))
        known = check_key(device.decode("ascii")) if device else ""
        return Give(campaign, None, wished, code, channel, check_key(key.decode("ascii")), device=known)
    except (ValueError, LookupError, AttributeError, TypeError, Refusal):
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


_campaign = functools.lru_cache(4_096)(uuid.UUID)
"""The id in a path: the busy ones are read once."""

JSON = (b"content-type", b"application/json; charset=utf-8")
DECODER = json.JSONDecoder(object_pairs_hook=_once)
ENCODER = json.JSONEncoder(ensure_ascii=False)


ANSWER = (
    '{"id": "%s", "campaign": "%s", "amount": {"amount": "%s", "asset": "%s"}, "state": "%s", "given_at": "%s", '
    '"fact": %s, "pay": %s}'
)
"""The API's `Gift`, as a pattern: an encoder takes longer to find out that nothing in it needs an escape."""


async def _answer(wish: Give, taken: Taken) -> bytes:
    amount = format_amount(wish.amount, asset_of(wish.asset), grouped=False)
    at = taken.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if taken.fact:
        standing = "paid", at, f'"{taken.fact}"', "null"
    else:
        standing = "waiting", at, "null", ENCODER.encode(await _pay(wish, taken))
    return (ANSWER % (taken.id, wish.campaign, amount, wish.asset, *standing)).encode()


async def _pay(wish: Give, taken: Taken) -> str:
    """Where to pay. A real provider is asked over the network, which must not hold up the loop."""
    provider = providers()[wish.channel]
    order = Order(wish.campaign, taken.id, wish.amount, wish.asset, taken.title)
    return (
        provider.create(order) if isinstance(provider, Simulator) else await asyncio.to_thread(provider.create, order)
    )


def _again(read: list[MutableMapping[str, Any]], receive: Receive) -> Receive:
    """A receive that begins with what was read already."""
    unread = iter(read)

    async def replay() -> MutableMapping[str, Any]:
        return next(unread, None) or await receive()

    return replay
