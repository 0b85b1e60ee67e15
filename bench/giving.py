"""Giving over HTTP beside the usual ORM design (`gifts`), and into the books beside TPC-B (`ledger`); what can be
asked of many gifts and campaigns (`trace`, `search`, `export`)."""

from __future__ import annotations

import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from bench.figure import Figure, figure
from bench.ground import server, tpc_b
from commonweal.kernel.ids import uuid7
from commonweal.kernel.ledger import (
    Account,
    Leg,
    Transfer,
    audit,
    balance,
    open_accounts,
    open_assets,
    post,
    request_hash,
    stripe,
)
from commonweal.kernel.postgres import Server
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.quantity import CNY
from commonweal.operation import outside
from commonweal.operation.outside import Run, free_port

AT = datetime(2026, 9, 9, 1, tzinfo=UTC)
BOOK_SECONDS = 6.0
WRITERS = 2
SECONDS = 8
CONNECTIONS = 32
LEAST = 700
BUSY = "SELECT id FROM giving_campaign WHERE title_en LIKE 'A music teacher%'"

SENDER = """
local threads = 0
function setup(thread) thread:set("id", threads) threads = threads + 1 end
function init() n = 0 end
function request()
  n = n + 1
  wrk.headers["Idempotency-Key"] = "%(run)s-" .. id .. "-" .. n
  wrk.headers["Authorization"] = "Bearer %(token)s"
  wrk.headers["Content-Type"] = "application/json"
  return wrk.format("POST", "%(path)s", nil, '%(body)s')
end
"""


def gifts() -> list[Figure]:
    """Durable gifts/s into one busy campaign, counted as distinct rows after the run: what is collected (books, payment
    and proof in one transaction), and what waits for its payment. Every answer must be a 201."""
    with tempfile.TemporaryDirectory(prefix="commonweal-bench-") as name:
        home = Path(name) / "home"
        with outside.run(home, workers=2) as platform:
            server = Server(home)
            with psycopg.connect(server.conninfo(), autocommit=True) as session:
                for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                    assert session.execute(f"SHOW {setting}").fetchone() == ("on",), f"{setting} is off"
                (campaign,) = session.execute(BUSY).fetchone() or (None,)
                giver, officer = (_token(home, who) for who in ("giver@demo.example", "charity@demo.example"))
                path = f"/api/v1/giving/campaigns/{campaign}/gifts"
                while session.execute("SELECT FROM jobs_job WHERE task <> 'giving.lay' LIMIT 1").fetchone():
                    time.sleep(0.5)  # until the clerk has done what the seeding left to do
                collected = _gifts(platform, session, name, path, officer, "collected", "giving_payment")
                waiting = _gifts(platform, session, name, path, giver, "simulator", "giving_gift")
            with _naive(server) as port, psycopg.connect(server.conninfo("naive"), autocommit=True) as session:
                body = '{"amount": "5.00", "asset": "CNY"}'
                usual = _rate(port, session, name, "/gifts", "", body, "naive_gift")
    anchor = "ORM, select_for_update on the campaign"
    return [
        figure("collected gifts over HTTP", *collected[:1], "1/s", anchor=anchor, anchor_value=usual[0], n=collected[1],
               least=LEAST),
        figure("promised gifts over HTTP", *waiting[:1], "1/s", anchor=anchor, anchor_value=usual[0], n=waiting[1],
               least=LEAST),
    ]  # fmt: skip


def _gifts(
    platform: Run, session: psycopg.Connection, folder: str, path: str, token: str, channel: str, table: str
) -> tuple[float, int]:
    body = f'{{"amount": "5.00", "asset": "CNY", "channel": "{channel}"}}'
    return _rate(platform.port, session, folder, path, token, body, table)


def _rate(
    port: int, session: psycopg.Connection, folder: str, path: str, token: str, body: str, table: str
) -> tuple[float, int]:
    """Rows a second that were there afterwards and not before, and how many."""
    script = Path(folder) / "send.lua"
    script.write_text(SENDER % {"run": f"{table}-{time.time_ns()}", "token": token, "path": path, "body": body})
    words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--timeout", "30s", "-s", str(script)]
    before = _count(session, table)
    begun = time.monotonic()
    said = subprocess.run([*words, f"http://127.0.0.1:{port}"], capture_output=True, text=True, check=True).stdout
    took = time.monotonic() - begun
    print(said, file=sys.stderr)
    assert "Non-2xx" not in said, said
    number = _count(session, table) - before
    return number / took, number


def _count(session: psycopg.Connection, table: str) -> int:
    (number,) = session.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)
    return int(number)


def _token(home: Path, email: str) -> str:
    """A token of somebody, made by a process of its own."""
    program = f"""
import django
django.setup()
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Login
print(people.make_token(Login.objects.get(email="{email}").party, "bench"))
"""
    environment = outside.environment(home, DJANGO_SETTINGS_MODULE="commonweal.settings")
    made = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return made.stdout.strip()


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


