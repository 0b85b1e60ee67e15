"""Giving over HTTP beside the usual ORM design (`gifts`), and into the books beside TPC-B (`ledger`); what can be
asked of many gifts and campaigns (`trace`, `search`, `export`)."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
import uuid
from contextlib import suppress
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

AT = datetime(2026, 9, 9, 1, tzinfo=UTC)
BOOK_SECONDS = 6.0
WRITERS = 2


def gifts() -> list[Figure]:
    """Durable gifts/s over HTTP, promised and collected, into one campaign and over 1,000, beside two anchors."""
    from bench import giving_rush

    return giving_rush.rush()


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


def day(
    gifts: int = 687_000, seconds: int = 600, rush: int = 3_000, minute: int = 60, campaigns: int = 2_000
) -> list[Figure]:
    """The giving day of 2021, 1:100, within so many seconds, and its rush at 09:00 at its real rate on top of them."""
    from bench import giving_day

    return giving_day.day(giving_day.Plan(gifts, seconds, rush, minute, campaigns))


def search(campaigns: int = 100_000) -> list[Figure]:
    """Milliseconds of a search in Chinese, pinyin and English over so many campaigns."""
    from bench import giving_open

    return giving_open.search(campaigns)


def export(gifts: int = 100_000) -> list[Figure]:
    """Seconds of the exports of so many gifts and grants: valid by the official schemas, equal in their totals."""
    from bench import giving_open

    return giving_open.export(gifts)


def fraud(gifts: int = 100_000) -> list[Figure]:
    """Precision, recall and honest givers delayed: planted rings on days of so many honest gifts, of two kinds."""
    from bench import giving_fraud

    return giving_fraud.fraud(gifts)
