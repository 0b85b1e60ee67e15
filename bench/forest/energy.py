"""Benchmarks of energy: taking deeds in, the race of friends, and expiry; the obvious SQL beside each."""

from __future__ import annotations

import random
import time
import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import psycopg

from bench.figure import Figure, figure
from bench.forest.ground import NOW, RIPE, SEED, forest, judged, together
from commonweal.kernel.errors import Conflict
from commonweal.kernel.ledger import Transfer, post, request_hash
from commonweal.services.forest import energy
from commonweal.services.forest.energy.books import book_of, move
from commonweal.services.forest.energy.intake import event_id, take_rows
from commonweal.services.forest.rules.bubbles import RIPENS_AFTER, day_of, droppable_from


def rows_of(rng: random.Random, shard: int, count: int, prefix: str) -> list[Any]:
    """Deeds of one shard: five a person, three kinds, events of their own."""
    found = []
    for number in range(count):
        owner = uuid.UUID(int=(number // 5) * energy.SHARDS + shard + (1 << 64))
        kind = rng.randrange(1, 4)
        happened = NOW - timedelta(seconds=rng.randrange(10_000))
        found.append((owner, 1, event_id(f"{prefix}-{shard}-{number}"), kind, rng.randrange(500, 20_000), happened))
    return found


def ingest(deeds: int = 400_000, batch: int = 50_000) -> Figure:
    """Deeds a second with idempotency, factor, cap, bubble and books; then the same day again, and as another day."""
    rng = random.Random(SEED)
    workers = 2
    work = [
        rows_of(rng, shard, batch, f"e{part}") for part in range(deeds // batch // workers) for shard in range(workers)
    ]
    with forest() as conninfo:

        def take(rows_of_worker: list[list[Any]], at: datetime) -> list[energy.Taken]:
            with psycopg.connect(conninfo) as connection:
                found = []
                for rows in rows_of_worker:
                    with connection.transaction(), connection.cursor() as cursor:
                        found.append(take_rows(cursor, rows[0][0].int % energy.SHARDS, rows, at))
                return found

        def run(at: datetime, shift: timedelta = timedelta(0)) -> tuple[list[energy.Taken], float]:
            moved = [[(*row[:5], row[5] + shift) for row in rows] for rows in work] if shift else work
            answers, seconds = together(workers, lambda n: take(moved[n::workers], at))
            return [taken for answer in answers for taken in answer], seconds

        first, seconds = run(NOW)
        again, again_seconds = run(NOW)
        other, _ = run(NOW + timedelta(days=1), timedelta(days=-1))
        with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
            conserved = energy.reconcile(cursor)
        obvious = _obvious_ingest(conninfo, work[0][:4_000])
    minted = sum(taken.grams for taken in first)
    replayed = sum(taken.new + taken.grams for taken in (*again, *other))
    right = (
        replayed == 0 and conserved.holds and conserved.grams.minted == minted and sum(t.new for t in first) == deeds
    )
    print(f"first {deeds / seconds:,.0f}/s, again {deeds / again_seconds:,.0f}/s, {minted:,} g, replayed {replayed}")
    speed = deeds / seconds
    found = figure(
        "forest ingest", speed, "deeds/s", anchor="one statement a deed", anchor_value=obvious, n=deeds, least=45_000
    )
    return judged(found, right)


def _obvious_ingest(conninfo: str, rows: list[Any]) -> float:
    """Deeds a second with a statement each, a commit a thousand, unique by day."""
    with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE plain_deed (day date, source int, event uuid, owner uuid, grams int,"
            " UNIQUE (day, source, event))"
        )
        cursor.execute(
            "CREATE TABLE plain_bubble (owner uuid, kind int, day date, grams int, UNIQUE (owner, kind, day))"
        )
        connection.commit()
        start = time.perf_counter()
        for number, (owner, source, event, method, quantity, happened) in enumerate(rows, 1):
            cursor.execute(
                "INSERT INTO plain_deed SELECT %s, %s, %s, %s, %s * numerator / denominator FROM forest_method "
                "WHERE id = %s "
                "ON CONFLICT DO NOTHING RETURNING grams",
                [happened.date(), source, event, owner, quantity, method],
            )
            if new := cursor.fetchone():
                cursor.execute(
                    "INSERT INTO plain_bubble AS b VALUES (%s, %s, %s, %s) ON CONFLICT (owner, kind, day) "
                    "DO UPDATE SET grams = b.grams + excluded.grams",
                    [owner, method, happened.date(), new[0]],
                )
            if number % 1000 == 0:
                connection.commit()
        connection.commit()
        return len(rows) / (time.perf_counter() - start)


def collect(tries: int = 12_800, connections: int = 32) -> Figure:
    """Friends race for 200 bubbles and for one; exact. Beside it the obvious UPDATE, and how much it mints."""
    with forest() as conninfo:
        many, many_speed, many_p99 = _race(conninfo, 200, tries, connections, 0)
        hot, hot_speed, hot_p99 = _race(conninfo, 1, tries, connections, 1)
        minted, naive = _naive_race(conninfo, 200, tries, connections)
        with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
            holds = energy.reconcile(cursor).holds
    print(
        f"200 bubbles {many_speed:,.0f}/s p99 {many_p99:.0f} ms, one {hot_speed:,.0f}/s p99 {hot_p99:.0f} ms, "
        f"exact {many and hot and holds}"
    )
    print(f"obvious UPDATE: {naive:,.0f}/s and {minted} g minted from nothing")
    right = many and hot and holds
    found = figure(
        "forest collect",
        many_speed,
        "tries/s",
        anchor=f"obvious UPDATE (mints {minted} g from nothing)",
        anchor_value=naive,
        n=tries,
        least=6000,
    )
    return judged(found, right and hot_speed >= 5000)


def _bubbles(conninfo: str, count: int, tag: str) -> list[uuid.UUID]:
    """Bubbles of 100 g, one an owner, all of one shard."""
    owners = [uuid.UUID(int=(n + 1) * energy.SHARDS + (1 << 80) + (hash_of(tag) << 90)) for n in range(count)]
    rows = [(owner, 1, event_id(f"{tag}-{owner}"), 1, 28_572, NOW) for owner in owners]
    with psycopg.connect(conninfo) as connection, connection.transaction(), connection.cursor() as cursor:
        taken = take_rows(cursor, 0, rows, NOW)
    if taken.grams != 100 * count:
        raise AssertionError(f"{taken.grams} g in {count} bubbles")
    return owners


def hash_of(tag: str) -> int:
    """A small number of a word."""
    return sum(tag.encode()) % 251


def _race(conninfo: str, bubbles: int, tries: int, connections: int, number: int) -> tuple[bool, float, float]:
    owners = _bubbles(conninfo, bubbles, f"race{number}")
    day = day_of(NOW)

    def work(worker: int) -> list[tuple[float, int]]:
        rng = random.Random(SEED + worker)
        found = []
        with psycopg.connect(conninfo, autocommit=True) as connection, connection.cursor() as cursor:
            for _ in range(tries // connections):
                who = uuid.UUID(int=rng.randrange(1, 4000) + (number << 40))
                start = time.perf_counter()
                grams = energy.collect(cursor, day, rng.choice(owners), 1, gatherer=who, at=RIPE)
                found.append((time.perf_counter() - start, grams))
        return found

    answers, seconds = together(connections, work)
    each = [one for answer in answers for one in answer]
    with psycopg.connect(conninfo) as connection:
        left = connection.execute("SELECT sum(left_g) FROM forest_bubble WHERE owner = ANY(%s)", [owners]).fetchone()
    exact = left is not None and sum(grams for _, grams in each) == 100 * bubbles - left[0] and left[0] >= 60 * bubbles
    p99 = sorted(taken for taken, _ in each)[int(len(each) * 0.99)] * 1000
    return exact, len(each) / seconds, p99


def _naive_race(conninfo: str, bubbles: int, tries: int, connections: int) -> tuple[int, float]:
    """The obvious design: read what is left, reckon in the program, write it back and credit what was asked."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("CREATE TABLE plain_ripe (id int PRIMARY KEY, left_g int)")
        connection.execute("CREATE TABLE plain_taken (bubble int, who int, grams int)")
        connection.execute("INSERT INTO plain_ripe SELECT n, 100 FROM generate_series(1, %s) n", [bubbles])

    def work(worker: int) -> None:
        rng = random.Random(SEED + worker)
        with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
            for _ in range(tries // connections):
                bubble, who = rng.randrange(1, bubbles + 1), rng.randrange(4000)
                cursor.execute(
                    "UPDATE plain_ripe SET left_g = greatest(left_g - 10, 60) "
                    "WHERE id = %s AND left_g > 60 RETURNING 10",
                    [bubble],
                )
                if cursor.fetchone():
                    cursor.execute("INSERT INTO plain_taken VALUES (%s, %s, 10)", [bubble, who])
                connection.commit()

    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("UPDATE plain_ripe SET left_g = 95 WHERE id % 2 = 0")  # not every bubble is a round one
    _, seconds = together(connections, work)
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(
            "SELECT (SELECT sum(grams) FROM plain_taken)"
            " - (SELECT sum(CASE WHEN id % 2 = 0 THEN 95 ELSE 100 END - left_g) FROM plain_ripe)"
        ).fetchone()
    return int(row[0]) if row else 0, tries / seconds


def expire(bubbles: int = 10_000_000) -> Figure:
    """A day of bubbles ripens (nothing is written) and expires: books, detached, dropped. Beside it a state column."""
    day = day_of(NOW)
    with forest() as conninfo, psycopg.connect(conninfo, autocommit=True) as connection:
        _fill(connection, bubbles)
        before = connection.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
        ripe = connection.execute(
            "SELECT count(*) FROM forest_bubble WHERE ripe_at <= %s AND left_g > 0", [RIPE]
        ).fetchone()
        ripening = connection.execute(
            "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s)", [before[0] if before else None]
        ).fetchone()
        expected = connection.execute("SELECT sum(left_g)::bigint FROM forest_bubble").fetchone()
        with suppress(Conflict), connection.transaction(), connection.cursor() as cursor:
            energy.expire(cursor, day, droppable_from(day) - timedelta(seconds=1))
            raise AssertionError("expired too early")
        start = time.perf_counter()
        with connection.transaction(), connection.cursor() as cursor:
            gone = energy.expire(cursor, day, droppable_from(day))
        seconds = time.perf_counter() - start
        with connection.transaction(), connection.cursor() as cursor:
            twice = energy.expire(cursor, day, droppable_from(day)).grams
            right = energy.reconcile(cursor).holds and twice == 0 and expected is not None and gone.grams == expected[0]
        obvious = _state_column(connection, bubbles // 10) * 10
    wal = int(ripening[0]) if ripening else -1
    print(
        f"ripe {ripe[0] if ripe else 0:,} with {wal} bytes of log; expired {gone.grams:,} g in {seconds:.2f} s; "
        f"by a state column {obvious:.1f} s (from a tenth)"
    )
    found = figure(
        "forest expire",
        seconds,
        "s",
        anchor="UPDATE of a state column (from a tenth)",
        anchor_value=obvious,
        n=bubbles,
        most=8,
    )
    return judged(found, right)


def _fill(connection: psycopg.Connection[Any], bubbles: int) -> None:
    """Bubbles with their grams minted in the books: by the set, for the time of filling is not measured."""
    connection.execute("SELECT forest_open_day(%s)", [day_of(NOW)])
    connection.execute(
        """
        INSERT INTO forest_bubble
        SELECT %s, ('00000000-0000-0000-0001-' || lpad(to_hex(n / 3 * 16 + n / 3 %% 16), 12, '0'))::uuid,
               n %% 3 + 1, n / 3 %% 16, 50,
               CASE WHEN n %% 4 = 0 THEN 0 ELSE 50 END, %s
        FROM generate_series(0, %s) n
        """,
        [day_of(NOW), NOW + RIPENS_AFTER, bubbles - 1],
    )
    connection.execute(
        """
        INSERT INTO forest_holding SELECT '00000000-0000-0000-0000-000000000001', sum(grams - left_g) FROM forest_bubble
        """
    )
    connection.execute(
        "INSERT INTO forest_moved SELECT shard, 'gathered', sum(grams - left_g) FROM forest_bubble "
        "WHERE left_g < grams GROUP BY shard"
    )

    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT shard, sum(grams)::bigint FROM forest_bubble GROUP BY shard")
        minted = cursor.fetchall()
        post(
            cursor,
            [
                Transfer(
                    book_of(s), f"mint {s}", request_hash(s), "forest.mint", move(s, "minted", "bubbles", int(g)), NOW
                )
                for s, g in minted
            ],
        )
        energy.settle(cursor, NOW)
    connection.execute("ANALYZE forest_bubble")
    connection.execute("CHECKPOINT")


def _state_column(connection: psycopg.Connection[Any], bubbles: int) -> float:
    """Seconds to ripen and to expire bubbles by a nightly UPDATE of their state."""
    connection.execute("CREATE TABLE plain_state (id bigint PRIMARY KEY, grams int, left_g int, state text)")
    connection.execute("INSERT INTO plain_state SELECT n, 50, 50, 'growing' FROM generate_series(1, %s) n", [bubbles])
    start = time.perf_counter()
    connection.execute("UPDATE plain_state SET state = 'ripe' WHERE state = 'growing'")
    connection.execute("UPDATE plain_state SET state = 'gone', left_g = 0 WHERE state = 'ripe'")
    return time.perf_counter() - start


def sizes(deeds: int = 300_000) -> Figure:
    """Bytes a row with its indexes, and harvests a second by 16 sessions: what the paper plan stands on."""
    rng = random.Random(SEED)
    with forest() as conninfo:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            for part in range(6):
                rows = rows_of(rng, part % energy.SHARDS, deeds // 6, f"size{part}")
                with connection.transaction(), connection.cursor() as cursor:
                    take_rows(cursor, part % energy.SHARDS, rows, NOW)
            connection.execute(
                """
                INSERT INTO forest_collect
                SELECT day, owner, kind, gen_random_uuid(), 5, ripe_at FROM forest_bubble
                """
            )
            owners = [row[0] for row in connection.execute("SELECT DISTINCT owner FROM forest_bubble").fetchall()]

        def work(worker: int) -> int:
            with psycopg.connect(conninfo, autocommit=True) as connection, connection.cursor() as cursor:
                return sum(energy.harvest(cursor, owner, RIPE) > 0 for owner in owners[worker::16])

        answers, seconds = together(16, work)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            size: dict[str, int] = {}
            for table in ("deed", "seen", "bubble", "collect", "holding"):
                found = connection.execute(
                    f"""
                    SELECT (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('forest_{table}')
                            WHERE isleaf)::bigint / (SELECT count(*) FROM forest_{table})
                    """
                    if table != "holding"
                    else "SELECT pg_total_relation_size('forest_holding') / (SELECT count(*) FROM forest_holding)"
                ).fetchone()
                size[table] = int(found[0]) if found else 0
            with connection.cursor() as cursor:
                holds = energy.reconcile(cursor).holds
    speed = sum(answers) / seconds
    print(f"bytes a row {size}, {speed:,.0f} harvests/s")
    found_figure = figure(
        "forest sizes", speed, "harvests/s", anchor="bytes of a deed", anchor_value=size["deed"], n=deeds
    )
    return judged(found_figure, holds and sum(answers) == len(owners))
