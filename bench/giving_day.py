"""A whole giving day on one machine: gifts by a schedule, their payments, two pools, the control room, the settlement.

The day of 2021 had 68.7 million gifts; a hundredth of it is sent here. The hours are compressed, the rush at 09:00 is
not: it comes at its real rate. No source gives the curve of the hours, so `CURVE` is ours, with the two rushes that are
sourced: 09:00, when matching opens, and 21:09.
"""

from __future__ import annotations

import asyncio
import base64
import bisect
import heapq
import hmac
import http.client
import itertools
import json
import math
import multiprocessing
import os
import pickle
import random
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import uvloop

from bench.figure import Figure, figure
from bench.ground import processor
from bench.open_loop import Loop, Request, until
from commonweal.kernel.ledger import audit
from commonweal.kernel.postgres import Server
from commonweal.operation import outside

CURVE = (10, 5, 3, 2, 2, 4, 12, 25, 50, 90, 80, 65, 60, 50, 45, 45, 45, 45, 50, 60, 80, 95, 50, 25)
"""How the gifts outside of the rush are spread over the hours: ours."""
RUSH_AT = 9
AMOUNTS = ((1, 1), (100, 10), (500, 18), (666, 4), (1_000, 20), (2_000, 12), (5_000, 12), (6_666, 3), (10_000, 10),
           (20_000, 5), (50_000, 2), (100_000, 1))  # fmt: skip
"""What people give, in fen, and how often; with the spread below some 60 yuan on average (2021: 52)."""
GIFTS_OF_ONE = 7
"""Gifts of one giver, on average."""
PAYS = 4.0
"""Seconds until somebody pays, on average (exponential)."""
CONNECTIONS = 512
MOST = 1_000.0
"""Milliseconds."""
PATIENCE = 1_800.0
"""Seconds that the clerk has for what the day has left."""

PREPARING = """
import json, sys, uuid, hashlib, secrets
from datetime import datetime, timedelta
from fractions import Fraction
import django
django.setup()
from commonweal.kernel import clock
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.models import ApiToken, Login, Party, PartyKey
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import campaigns, control, matches
from commonweal.services.giving.matching import Caps, Proportional, ProRata
from commonweal.services.giving.rules.matches import Promise, even_slices
from commonweal.services.giving.tests import conftest as giving
asked = json.loads(sys.argv[1])
officer = Login.objects.get(email="charity@demo.example").party
stewards = [Login.objects.get(email=f"{who}@demo.example").party for who in ("steward", "steward2")]
giving.NOW = clock.now()
with clock.stopped(giving.NOW - 60 * giving.DAY):
    charity = giving.found_charity(officer, tuple(stewards), "53100000500000099X")
    company = people.register_organisation(Text("Bench", "测试公司"), "BENCH-0001")
with clock.stopped(giving.NOW - 40 * giving.DAY):
    made = [campaigns.publish(officer, giving.plan(charity, filing_number=f"bench-{n}", cap=100_000_000)).id
            for n in range(asked["campaigns"])]
givers = [Party(kind="person") for _ in range(asked["givers"])]
tokens = ["cw_" + secrets.token_urlsafe(32) for _ in givers]
until = giving.NOW + giving.DAY
Party.objects.bulk_create(givers, 5_000)
PartyKey.objects.bulk_create([cipher.make_key(giver.id) for giver in givers], 5_000)
ApiToken.objects.bulk_create(
    [ApiToken(party=giver, title="bench", digest=hashlib.sha256(token.encode()).digest(), expires_at=until)
     for giver, token in zip(givers, tokens)], 5_000)
begins = clock.now().replace(microsecond=0) + timedelta(seconds=asked["notice"])
rush, ends = begins + timedelta(seconds=asked["rush"]), begins + timedelta(seconds=asked["ends"])
slices = even_slices(rush, ends, asked["first"], asked["slices"])
first = Promise(company.id, (made[0],), Proportional(Fraction(1)), slices, Caps(gift=20_000, donor_day=99_900))
shared = Promise(company.id, tuple(made[1:asked["shared_by"] + 1]), ProRata(donor_most=100_000),
                 even_slices(begins, ends, asked["shared"], 1), Caps(project=asked["shared"] // 10))
pools = [(str(promise.campaigns[0]), str(matches.fund(officer, promise, "bench"))) for promise in (first, shared)]
print(json.dumps({"campaigns": [str(each) for each in made], "givers": [str(each.id) for each in givers],
                  "tokens": tokens, "begins": begins.timestamp(), "pools": pools,
                  "ticket": control.ticket(stewards[0])}))
"""

