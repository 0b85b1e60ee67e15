"""The books: `commonweal bench ledger transfers` (one busy fund, batches of 1, 10, 100 and 1000, beside pgbench)."""

from __future__ import annotations

import threading
import time
import uuid
from datetime import UTC, datetime

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
)
from commonweal.kernel.postgres import Server
from commonweal.kernel.quantity import CNY

AT = datetime(2026, 1, 1, tzinfo=UTC)
SIZES = {1: (8, 400), 10: (4, 200), 100: (2, 100), 1000: (2, 20)}
"""Batch size: (writers, batches of each). Every writer has a stripe of its own, as the platform's writers have."""


def transfers() -> list[Figure]:
    """Durable transfers/s into one busy fund, for each size of batch; the books are audited before anything is said."""
    with server() as started:
        anchor = tpc_b(started)
        figures = [_batches(started, size, writers, turns, anchor) for size, (writers, turns) in SIZES.items()]
        again = tpc_b(started, seconds=3)
    if again > anchor * 1.5:  # the machine was busier while the anchor was measured than afterwards
        for one in figures:
            one["anchor_value"], one["ratio"] = round(again, 1), round(one["value"] / again, 3)
    return figures


def _batches(started: Server, size: int, writers: int, turns: int, anchor: float) -> Figure:
    book = uuid7()
    clearing, fund = Account(book, "clearing", "CNY", 1), Account(book, "fund", "CNY", -1)
    legs = (Leg(clearing.id, 500), Leg(fund.id, -500))
    with psycopg.connect(started.conninfo()) as session, session.cursor() as cursor:
        open_assets(cursor, [CNY])
        open_accounts(cursor, [clearing, fund])
    ready = threading.Barrier(writers + 1)

    def write(stripe: int) -> None:
        batches = [
            [Transfer(book, str(uuid.uuid4()), request_hash(stripe), "giving.gift", legs, AT) for _ in range(size)]
            for _ in range(turns)
        ]
        with psycopg.connect(started.conninfo(), autocommit=True) as session, session.cursor() as cursor:
            cursor.execute("SELECT set_config('commonweal.stripe', %s, false)", [str(stripe)])
            ready.wait()
            for batch in batches:
                post(cursor, batch)

    threads = [threading.Thread(target=write, args=[stripe]) for stripe in range(writers)]
    for thread in threads:
        thread.start()
    ready.wait()
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begin
    count = size * writers * turns
    with psycopg.connect(started.conninfo()) as session, session.cursor() as cursor:
        assert balance(cursor, fund) == balance(cursor, clearing) == 500 * count
        assert audit(cursor) == []
    name = f"transfers in batches of {size:,}"
    return figure(name, count / took, "1/s", anchor="pgbench TPC-B s10 c8", anchor_value=anchor, n=count)
