"""Giving: the books of a giving day (`ledger`), the engines of matching (`matching`) and of signals (`signals`)."""

from __future__ import annotations

import random
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from fractions import Fraction

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
SECONDS = 6.0
WRITERS = 2


def ledger() -> list[Figure]:
    """Durable gifts/s into the books at batches of 1,000 by two writers: into one busy campaign, then over 1,000.

    A gift is a transfer with two postings, the balances that follow, and its fact for the log, in one transaction a batch. The
    books are audited and the facts counted before a speed is said.
    """
    with server() as started:
        anchor = tpc_b(started)
        return [_gifts(started, campaigns, anchor) for campaigns in (1, 1_000)]


def _gifts(started: Server, campaigns: int, anchor: float) -> Figure:
    books = [uuid7() for _ in range(campaigns)]
    with psycopg.connect(started.conninfo()) as session, session.cursor() as cursor:
        open_assets(cursor, [CNY])
        open_accounts(cursor, [account for book in books for account in _accounts(book)])
        before = _counts(session)
    legs = [(Leg(there.id, 500), Leg(fund.id, -500)) for there, fund in map(_accounts, books)]
    request, stop = request_hash("bench"), threading.Event()
    done = [0] * WRITERS
    ready = threading.Barrier(WRITERS + 1)

    def write(writer: int) -> None:
        chance = random.Random(writer)
        with psycopg.connect(started.conninfo(), autocommit=True) as session, session.cursor() as cursor:
            stripe.lease(cursor)
            ready.wait()
            while not stop.is_set():
                batch, facts = [], []
                for _ in range(1_000):
                    n = chance.randrange(campaigns)
                    batch.append(Transfer(books[n], str(uuid.uuid4()), request, "giving.gift", legs[n], AT))
                    facts.append(Fact("giving.gift", AT, {"campaign": str(books[n]), "amount": 500, "asset": "CNY"}))
                with session.transaction():
                    post(cursor, batch)
                    append(cursor, *facts)
                done[writer] += len(batch)

    threads = [threading.Thread(target=write, args=[writer]) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    ready.wait()
    begin = time.perf_counter()
    time.sleep(SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begin
    with psycopg.connect(started.conninfo()) as session, session.cursor() as cursor:
        transfers, facts = (now - then for now, then in zip(_counts(session), before, strict=True))
        assert transfers == facts == sum(done)
        assert sum(balance(cursor, _accounts(book)[1]) for book in books) == 500 * transfers
        assert audit(cursor) == []
    name = f"gifts into {campaigns:,} campaign{'s' * (campaigns > 1)}"
    return figure(
        name, transfers / took, "1/s", anchor="pgbench TPC-B s10 c8", anchor_value=anchor, n=transfers, least=30_000
    )


def _accounts(book: uuid.UUID) -> tuple[Account, Account]:
    return Account(book, "provider:bench", "CNY", 1), Account(book, "received", "CNY", -1)


def _counts(session: psycopg.Connection) -> tuple[int, int]:
    found = session.execute(
        "SELECT (SELECT count(*) FROM ledger_transfer), (SELECT count(*) FROM proof_staged)"
    ).fetchone()
    assert found is not None
    return int(found[0]), int(found[1])