SETTLING = """
import json, sys, time, uuid
from datetime import timedelta
from pathlib import Path
import django
django.setup()
from commonweal.kernel import clock
from commonweal.kernel.parties.models import Login
from commonweal.services.giving.actions import settlements
from commonweal.services.giving.queries import pools
stewards = [Login.objects.get(email=f"{who}@demo.example").party for who in ("steward", "steward2")]
for book, pool in json.loads(sys.argv[1]):
    book, pool, begun = uuid.UUID(book), uuid.UUID(pool), time.monotonic()
    with clock.stopped(pools.one(book, pool).rules.due + timedelta(minutes=1)):
        digest = settlements.propose(book, pool)
        for steward in stewards:
            settlements.judge(steward, book, pool, digest, approves=True)
        paid = settlements.pay(book, pool)
        path = Path(sys.argv[2]) / f"{pool}.json"
        path.write_bytes(pools.published(pools.one(book, pool)))
    print(json.dumps({"file": str(path), "paid": paid, "seconds": time.monotonic() - begun}))
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """A day: `gifts` in all, `rush` a second of them for `minute` seconds at 09:00, the others within `seconds`."""

    gifts: int
    seconds: int
    rush: int
    minute: int
    campaigns: int

    @property
    def givers(self) -> int:
        """People who give."""
        return max(1, self.gifts // GIFTS_OF_ONE)

    @property
    def rushes(self) -> float:
        """When the rush begins, in seconds from the beginning."""
        return self.seconds * RUSH_AT / 24

    @property
    def ends(self) -> float:
        """When the day ends."""
        return float(self.seconds + self.minute)

    def schedule(self, chance: random.Random) -> array[float]:
        """When each gift leaves, in seconds from the beginning: within each part of the day by chance."""
        in_rush, hour = self.rush * self.minute, self.seconds / 24
        rest = self.gifts - in_rush
        due = [self.rushes + self.minute * chance.random() for _ in range(in_rush)]
        hours = chance.choices(range(24), CURVE, k=rest)
        due += [(n + chance.random()) * hour + self.minute * (n >= RUSH_AT) for n in hours]
        return array("d", sorted(due))


@dataclass
class Sent:
    """What came of the gifts: of each its campaign, giver, amount, id, and the moments of schedule and answer."""

    campaign: array[int] = field(default_factory=lambda: array("i"))
    giver: array[int] = field(default_factory=lambda: array("i"))
    amount: array[int] = field(default_factory=lambda: array("q"))
    due: array[float] = field(default_factory=lambda: array("d"))
    took: array[float] = field(default_factory=lambda: array("d"))
    ids: list[str] = field(default_factory=list)
    paid: array[float] = field(default_factory=lambda: array("d"))
    """Seconds from the moment at which a payment was to be reported until it was known."""
    statuses: dict[int, int] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)
    """Answers that should not be."""
    broken: int = 0
    unexplained: int = 0
    processor: float = 0.0


def day(plan: Plan) -> list[Figure]:
    """Carry the day, check everything that it has left behind, and only then say how fast it was."""
    with tempfile.TemporaryDirectory(prefix="commonweal-bench-") as name:
        folder, home = Path(name), Path(name) / "home"
        with outside.run(home, workers=2) as platform, psycopg.connect(Server(home).conninfo(), autocommit=True) as db:
            world = _prepared(home, plan)
            before = _counted(db)
            sending = multiprocessing.get_context("fork").Process(
                target=_send, args=[plan, world, platform.port, home, folder / "sent"]
            )
            sending.start()
            with _watching(platform.port, world["ticket"]) as seen, _weighing(plan, world, home) as spent:
                sending.join()
            assert sending.exitcode == 0, "the sender has failed"
            with (folder / "sent").open("rb") as file:
                sent: Sent = pickle.load(file)
            _check_answers(plan, sent)
            _check_rows(db, world, sent)
            idle = _until_idle(db, before)
            _check_counters(db, world, sent, before)
            settled = _settle(home, world, folder)
            _check_pools(db, world, settled)
            with db.cursor() as cursor:
                assert audit(cursor) == []
            behind = _behind(db, world, seen)
    rush = range(*(bisect.bisect_left(sent.due, world["begins"] + plan.rushes + after) for after in (0, plan.minute)))
    cost = {kind: round(1e6 * seconds / max(1, len(rush))) for kind, seconds in spent.items()}
    print(f"answers {sent.statuses}, connections broken {sent.broken}, sender {sent.processor:.0f} s", file=sys.stderr)
    print(f"processor in the rush, microseconds a gift with its payment: {cost}", file=sys.stderr)
    whole = range(plan.gifts)
    return [
        _number("gifts of the day, each a row", len(sent.ids), "", "2021, 1:100", 687_000, plan.gifts),
        figure("acknowledged in the rush", _rate(sent, rush), "1/s", anchor="offered", anchor_value=plan.rush,
               n=len(rush), least=0.95 * plan.rush),
        _late("a gift, median in the rush", sent.took, rush, 0.5),
        _late("a gift, p99 in the rush", sent.took, rush, 0.99),
        _late("a gift, p99 of the day", sent.took, whole, 0.99),
        _late("a payment, p99 of the day", sent.paid, whole, 0.99),
        _number("answers 503 with Retry-After", sent.statuses.get(503, 0), "", "requests", 2 * plan.gifts, plan.gifts),
        _late("the control room is behind, p99", behind, range(len(behind)), 0.99),
        _number("numbered, laid and counted after the end", idle, "s", "the day, s", plan.ends, plan.gifts),
        *(
            _number(f"matches of the {kind} pool, equal to their recomputation", each["paid"], "", "seconds to settle",
                    each["seconds"], each["paid"])
            for kind, each in zip(("first-come", "shared"), settled, strict=True)
        ),
    ]  # fmt: skip


def _number(name: str, value: float, unit: str, anchor: str, anchor_value: float, n: int) -> Figure:
    return figure(name, value, unit, anchor=anchor, anchor_value=anchor_value, n=n)


def _late(name: str, times: Sequence[float], numbers: range, share: float) -> Figure:
    """A quantile of times, in milliseconds: a second is the most."""
    ordered = sorted(times[n] for n in numbers)
    value = 1_000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))]
    return figure(name, value, "ms", anchor="goal", anchor_value=MOST, n=len(ordered), most=MOST)


def _prepared(home: Path, plan: Plan) -> dict[str, Any]:
    """Campaigns, givers with their tokens, pools that open at their time, and the ticket of the control room."""
    asked = {
        "campaigns": plan.campaigns,
        "givers": plan.givers,
        "notice": 5,
        "rush": plan.rushes,
        "ends": plan.ends,
        "shared_by": max(1, plan.campaigns // 20),
        "slices": max(1, min(12, int(plan.ends - plan.rushes) // 2)),
        "first": plan.gifts * 150,
        "shared": plan.gifts * 400,
    }
    (line,) = _asked(home, PREPARING, json.dumps(asked))
    found: dict[str, Any] = json.loads(line)
    return found


def _asked(home: Path, script: str, *words: str) -> list[str]:
    environment = outside.environment(home, DJANGO_SETTINGS_MODULE="commonweal.settings")
    command = [sys.executable, "-c", script, *words]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


def _send(plan: Plan, world: dict[str, Any], port: int, home: Path, into: Path) -> None:
    """A process of its own: everybody who gives, and the provider that calls back. It shares the processor with the
    platform, so it is as light as can be."""
    sent = uvloop.run(_Crowd(plan, world, port, home).go())
    sent.processor = time.process_time()
    with into.open("wb") as file:
        pickle.dump(sent, file)


class _Crowd:
    """All gifts by their schedule, and each payment some seconds after its gift."""

    def __init__(self, plan: Plan, world: dict[str, Any], port: int, home: Path) -> None:
        self._chance = chance = random.Random(20210907)
        self._campaigns: list[str] = world["campaigns"]
        self._heads = [_head(token) for token in world["tokens"]]
        self._key = (home / "keys" / "simulator.key").read_bytes()
        self._begins = world["begins"]
        self._loop = Loop(port, CONNECTIONS)
        self._payments: list[tuple[float, int]] = []
        self._left = 2 * plan.gifts
        number = plan.gifts
        fame = list(itertools.accumulate(1 / rank for rank in range(1, plan.campaigns + 1)))
        fens, weights = zip(*AMOUNTS, strict=True)
        self.sent = Sent(
            campaign=array("i", chance.choices(range(plan.campaigns), cum_weights=fame, k=number)),
            giver=array("i", chance.choices(range(plan.givers), k=number)),
            amount=array("q", [_spread(fen, chance) for fen in chance.choices(fens, weights, k=number)]),
            due=array("d", [self._begins + at for at in plan.schedule(chance)]),
            took=array("d", bytes(8 * number)),
            ids=[""] * number,
            paid=array("d", bytes(8 * number)),
        )

    async def go(self) -> Sent:
        """Until the last payment is known."""
        await self._loop.open()
        await until(self._begins)
        gift, due = 0, self.sent.due
        while self._left:
            now = time.time()
            while gift < len(due) and due[gift] <= now:
                self._loop.send(Request(due[gift], self._give(gift), self._given(gift)))
                gift += 1
            while self._payments and self._payments[0][0] <= now:
                at, number = heapq.heappop(self._payments)
                self._loop.send(Request(at, self._pay(number, now), self._paid(number)))
            await asyncio.sleep(0.002)
        self._loop.close()
        self.sent.statuses = dict(self._loop.statuses)
        self.sent.broken, self.sent.unexplained = self._loop.broken, self._loop.unexplained
        return self.sent

    def _give(self, number: int) -> bytes:
        campaign, amount = self._campaigns[self.sent.campaign[number]], self.sent.amount[number]
        body = b'{"amount": "%d.%02d", "asset": "CNY", "channel": "simulator"}' % divmod(amount, 100)
        head = b"POST /api/v1/giving/campaigns/%s/gifts HTTP/1.1\r\n%s" % (
            campaign.encode(),
            self._heads[self.sent.giver[number]],
        )
        return b"%sIdempotency-Key: day-%d\r\nContent-Length: %d\r\n\r\n%s" % (head, number, len(body), body)

    def _given(self, number: int) -> Callable[[Request, int, bytes], None]:
        def hear(request: Request, status: int, body: bytes) -> None:
            now = time.time()
            self._left -= 1
            self.sent.took[number] = now - request.due
            if status != 201:
                self._left -= 1
                self.sent.strange.append(f"{status} {body[:300]!r}")
                return
            self.sent.ids[number] = body[8:44].decode() if body.startswith(b'{"id": "') else json.loads(body)["id"]
            heapq.heappush(self._payments, (now + self._chance.expovariate(1 / PAYS), number))

        return hear

    def _pay(self, number: int, now: float) -> bytes:
        """A signed callback, as the simulator sends it."""
        campaign, gift = self._campaigns[self.sent.campaign[number]], self.sent.ids[number]
        body = (
            f'{{"book": "{campaign}", "gift": "{gift}", "amount": {self.sent.amount[number]}, "asset": "CNY", '
            f'"reference": "day-{number}"}}'
        ).encode()
        moment, nonce = int(now), secrets.token_hex(16)
        signature = hmac.digest(self._key, b"%d\n%s\n%s\n" % (moment, nonce.encode(), body), "sha256")
        return (
            b"POST /api/v1/giving/payments/simulator HTTP/1.1\r\nHost: day\r\nContent-Type: application/json\r\n"
            b"Simulator-Timestamp: %d\r\nSimulator-Nonce: %s\r\nSimulator-Signature: %s\r\nContent-Length: %d\r\n\r\n%s"
            % (moment, nonce.encode(), base64.b64encode(signature), len(body), body)
        )

    def _paid(self, number: int) -> Callable[[Request, int, bytes], None]:
        def hear(request: Request, status: int, body: bytes) -> None:
            self._left -= 1
            now = time.time()
            self.sent.paid[number] = now - request.due
            # A word that got lost and was sent again is known already.
            if (status, json.loads(body).get("outcome")) not in ((200, "paid"), (200, "known")):
                self.sent.strange.append(f"{status} {body[:300]!r}")

        return hear


def _spread(fen: int, chance: random.Random) -> int:
    """Three of ten do not give a round amount."""
    return fen if chance.random() < 0.7 else max(1, round(fen * math.exp(chance.gauss(0, 0.4))))


def _head(token: str) -> bytes:
    return f"Host: day\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n".encode()


@contextmanager
def _watching(port: int, ticket: str) -> Iterator[list[tuple[float, int]]]:
    """Read the control room's stream as a browser does: when an event came, and how many gifts it counts."""
    seen: list[tuple[float, int]] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                connection.request("GET", f"/live/giving/room/{ticket}")
                answer = connection.getresponse()
                while not over.is_set() and (line := answer.readline()):
                    if line.startswith(b"data: "):
                        said = json.loads(line[6:])
                        seen.append((time.time(), int(said["gifts-CNY"].replace(",", ""))))
            except (OSError, http.client.HTTPException):
                time.sleep(0.2)
            finally:
                connection.close()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield seen
        time.sleep(2)  # what came last is shown, too
    finally:
        over.set()
        reader.join(31)


