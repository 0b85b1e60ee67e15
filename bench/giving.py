"""Giving: the books of a giving day (`ledger`), the engines of matching (`matching`) and of signals (`signals`)."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from fractions import Fraction
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
from commonweal.services.giving.matching import Caps, Gift, Pool, Proportional, ProRata, Quadratic, Slice, match
from commonweal.services.giving.signals import find
from commonweal.services.giving.signals.tests.world import world

AT = datetime(2026, 9, 9, 1, tzinfo=UTC)
SECONDS = 6.0
WRITERS = 2
MILLION = 1_000_000


def ledger() -> list[Figure]:
    """Durable gifts/s into the books at batches of 1,000 by two writers: into one busy campaign, then over 1,000.

    A gift is a transfer with two postings, the balances that follow, and its fact for the log, in one transaction a
    batch. The books are audited and the facts counted before a speed is said. On a machine that others use, too, the
    processor's time a gift says more than the wall's: 66 microseconds are 30,000 gifts/s on two cores.
    """
    with server() as started:
        anchor = tpc_b(started)
        return [one for campaigns in (1, 1_000) for one in _gifts(started, campaigns, anchor)]


def matching() -> list[Figure]:
    """Gifts/s of three schemes over a million gifts, beside a plain loop that multiplies and adds; sums are checked."""
    chance = random.Random(2026)
    gifts = [
        Gift(f"g{n}", AT + timedelta(milliseconds=3 * n), f"d{chance.randrange(400_000)}", f"p{project}",
             f"c{project % 100}", chance.choice([100, 500, 1000, 2000, 5000, 880]))
        for n in range(MILLION)
        for project in [int(chance.paretovariate(1.1)) % 5_000]
    ]  # fmt: skip
    begin = time.process_time()
    left = 10**9
    for gift in gifts:
        left -= min(gift.amount // 2, left)
    plain = MILLION / (time.process_time() - begin)
    figures = []
    for scheme in (ProRata(donor_most=100_000), Proportional(Fraction(1, 2)), Quadratic("to-pool")):
        caps = Caps(project=10**7, donor_day=99_900 if "donor_day" in scheme.caps else None)
        pool = Pool("bench", scheme, (Slice(AT, AT + timedelta(hours=1), 10**9),), caps)
        begin = time.process_time()
        matches = match(pool, gifts)
        speed = MILLION / (time.process_time() - begin)
        assert len(matches) == MILLION
        assert 0 < sum(one.amount for one in matches) <= pool.amount
        anchor = "a loop without caps"
        figures.append(figure(f"match, {scheme.name}", speed, "gifts/s", anchor=anchor, anchor_value=plain, n=MILLION))
    return figures


def signals() -> list[Figure]:
    """Precision, recall and honest givers delayed: the worst of five days of 100,000 honest gifts with 25 rings each."""
    worst: dict[str, float] = {"precision": 1, "recall": 1, "delayed": 0, "seconds": 0}
    planted = 0
    for seed in range(100, 105):
        day = world(seed)
        begin = time.process_time()
        found = {gift for signal in find(day.rows) for gift in signal.gifts}
        took = time.process_time() - begin
        account = {row.id: row.account for row in day.rows}
        honest = {account[row.id] for row in day.rows if row.id not in day.planted}
        right = len(found & day.planted)
        planted += len(day.planted)
        worst["precision"] = min(worst["precision"], right / len(found))
        worst["recall"] = min(worst["recall"], right / len(day.planted))
        worst["delayed"] = max(worst["delayed"], len({account[gift] for gift in found - day.planted}) / len(honest))
        worst["seconds"] = max(worst["seconds"], took)
    return [
        figure("precision", worst["precision"], "", anchor="aim", anchor_value=0.95, n=planted, least=0.95),
        figure("recall", worst["recall"], "", anchor="aim", anchor_value=0.90, n=planted, least=0.90),
        figure("honest delayed", worst["delayed"], "", anchor="aim", anchor_value=0.001, n=planted, most=0.001),
        figure("100,000 gifts", worst["seconds"], "s", anchor="aim", anchor_value=10, n=100_000, most=10),
    ]


def _gifts(started: Server, campaigns: int, anchor: float) -> list[Figure]:
    books = [uuid7() for _ in range(campaigns)]
    with psycopg.connect(started.conninfo()) as session, session.cursor() as cursor:
        open_assets(cursor, [CNY])
        open_accounts(cursor, [account for book in books for account in _accounts(book)])
        before = _counts(session)
    forked = multiprocessing.get_context("fork")
    ready, stop = forked.Barrier(WRITERS + 1), forked.Event()
    writers = [forked.Process(target=_write, args=[started, books, seed, ready, stop]) for seed in range(WRITERS)]
    for writer in writers:
        writer.start()
    ready.wait()
    begin, spent = time.perf_counter(), _processor(started)
    time.sleep(SECONDS)
    stop.set()
    ready.wait()  # the writers have ended their last batch and still live
    took, spent = time.perf_counter() - begin, _processor(started) - spent
    for writer in writers:
        writer.join()
    with psycopg.connect(started.conninfo()) as session, session.cursor() as cursor:
        gifts, facts = (now - then for now, then in zip(_counts(session), before, strict=True))
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


def _counts(session: psycopg.Connection) -> tuple[int, int]:
    found = session.execute(
        "SELECT (SELECT count(*) FROM ledger_transfer), (SELECT count(*) FROM proof_staged)"
    ).fetchone()
    assert found is not None
    return int(found[0]), int(found[1])
