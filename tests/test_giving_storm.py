"""A storm over HTTP: two hundred connections, two web processes, few keys, and on each key several bodies.

Nothing is replaced: the server is the platform's own, and what is counted is what its database has kept.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from commonweal.kernel import clock
from commonweal.kernel.ledger import audit
from commonweal.kernel.parties import people
from commonweal.operation.outside import environment, free_port
from commonweal.services.giving.tests import conftest as giving

ROOT = Path(__file__).parent.parent
CONNECTIONS = 200
WORKERS = 2
KEYS = 4
AMOUNTS = tuple(range(500, 507))
"""In fen: as many bodies on each key."""
SEED = 20260909
PATIENCE = 120.0
"""Seconds, on a machine at its limit."""

Said = tuple[str, int, int, bytes]
"""Key, amount asked, status and body."""


@pytest.fixture
def world(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> giving.World:
    """The world at the present moment: the server reads the real clock."""
    monkeypatch.setattr(giving, "NOW", clock.now())
    return giving.make_world()


@pytest.fixture
def port(world: giving.World, fresh_database: str, tmp_path: Path) -> Iterator[int]:
    """Where the platform's web server answers, in several processes, on the test's database."""
    found, where = free_port(), {name: str(value) for name, value in conninfo_to_dict(fresh_database).items()}
    url = f"postgresql://{quote(where['user'])}@/{where['dbname']}?host={quote(where['host'], safe='')}"
    words = ["commonweal.operation.web", "--host", "127.0.0.1", "--port", str(found), "--workers", str(WORKERS)]
    home = tmp_path / "home"
    with (tmp_path / "printed").open("wb") as printed:
        server = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env=environment(home, DATABASE_URL=url, DJANGO_SETTINGS_MODULE="commonweal.settings"),
            stdout=printed,
            stderr=printed,
        )
    try:
        asyncio.run(until_open(found, server))
        yield found
    finally:
        server.terminate()
        server.wait(PATIENCE)


async def until_open(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server takes connections."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the web server does not open")


async def post(port: int, path: str, token: str, asked: list[tuple[str, int]], gate: asyncio.Barrier) -> list[Said]:
    """What one connection hears: it opens, waits for all others, and asks one thing after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said: list[Said] = []
    await gate.wait()
    for key, amount in asked:
        body = json.dumps({"amount": f"{amount // 100}.{amount % 100:02}", "asset": "CNY"}).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        status = 503
        while status == 503:  # busy: it says so, nothing was refused, and the same is asked again
            writer.write(head.encode() + body)
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            status = int(answer[9:12])
            length = int(answer.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            content = await reader.readexactly(length)
        said.append((key, amount, status, content))
    writer.close()
    return said


async def storm(port: int, path: str, token: str, keys: list[str]) -> list[Said]:
    chance, gate = random.Random(SEED), asyncio.Barrier(CONNECTIONS)
    plans = []
    for _ in range(CONNECTIONS):
        asked = [(key, chance.choice(AMOUNTS)) for key in keys]
        chance.shuffle(asked)
        plans.append(asked)
    found = await asyncio.gather(*(post(port, path, token, asked, gate) for asked in plans))
    return [each for said in found for each in said]


def hot(session: psycopg.Connection) -> int:
    """How many gifts the raw routes have answered, once their processes have told it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        (taken,) = session.execute("SELECT coalesce(sum(taken), 0)::int FROM giving_meter").fetchone() or (0,)
        if taken >= KEYS or time.monotonic() > deadline:
            return int(taken)
        time.sleep(0.05)


@pytest.mark.slow
def test_a_storm_of_two_hundred_connections_is_one_gift_a_key(
    world: giving.World, port: int, session: psycopg.Connection
) -> None:
    token, keys = people.make_token(world.giver, "storm"), [f"storm-{n}" for n in range(KEYS)]
    said = asyncio.run(storm(port, f"/api/v1/giving/campaigns/{world.campaign.id}/gifts", token, keys))

    rows: dict[uuid.UUID, int] = dict(session.execute("SELECT id, amount FROM giving_gift").fetchall())
    answers: dict[str, set[bytes]] = defaultdict(set)
    taken: dict[str, set[int]] = defaultdict(set)
    for key, amount, status, body in said:
        if status == 201:
            answers[key].add(body)
            taken[key].add(amount)
    gifts: dict[str, dict[str, Any]] = {key: json.loads(min(bodies)) for key, bodies in answers.items()}

    assert len(said) == CONNECTIONS * KEYS
    assert {status for _, _, status, _ in said} == {201, 409}
    assert [len(answers[key]) for key in keys] == [1] * KEYS, "one body is stored for a key, and told to all who ask"
    assert [len(taken[key]) for key in keys] == [1] * KEYS, "and it is the answer to one body alone"
    assert {uuid.UUID(gifts[key]["id"]): taken[key] for key in keys} == {id: {amount} for id, amount in rows.items()}
    for key, amount, status, body in said:
        if amount not in taken[key]:
            assert (status, json.loads(body)["code"]) == (409, "key.reused")
        else:
            assert status == 201
    assert hot(session) == KEYS, "each was taken by the raw route, and only the repetitions went on to the API"
    counts = session.execute("SELECT count(*), count(DISTINCT key) FROM ledger_transfer").fetchone()
    assert counts == (KEYS, KEYS)
    with session.cursor() as cursor:
        assert audit(cursor) == []