@contextmanager
def _weighing(plan: Plan, world: dict[str, Any], home: Path) -> Iterator[dict[str, float]]:
    """Processor seconds of each kind of process within the rush."""
    spent: dict[str, float] = {}

    def weigh() -> None:
        time.sleep(max(0.0, world["begins"] + plan.rushes - time.time()))
        before = processor(home)
        time.sleep(plan.minute)
        spent.update({kind: seconds - before.get(kind, 0.0) for kind, seconds in processor(home).items()})

    weigher = threading.Thread(target=weigh, daemon=True)
    weigher.start()
    yield spent
    weigher.join()


def _check_answers(plan: Plan, sent: Sent) -> None:
    """No answer but 201 and 200, and 503 that says when to come again."""
    assert not sent.strange, sent.strange[:10]
    assert set(sent.statuses) <= {200, 201, 503}, sent.statuses
    assert sent.unexplained == 0
    assert all(sent.ids)
    assert len(set(sent.ids)) == plan.gifts


def _check_rows(db: psycopg.Connection, world: dict[str, Any], sent: Sent) -> None:
    """Every acknowledged gift is one row as it was asked for, paid once, and there is no other."""
    campaigns, givers = world["campaigns"], world["givers"]
    with db.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE sent (id uuid, book uuid, giver uuid, amount bigint)")
        with cursor.copy("COPY sent FROM STDIN") as copy:
            for id, campaign, giver, amount in zip(sent.ids, sent.campaign, sent.giver, sent.amount, strict=True):
                copy.write_row((id, campaigns[campaign], givers[giver], amount))
        cursor.execute("ANALYZE sent")
    rows = db.execute(
        """
        SELECT count(*), count(g.id), count(p.gift), sum(s.amount)::bigint FROM sent s
        LEFT JOIN giving_gift g ON g.book = s.book AND g.id = s.id AND g.giver = s.giver AND g.amount = s.amount
        LEFT JOIN giving_payment p ON p.book = g.book AND p.gift = g.id AND p.amount = s.amount
        """
    ).fetchone()
    assert rows == (len(sent.ids), len(sent.ids), len(sent.ids), sum(sent.amount)), rows
    there = db.execute("SELECT count(*) FROM giving_gift WHERE book = ANY(%s::uuid[])", [campaigns]).fetchone()
    assert there == (len(sent.ids),), there


