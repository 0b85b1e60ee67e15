"""The raw route of payments: many at once are each taken in once, and what is not plain gets the word of the API."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.ledger import audit
from commonweal.kernel.proof.note import encode
from commonweal.kernel.proof.verify import seal
from commonweal.services.giving import live
from commonweal.services.giving.actions import gifts
from commonweal.services.giving.actions.openings import opening
from commonweal.services.giving.payment import Order, providers
from commonweal.services.giving.payment.simulator import SIGNATURE, Simulator
from commonweal.services.giving.rules.gifts import PAY_WITHIN, Give
from commonweal.services.giving.tests import conftest as giving

Call = tuple[bytes, dict[str, str]]
PATH = "/api/v1/giving/payments/simulator"


@pytest.fixture
def world(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[giving.World]:
    """The world at the present moment: threads read the real clock."""
    monkeypatch.setattr(giving, "NOW", clock.now())
    yield giving.make_world()
    connection.close()


@pytest.fixture
def simulator() -> Simulator:
    found = providers()["simulator"]
    assert isinstance(found, Simulator)
    return found


def promised(world: giving.World, number: int) -> list[Order]:
    made = [
        gifts.give(Give(world.campaign.id, world.giver.id, 100 + n, "CNY", "simulator", f"k{n}")) for n in range(number)
    ]
    return [Order(world.campaign.id, taken.id, 100 + n, "CNY", world.campaign.title) for n, taken in enumerate(made)]


def answers(calls: list[Call]) -> list[tuple[int, Any]]:
    """To calls that come at the same time: by the raw route, and by the API what it leaves."""

    async def ask(body: bytes, named: dict[str, str]) -> tuple[int, Any]:
        headers = [(name.lower().encode(), value.encode()) for name, value in named.items()]
        headers.append((b"content-length", str(len(body)).encode()))
        scope = {"type": "http", "method": "POST", "path": PATH, "headers": headers}
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        if await live.payments(scope, receive, send) is None:
            return sent[0]["status"], json.loads(sent[1]["body"])
        return await asyncio.to_thread(ordinary, body, named)

    async def run() -> list[tuple[int, Any]]:
        hands = live.hands()
        live._desk = live.Desk(hands)
        try:
            return await asyncio.gather(*(ask(*call) for call in calls))
        finally:
            await live._desk.close()
            live._desk = None
            for hand in hands.all():
                hand.close()

    return asyncio.run(run())


def ordinary(body: bytes, named: dict[str, str]) -> tuple[int, Any]:
    answer = Client().post(PATH, body, content_type="application/json", headers=named)
    connection.close()
    return answer.status_code, answer.json()


def test_many_payments_at_once_are_each_taken_in_once(
    world: giving.World, simulator: Simulator, session: psycopg.Connection
) -> None:
    now, orders = clock.now(), promised(world, 60)
    calls = [simulator.report(order, now) for order in orders]
    again = [simulator.report(order, now) for order in orders[:20]]  # another nonce for the same payment
    other = [simulator.report(orders[0], now, gift=str(uuid.uuid4()))]
    found = answers([*calls, *calls[:20], *again, *other])
    assert {status for status, _ in found} == {200}
    said = [answer["outcome"] for _, answer in found]
    assert said.count("paid") == 60
    assert said.count("known") == 40
    assert said[-1] == "unknown"
    rows = session.execute(
        "SELECT p.gift, p.amount, s.entry FROM giving_payment p JOIN proof_staged s ON s.id = p.fact"
    ).fetchall()
    assert {gift: amount for gift, amount, _ in rows} == {order.gift: order.amount for order in orders}
    for _, _, entry in rows:
        leaf = json.loads(entry)
        salt = opening(world.giver.id, uuid.UUID(leaf["id"]))
        assert leaf["seal"] == encode(seal(*salt))
    with session.cursor() as cursor:
        assert audit(cursor) == []
    assert session.execute("SELECT count(*) FROM ledger_open").fetchone() == (0,)


def test_a_wrong_amount_in_the_batch_freezes_that_gift_alone(
    world: giving.World, simulator: Simulator, session: psycopg.Connection
) -> None:
    now, orders = clock.now(), promised(world, 10)
    calls = [simulator.report(order, now, **({"amount": 1} if n == 3 else {})) for n, order in enumerate(orders)]
    said = [answer["outcome"] for _, answer in answers(calls)]
    assert said == ["paid"] * 3 + ["differs"] + ["paid"] * 6
    assert session.execute("SELECT count(*) FROM giving_payment").fetchone() == (9,)


def test_what_is_late_is_received_by_a_transfer_of_its_own(
    world: giving.World, simulator: Simulator, session: psycopg.Connection
) -> None:
    with clock.stopped(clock.now() - PAY_WITHIN - timedelta(minutes=1)):
        late = promised(world, 3)
    calls = [simulator.report(order, clock.now()) for order in late]
    assert [answer["outcome"] for _, answer in answers(calls)] == ["paid"] * 3
    found = session.execute("SELECT kind, phase, count(*) FROM ledger_transfer GROUP BY 1, 2").fetchall()
    assert set(found) == {("giving.gift", "pending", 3), ("void", "void", 3), ("giving.gift", "posted", 3)}
    assert {outcome for (outcome,) in session.execute("SELECT outcome FROM giving_callback")} == {"paid"}


def test_a_bad_signature_and_a_refund_go_on_to_the_api(world: giving.World, simulator: Simulator) -> None:
    (order,) = promised(world, 1)
    body, headers = simulator.report(order, clock.now())
    spoiled = body, headers | {SIGNATURE: "AAAA"}
    charged_back = simulator.report_chargeback(order, clock.now())
    (refused, unknown) = answers([spoiled, charged_back])
    assert refused == ordinary(*spoiled)
    assert refused[0] == 401
    assert unknown == (200, {"outcome": "unknown"})  # it was never paid
