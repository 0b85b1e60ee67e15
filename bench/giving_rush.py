"""A rush of gifts over HTTP from many connections, counted as distinct durable rows; beside TPC-B and the usual way."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.figure import Figure, figure
from bench.ground import tpc_b
from commonweal.kernel.ledger import audit
from commonweal.kernel.postgres import Server
from commonweal.operation import outside
from commonweal.operation.outside import Run, free_port

SECONDS = 10
CONNECTIONS = 512
CAMPAIGNS = 1_000

SENDER = """
local n, paths = 0, {}
for path in io.lines("%(paths)s") do paths[#paths + 1] = path end
wrk.headers["Authorization"] = "Bearer %(token)s"
wrk.headers["Content-Type"] = "application/json"
function request()
  n = n + 1
  wrk.headers["Idempotency-Key"] = "%(run)s-" .. n
  return wrk.format("POST", paths[math.random(#paths)], nil, '%(body)s')
end
"""

PREPARING = """
import django
django.setup()
from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Login
from commonweal.services.giving.actions import campaigns
from commonweal.services.giving.tests import conftest as giving
giver, officer = (Login.objects.get(email=f"{who}@demo.example").party for who in ("giver", "charity"))
stewards = [Login.objects.get(email=f"{who}@demo.example").party for who in ("steward", "steward2")]
giving.NOW = clock.now()
with clock.stopped(giving.NOW - 60 * giving.DAY):
    charity = giving.found_charity(officer, tuple(stewards), "53100000500000099X")
with clock.stopped(giving.NOW - 40 * giving.DAY):
    for n in range(%d):
        print(campaigns.publish(officer, giving.plan(charity, filing_number=f"bench-{n}")).id)
for who in (giver, officer):
    print(people.make_token(who, "bench"))
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """What a load came to: rows a second that were there afterwards and not before, how many, and the time of 99 %."""

    each: float
    number: int
    p99: float
    """Milliseconds."""


def rush() -> list[Figure]:
    """Durable gifts/s from 512 connections: promised ones, and those that a charity has collected; into one busy
    campaign, and over 1,000. Every answer must be a 201, and the books are audited before a speed is said.

    Beside them, on the same server in the same minutes: TPC-B by pgbench, and the usual ORM design.
    """
    with tempfile.TemporaryDirectory(prefix="commonweal-bench-") as name:
        home, folder = Path(name) / "home", Path(name)
        with outside.run(home, workers=2) as platform:
            server = Server(home)
            *campaigns, giver, officer = _prepared(home)
            with psycopg.connect(server.conninfo(), autocommit=True) as session:
                for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                    assert session.execute(f"SHOW {setting}").fetchone() == ("on",), f"{setting} is off"
                before = tpc_b(server)
                rates = {
                    f"{kind} gifts, {len(into):,} campaign{'s' * (len(into) > 1)}": _gifts(
                        platform, session, folder, into, token, channel, table
                    )
                    for kind, token, channel, table in (
                        ("promised", giver, "simulator", "giving_gift"),
                        ("collected", officer, "collected", "giving_payment"),
                    )
                    for into in (campaigns[:1], campaigns)
                }
                with session.cursor() as cursor:
                    assert audit(cursor) == []
            transactions = (before + tpc_b(server)) / 2
            with _naive(server) as port, psycopg.connect(server.conninfo("naive"), autocommit=True) as session:
                body = '{"amount": "5.00", "asset": "CNY"}'
                usual = _rate(port, session, folder, ["/gifts"], "", body, "naive_gift", connections=32)
    figures = []
    for what, rate in rates.items():
        figures += [
            figure(what, rate.each, "1/s", anchor="pgbench TPC-B s10 c8", anchor_value=transactions, n=rate.number,
                   least=10_000),
            figure("the same", rate.each, "1/s", anchor="ORM, select_for_update", anchor_value=usual.each,
                   n=rate.number, least=40 * usual.each),
            figure("its p99", rate.p99, "ms", anchor="goal", anchor_value=250, n=rate.number, most=250),
        ]  # fmt: skip
    return figures


def _prepared(home: Path) -> list[str]:
    """Campaigns without a pool, and the tokens of a giver and of their charity's officer."""
    environment = outside.environment(home, DJANGO_SETTINGS_MODULE="commonweal.settings")
    command = [sys.executable, "-c", PREPARING % CAMPAIGNS]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout.split()


def _gifts(
    platform: Run, session: psycopg.Connection, folder: Path, into: list[str], token: str, channel: str, table: str
) -> Rate:
    body = f'{{"amount": "5.00", "asset": "CNY", "channel": "{channel}"}}'
    paths = [f"/api/v1/giving/campaigns/{campaign}/gifts" for campaign in into]
    return _rate(platform.port, session, folder, paths, token, body, table)


def _rate(
    port: int,
    session: psycopg.Connection,
    folder: Path,
    paths: list[str],
    token: str,
    body: str,
    table: str,
    connections: int = CONNECTIONS,
) -> Rate:
    """Load a door for some seconds, and count what is in the database afterwards."""
    script, places = folder / "send.lua", folder / "paths"
    places.write_text("\n".join(paths))
    run = f"{table}-{time.time_ns()}"
    script.write_text(SENDER % {"run": run, "token": token, "paths": places, "body": body})
    words = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", "--timeout", "30s", "-s", str(script)]
    before = _count(session, table)
    begun = time.monotonic()
    said = subprocess.run([*words, f"http://127.0.0.1:{port}"], capture_output=True, text=True, check=True).stdout
    took = time.monotonic() - begun
    print(said, file=sys.stderr)
    assert "Non-2xx" not in said, said
    number = _count(session, table) - before
    (late,) = re.findall(r"99%\s+([\d.]+)(us|ms|s)", said)
    return Rate(number / took, number, float(late[0]) * {"us": 0.001, "ms": 1, "s": 1000}[late[1]])


def _count(session: psycopg.Connection, table: str) -> int:
    (number,) = session.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)
    return int(number)


@contextmanager
def _naive(server: Server) -> Iterator[int]:
    """The usual design on the same server, with as many workers as the platform and four threads each."""
    server.create("naive")
    port = free_port()
    where = {"NAIVE_HOST": str(server.socket_directory), "NAIVE_NAME": "naive", "NAIVE_USER": "commonweal"}
    environment = os.environ | where
    root = Path(__file__).parent.parent
    subprocess.run([sys.executable, "-m", "bench.naive"], env=environment, cwd=root, check=True)
    words = ["granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "4", "--port", str(port)]
    command = [sys.executable, "-m", *words, "--no-access-log", "bench.naive:application"]
    process = subprocess.Popen(command, env=environment, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int) -> None:
    import http.client

    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/")
            connection.getresponse().read()
            return
        time.sleep(0.1)
    raise RuntimeError("the anchor does not start")