COUNTED = "SELECT size, gifts, amount FROM giving_counter WHERE asset = 'CNY' ORDER BY size DESC LIMIT 1"


def _counted(db: psycopg.Connection) -> tuple[int, int, int]:
    """The public counter once it has come to the newest checkpoint."""
    _wait(lambda: _is_idle(db))
    found = db.execute(COUNTED).fetchone()
    assert found is not None
    return int(found[0]), int(found[1]), int(found[2])


def _is_idle(db: psycopg.Connection) -> bool:
    """Whether every fact has its number, every payment its place, and the counter knows the newest checkpoint."""
    found = db.execute(
        """
        SELECT NOT EXISTS (SELECT FROM proof_staged) AND NOT EXISTS (SELECT FROM giving_payment WHERE start IS NULL)
           AND (SELECT max(size) FROM proof_head) = (SELECT max(size) FROM giving_counter)
        """
    ).fetchone()
    return found is not None and bool(found[0])


def _until_idle(db: psycopg.Connection, before: tuple[int, int, int]) -> float:
    """Seconds until the clerk has done what the day has left."""
    begun = time.monotonic()
    _wait(lambda: _is_idle(db))
    assert _counted(db)[0] > before[0]
    return time.monotonic() - begun


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, "the clerk does not come to an end"
        time.sleep(0.2)