def ledger() -> list[Figure]:
    """Durable gifts/s into the books at batches of 1,000 by two writers: into one busy campaign, then over 1,000.

    A gift is a transfer with two postings, the balances that follow, and its fact for the log, in one transaction a
    batch. The books are audited and the facts counted before a speed is said. On a machine that others use, too, the
    processor's time a gift says more than the wall's: 66 microseconds are 30,000 gifts/s on two cores.
    """
    with server() as started:
        anchor = tpc_b(started)
        return [one for campaigns in (1, 1_000) for one in _into_books(started, campaigns, anchor)]


def _into_books(started: Server, campaigns: int, anchor: float) -> list[Figure]:
    books = [uuid7() for _ in range(campaigns)]
    with psycopg.connect(started.conninfo()) as session, session.cursor() as cursor:
        open_assets(cursor, [CNY])
        open_accounts(cursor, [account for book in books for account in _accounts(book)])
        before = _written(session)
    forked = multiprocessing.get_context("fork")
    ready, stop = forked.Barrier(WRITERS + 1), forked.Event()
    writers = [forked.Process(target=_write, args=[started, books, seed, ready, stop]) for seed in range(WRITERS)]
    for writer in writers:
        writer.start()
    ready.wait()
    begin, spent = time.perf_counter(), _processor(started)
    time.sleep(BOOK_SECONDS)
    stop.set()
    ready.wait()  # the writers have ended their last batch and still live
    took, spent = time.perf_counter() - begin, _processor(started) - spent
    for writer in writers:
        writer.join()
    with psycopg.connect(started.conninfo()) as session, session.cursor() as cursor:
        gifts, facts = (now - then for now, then in zip(_written(session), before, strict=True))
        assert gifts == facts > 0
        assert sum(balance(cursor, _accounts(book)[1]) for book in books) == 500 * gifts
        assert audit(cursor) == []
    into = f"into {campaigns:,} campaign{'s' * (campaigns > 1)}"
    tpc = {"anchor": "pgbench TPC-B s10 c8", "anchor_value": anchor}
    aim = {"anchor": "two cores at 30,000/s", "anchor_value": 2e6 / 30_000}
    return [
        figure(f"gifts {into}", gifts / took, "1/s", n=gifts, least=30_000, **tpc),  # type: ignore[arg-type]
        figure(f"processor a gift {into}", 1e6 * spent / gifts, "us", n=gifts, most=2e6 / 30_000, **aim),  # type: ignore[arg-type]
    ]


def _write(started: Server, books: list[uuid.UUID], seed: int, ready: Any, stop: Any) -> None:
    """Batches until it is over."""
    chance, request = random.Random(seed), request_hash("bench")
    legs = [(Leg(there.id, 500), Leg(fund.id, -500)) for there, fund in map(_accounts, books)]
    with psycopg.connect(started.conninfo(), autocommit=True) as session, session.cursor() as cursor:
        stripe.lease(cursor)
        ready.wait()
        while not stop.is_set():
            batch, facts = [], []
            for _ in range(1_000):
                n = chance.randrange(len(books))
                batch.append(Transfer(books[n], str(uuid.uuid4()), request, "giving.gift", legs[n], AT))
                facts.append(Fact("giving.gift", AT, {"campaign": str(books[n]), "amount": 500, "asset": "CNY"}))
            with session.transaction():
                post(cursor, batch)
                append(cursor, *facts)
        ready.wait()


def _processor(started: Server) -> float:
    """Seconds of processor that the server, its sessions and the writers have used."""
    ours, tick = {started.pid(), os.getpid()}, os.sysconf("SC_CLK_TCK")
    total = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            pid, words = int(path.parent.name), path.read_text().rpartition(")")[2].split()
            if pid in ours or int(words[1]) in ours:
                total += int(words[11]) + int(words[12])
                if pid == started.pid():
                    total += int(words[13]) + int(words[14])  # of sessions that have ended
    return total / tick


def _accounts(book: uuid.UUID) -> tuple[Account, Account]:
    return Account(book, "provider:bench", "CNY", 1), Account(book, "received", "CNY", -1)


def _written(session: psycopg.Connection) -> tuple[int, int]:
    found = session.execute(
        "SELECT (SELECT count(*) FROM ledger_transfer), (SELECT count(*) FROM proof_staged)"
    ).fetchone()
    assert found is not None
    return int(found[0]), int(found[1])


def trace(gifts: int = 1_000_000) -> list[Figure]:
    """Milliseconds from a gift to its payouts and back, and of a giver's statement, in a campaign of so many gifts."""
    from bench import giving_trace

    return giving_trace.trace(gifts)


def search(campaigns: int = 100_000) -> list[Figure]:
    """Milliseconds of a search in Chinese, pinyin and English over so many campaigns."""
    from bench import giving_open

    return giving_open.search(campaigns)


def export(gifts: int = 100_000) -> list[Figure]:
    """Seconds of the exports of so many gifts and grants: valid by the official schemas, equal in their totals."""
    from bench import giving_open

    return giving_open.export(gifts)
