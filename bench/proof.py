"""The public log: `commonweal bench proof append|single|inclusion|receipt`."""

from __future__ import annotations

import json
import secrets
import statistics
import threading
import time
from datetime import UTC, datetime
from typing import Any

import psycopg

from bench.figure import Figure, figure
from bench.ground import server, tpc_b
from commonweal.kernel.postgres import Server
from commonweal.kernel.proof import Fact, SignerKey, log, tree, verify_receipt
from commonweal.kernel.proof.verify import seal

SIGNER = SignerKey("bench.example/log", secrets.token_bytes(32))
AT = datetime(2026, 1, 1, tzinfo=UTC)
SALT = bytes(16)
PRIVATE = {"giver": "01980000-0000-7000-8000-000000000000", "words": "祝孩子们天天开心"}

TESSERA = "Tessera POSIX, published"
TESSERA_ENTRIES = 10_000
"""Writes/s of Tessera's POSIX driver on NVMe (its docs/performance.md): another machine, and over HTTP."""


def gifts(count: int) -> list[Fact]:
    """Facts as long as those of a gift."""
    sealed = seal(SALT, PRIVATE)
    fields = {"campaign": "01980000-0000-7000-8000-00000000000a", "amount": 500, "asset": "CNY"}
    return [Fact("giving.gift", AT, fields, seal=sealed) for _ in range(count)]


def check(session: psycopg.Connection[Any], size: int) -> None:
    """Everything is logged, and the newest root is that of the entries."""
    with session.cursor() as cursor:
        newest = log.head(cursor)
        assert newest.size == size, (newest.size, size)
        cursor.execute("SELECT entry FROM proof_leaf ORDER BY seq")
        leaves = [tree.leaf_hash(entry) for (entry,) in cursor]
    tiles = tree.grow(0, leaves, lambda level, n: b"")
    assert tree.root(size, tree.Tiles(lambda level, n: tiles[level, n])) == newest.root


def clerk(started: Server, stop: threading.Event) -> None:
    """Sequence until told to stop and nothing is left."""
    with psycopg.connect(started.conninfo(), autocommit=True) as session:
        while True:
            last = stop.is_set()
            if log.sequence(session, SIGNER, AT) is None:
                if last:
                    return
                time.sleep(0.02)


def append() -> Figure:
    """Durable facts/s in batches of 1,000: appended by one writer and sequenced by the clerk, both counted."""
    count, batch = 300_000, 1000
    with server() as started:
        facts = gifts(count)
        stop = threading.Event()
        working = threading.Thread(target=clerk, args=[started, stop])
        with psycopg.connect(started.conninfo(), autocommit=True) as session, session.cursor() as cursor:
            begin = time.perf_counter()
            working.start()
            for first in range(0, count, batch):
                log.append(cursor, *facts[first : first + batch])
            stop.set()
            working.join()
            took = time.perf_counter() - begin
            check(session, count)
    return figure(
        "durable facts in batches",
        count / took,
        "1/s",
        anchor=TESSERA,
        anchor_value=TESSERA_ENTRIES,
        n=count,
        least=50_000,
    )


def single() -> Figure:
    """Single facts/s, each committed by itself by one of eight writers, with the clerk at work; pgbench beside it."""
    writers, each = 8, 1500
    with server() as started:
        anchor = tpc_b(started)
        stop, work = threading.Event(), [gifts(each) for _ in range(writers)]
        begin_together = threading.Barrier(writers + 1)

        def write(facts: list[Fact]) -> None:
            with psycopg.connect(started.conninfo(), autocommit=True) as session, session.cursor() as cursor:
                begin_together.wait()
                for fact in facts:
                    log.append(cursor, fact)

        threads = [threading.Thread(target=write, args=[facts]) for facts in work]
        working = threading.Thread(target=clerk, args=[started, stop])
        for thread in threads:
            thread.start()
        begin_together.wait()
        begin = time.perf_counter()
        working.start()
        for thread in threads:
            thread.join()
        stop.set()
        working.join()
        took = time.perf_counter() - begin
        with psycopg.connect(started.conninfo()) as session:
            check(session, writers * each)
    count = writers * each
    return figure(
        "single commits",
        count / took,
        "1/s",
        anchor="pgbench TPC-B, 8 clients",
        anchor_value=anchor,
        n=count,
        least=1500,
    )


def _million(started: Server) -> psycopg.Connection[Any]:
    session = psycopg.connect(started.conninfo(), autocommit=True)
    entry = gifts(1)[0].entry.decode()
    session.execute(
        """
        INSERT INTO proof_staged SELECT lpad(to_hex(n), 32, '0')::uuid, convert_to(%s || n, 'UTF8')
        FROM generate_series(1, 1000000) AS n
        """,
        [entry],
    )
    while log.sequence(session, SIGNER, AT):
        pass
    return session


def inclusion() -> Figure:
    """Tiles read for one inclusion proof in a log of a million facts: the most of 2,000 proofs, each one verified."""
    size, count, most, times = 1_000_000, 2000, 0, []
    with server() as started, _million(started) as session, session.cursor() as cursor:
        newest = log.head(cursor)

        class Reading:
            """A cursor that counts its reads."""

            reads = 0
            fetchone, fetchall = cursor.fetchone, cursor.fetchall

            def execute(self, query: Any, params: Any = None, /) -> Any:
                self.reads += 1
                return cursor.execute(query, params)

        for turn in range(count):
            index, reading = (turn * 7_919_117) % size, Reading()
            begin = time.perf_counter()
            proof = log.inclusion(reading, index, size)
            times.append(time.perf_counter() - begin)
            most = max(most, reading.reads)
            cursor.execute("SELECT entry FROM proof_leaf WHERE seq = %s", [index])
            leaf = tree.leaf_hash(cursor.fetchone()[0])  # type: ignore[index]
            assert tree.verify_inclusion(index, size, leaf, proof, newest.root)
    anchor = statistics.median(times) * 1000
    return figure("tile reads of a proof", most, "reads", anchor="median ms", anchor_value=anchor, n=count, most=5)


def receipt() -> Figure:
    """Bytes of a gift's receipt, with its sealed part and the longest path of a log of a million facts."""
    fact = gifts(1)[0]
    with server() as started:
        with psycopg.connect(started.conninfo(), autocommit=True) as session, session.cursor() as cursor:
            log.append(cursor, fact)
            log.sequence(session, SIGNER, AT)
        with _million(started) as session, session.cursor() as cursor:
            made = str(log.receipt_of(cursor, fact.id, SIGNER.verifier, (SALT, PRIVATE)))
    verify_receipt(made.encode(), SIGNER.verifier)
    plain = len(json.dumps({**PRIVATE, "entry": fact.entry.decode()}, ensure_ascii=False).encode())
    return figure(
        "receipt of a gift", len(made.encode()), "bytes", anchor="its content alone", anchor_value=plain, n=1, most=1500
    )