def _check_counters(db: psycopg.Connection, world: dict[str, Any], sent: Sent, before: tuple[int, int, int]) -> None:
    """What the public counter has gained is what the day gave: by the log, by the rows, and by the kept balances."""
    size, gifts, amount = _counted(db)
    gained = gifts - before[1], amount - before[2]
    assert gained == (len(sent.ids), sum(sent.amount)), gained
    assert db.execute("SELECT count(*) FROM proof_head WHERE size = %s", [size]).fetchone() == (1,)
    logged = db.execute(
        """
        SELECT count(*), sum((said->>'amount')::bigint)::bigint
        FROM (SELECT convert_from(entry, 'UTF8')::jsonb AS said FROM proof_leaf WHERE seq < %s) leaf
        WHERE said->>'kind' = 'giving.gift' AND said->>'asset' = 'CNY'
        """,
        [size],
    ).fetchone()
    assert logged == (gifts, amount), logged
    kept = db.execute(
        """
        SELECT sum(b.posted)::bigint FROM ledger_account a
        JOIN ledger_balance b ON b.book = a.book AND b.account = a.id
        WHERE a.book = ANY(%s::uuid[]) AND a.name = 'provider:simulator'
        """,
        [world["campaigns"]],
    ).fetchone()
    assert kept == (sum(sent.amount),), kept


def _settle(home: Path, world: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """Let both pools be settled when their review is over, and recompute them from their published files alone."""
    settled = [json.loads(line) for line in _asked(home, SETTLING, json.dumps(world["pools"]), str(folder))]
    for each in settled:
        command = [sys.executable, "-m", "commonweal.cli", "giving", "recompute", each["file"]]
        said = subprocess.run(
            command, env=os.environ | {"DATABASE_URL": ""}, capture_output=True, text=True, check=False
        )
        verdict = json.loads(said.stdout)
        assert said.returncode == 0, verdict
        assert verdict["equal"], verdict
    return settled


POOL = """
WITH moved AS (
    SELECT t.at, t.id, CASE WHEN t.phase = 'pending' THEN greatest(p.amount, 0) ELSE p.amount END AS amount
    FROM ledger_posting p JOIN ledger_transfer t ON t.book = p.book AND t.id = p.transfer
    WHERE p.book = %(book)s AND p.account = %(account)s
    UNION ALL
    SELECT r.at, r.id, -greatest(p.amount, 0)
    FROM ledger_transfer r JOIN ledger_posting p ON p.book = r.book AND p.transfer = r.resolves
    WHERE r.book = %(book)s AND p.account = %(account)s
)
SELECT min(-sum) FROM (SELECT sum(amount) OVER (ORDER BY at, id) AS sum FROM moved) run
"""
"""The least that was ever free in a pool, by the postings."""


def _check_pools(db: psycopg.Connection, world: dict[str, Any], settled: list[dict[str, Any]]) -> None:
    """Every match in the books is the one of the file; no pool was below zero after any of its movements."""
    for (book, pool), each in zip(world["pools"], settled, strict=True):
        said = json.loads(Path(each["file"]).read_bytes())
        stated = {match["gift"]: match["amount"] for match in said["matches"]} if "matches" in said else {}
        rows = db.execute(
            "SELECT gift::text, amount FROM giving_match WHERE pool_book = %s AND pool = %s", [book, pool]
        ).fetchall()
        paid = {gift: f"{amount // 100}.{amount % 100:02}" for gift, amount in rows}
        assert paid == stated, f"{len(paid)} matches are paid, {len(stated)} stated"
        assert len(paid) == each["paid"] > 0
        found = db.execute(
            "SELECT id FROM ledger_account WHERE book = %s AND name = %s", [book, f"pool:{pool}"]
        ).fetchone()
        assert found is not None
        least = db.execute(POOL, {"book": book, "account": found[0]}).fetchone()
        assert least is not None
        assert least[0] >= 0, least


def _behind(db: psycopg.Connection, world: dict[str, Any], seen: list[tuple[float, int]]) -> list[float]:
    """Of each payment: seconds from the moment that its batch was begun, which is before it was committed, until the
    control room counted it."""
    rows = db.execute(
        "SELECT at FROM giving_payment WHERE book = ANY(%s::uuid[]) AND reference LIKE 'day-%%' ORDER BY at",
        [world["campaigns"]],
    ).fetchall()
    base, event, behind = seen[0][1], 0, []
    for number, (at,) in enumerate(rows, 1):
        while event < len(seen) and seen[event][1] - base < number:
            event += 1
        assert event < len(seen), f"the control room has not shown {len(rows) - number + 1} gifts"
        behind.append(seen[event][0] - at.timestamp())
    return behind


def _rate(sent: Sent, numbers: range) -> float:
    """Gifts a second that were answered, from the first due moment to the last answer."""
    ends = max((sent.due[n] + sent.took[n] for n in numbers), default=0.0)
    return len(numbers) / (ends - sent.due[numbers.start]) if len(numbers) else 0.0
