"""Benchmarks under fire: a flash sale of positions and mixed operations, while sessions are killed all the time."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import psycopg

from bench.figure import Figure, figure
from bench.forest.ground import NOW, SEED, forest, judged, kill_somebody, together
from commonweal.kernel.errors import Conflict
from commonweal.services.forest import energy
from commonweal.services.forest.energy.intake import take_rows
from commonweal.services.forest.planting import flush, promise
from commonweal.services.forest.rules.bubbles import day_of, droppable_from
from commonweal.services.forest.tests.ground import SEASON, open_plot


class Killer(threading.Thread):
    """Kills sessions at intervals (seconds) until it is stopped or has killed enough."""

    def __init__(self, conninfo: str, wanted: int, interval: float) -> None:
        super().__init__()
        self.conninfo, self.wanted, self.interval = conninfo, wanted, interval
        self.killed = 0
        self.over = threading.Event()

    def run(self) -> None:
        rng = random.Random(SEED)
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            while self.killed < self.wanted and not self.over.wait(self.interval):
                self.killed += kill_somebody(connection, rng)

    def end(self) -> None:
        """Stop and wait."""
        self.over.set()
        self.join()


def open_plots(conninfo: str, plots: int, grams: int, each: int) -> None:
    """Plots of one season with so many positions each, contracted and funded."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for number in range(1, plots + 1):
            open_plot(connection, number, grams, each, each)


def certificates(askers: int = 50_000, positions: int = 10_000, workers: int = 64, crashes: int = 20) -> Figure:
    """More askers than positions, with sessions killed all the while: all sold, none twice, none refused while free.

    Every answer is given after the promise is on the disk. The speed is that of the sale, up to the last certificate;
    beside it a sale whose commits wait for the disk while they hold the plot's row.
    """
    speed, right = _sale(askers, positions, workers, crashes, told=True)
    plain, _ = _sale(askers // 5, positions // 5, workers, 0, waits=True)
    found = figure(
        "forest certificates",
        speed,
        "sold/s",
        anchor="commits that wait for the disk with the row held (a fifth)",
        anchor_value=plain,
        n=askers,
        least=1000,
    )
    return judged(found, right)


def _sale(
    askers: int, positions: int, workers: int, crashes: int, *, waits: bool = False, told: bool = False
) -> tuple[float, bool]:
    """Certificates a second until the last one, and whether all was right. `waits` commits as usual."""
    owners = [uuid.UUID(int=(2 << 48) + n) for n in range(askers)]
    with forest() as conninfo:
        open_plots(conninfo, 20, 100, positions // 20)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute("INSERT INTO forest_holding SELECT unnest(%s::uuid[]), 100", [owners])
        killer = Killer(conninfo, crashes, 0.15)
        last_sale = [0.0] * workers

        def ask(worker: int) -> Counter[str]:
            said: Counter[str] = Counter()
            connection = psycopg.connect(conninfo, autocommit=True)
            waiting = list(range(worker, askers, workers))
            while waiting:
                owner = owners[waiting[-1]]
                try:
                    with connection.cursor() as cursor:
                        if waits:
                            with connection.transaction():
                                promise(cursor, SEASON, owner, uuid.uuid5(owner, "ask"), NOW)
                                cursor.execute("SET LOCAL synchronous_commit = on")
                        else:
                            promise(cursor, SEASON, owner, uuid.uuid5(owner, "ask"), NOW)
                            flush(cursor)
                    said["promised"] += 1
                    last_sale[worker] = time.perf_counter()
                except Conflict as refusal:
                    said[refusal.code] += 1
                except psycopg.OperationalError:  # killed: the same ask again, as a client would
                    said["killed"] += 1
                    connection = psycopg.connect(conninfo, autocommit=True)
                    continue
                waiting.pop()
            connection.close()
            return said

        killer.start()
        start = time.perf_counter()
        answers, seconds = together(workers, ask)
        killer.end()
        said = sum(answers, Counter[str]())
        with psycopg.connect(conninfo) as connection:
            row = connection.execute(
                """
                SELECT count(*), count(DISTINCT owner), (SELECT sum(issued) FROM forest_plot),
                       (SELECT sum(grams) FROM forest_holding) + sum(grams),
                       bool_and(seq BETWEEN 1 AND (SELECT issued FROM forest_plot WHERE id = plot))
                FROM forest_certificate
                """
            ).fetchone()
    speed = positions / (max(last_sale) - start)
    if told:
        print(f"{dict(said)}, in the database {row}, {askers / seconds:,.0f} asks/s, {speed:,.0f} sold/s")
    right = row == (positions, positions, positions, askers * 100, True) and said["promised"] == positions
    return speed, right


class World:
    """Four thousand people who do what people do, on a clock on which twenty days pass within the run.

    `answered` adds up the grams of every answer that a client got: the model by which the database is judged.
    `doubtful` counts operations whose answer was lost with a session: only the database knows whether they happened.
    """

    def __init__(self, conninfo: str, operations: int, workers: int) -> None:
        self.conninfo, self.operations = conninfo, operations
        self.each = operations // workers
        self.owners = [uuid.UUID(int=(3 << 64) + n) for n in range(4000)]
        self.progress = [0] * workers
        self.answered: Counter[str] = Counter()
        self.doubtful: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.over = threading.Event()

    def moment(self) -> datetime:
        """Now."""
        return NOW + timedelta(days=20) * (sum(self.progress) / self.operations)

    def live(self, worker: int) -> int:
        """One worker's operations; how many there were."""
        rng = random.Random(SEED + worker)
        answered: Counter[str] = Counter()
        doubtful: Counter[str] = Counter()
        connection = psycopg.connect(self.conninfo, autocommit=True)
        while self.progress[worker] < self.each:
            operation = rng.choices(("collect", "harvest", "plant", "deeds", "settle"), (700, 200, 70, 29, 1))[0]
            try:
                with connection.transaction(), connection.cursor() as cursor:
                    grams, count = self.operate(cursor, operation, rng)
                answered[operation] += grams
                self.progress[worker] += count
            except (Conflict, psycopg.errors.UndefinedTable):  # refused, or the day was dropped under the query
                self.progress[worker] += 1
            except psycopg.OperationalError:
                doubtful[operation] += 1
                connection = psycopg.connect(self.conninfo, autocommit=True)
        connection.close()
        with self.lock:
            self.answered.update(answered)
            self.doubtful.update(doubtful)
        return self.progress[worker]

    def operate(self, cursor: Any, operation: str, rng: random.Random) -> tuple[int, int]:
        """One operation: grams that it moved and how many operations it counts for."""
        at, owner = self.moment(), rng.choice(self.owners)
        if operation == "collect":
            day = day_of(at) - timedelta(days=rng.randrange(1, 4))
            return energy.collect(cursor, day, rng.choice(self.owners), rng.randrange(1, 4), gatherer=owner, at=at), 1
        if operation == "harvest":
            return energy.harvest(cursor, owner, at), 1
        if operation == "plant":
            promise(cursor, SEASON, owner, uuid.UUID(int=rng.getrandbits(128)), at)
            return 300, 1
        if operation == "settle":
            energy.settle(cursor, at)
            return 0, 1
        shard = rng.randrange(energy.SHARDS)
        chosen = [one for one in rng.sample(self.owners, 400) if energy.shard_of(one) == shard]
        rows = [
            (one, 1, uuid.UUID(int=rng.getrandbits(128)), rng.randrange(1, 4), rng.randrange(500, 40_000), at)
            for one in chosen
        ]
        return take_rows(cursor, shard, rows, at).grams, max(1, len(rows))

    def age(self) -> None:
        """Expire each day when it is over."""
        day = day_of(NOW)
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            while not self.over.wait(0.2):
                if self.moment() > droppable_from(day):
                    with connection.transaction(), connection.cursor() as cursor:
                        self.answered["expired"] += energy.expire(cursor, day, self.moment()).grams
                    day += timedelta(days=1)


def conserve(operations: int = 1_000_000, workers: int = 32, kills: int = 20) -> Figure:
    """Mixed operations with sessions killed all the while; judged by a model that only adds up what was answered."""
    with forest() as conninfo:
        open_plots(conninfo, 20, 300, 1_000_000)
        world = World(conninfo, operations, workers)
        killer = Killer(conninfo, kills, max(0.2, operations / 5000 / kills))
        clerk = threading.Thread(target=world.age)
        killer.start()
        clerk.start()
        answers, seconds = together(workers, world.live)
        world.over.set()
        clerk.join()
        killer.end()
        with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
            energy.settle(cursor, world.moment())
            found = energy.reconcile(cursor)
    grams, answered, doubtful, done = found.grams, world.answered, world.doubtful, sum(answers)
    agrees = grams.expired == answered["expired"]
    for operation, happened in (("deeds", grams.minted), ("plant", grams.spent)):
        # Each lost answer can hide one operation; nothing else may differ, and never downwards.
        more = happened - answered[operation]
        agrees = agrees and (more == 0 or (more > 0 and doubtful[operation] > 0))
    print(
        f"{done:,} operations, {killer.killed} kills, answers lost {dict(doubtful)}; {grams}; answered {dict(answered)}"
    )
    right = bool(found.holds and agrees and grams.spent and grams.held and grams.expired)
    missing = grams.minted - grams.waiting - grams.held - grams.spent - grams.expired
    speed = done / seconds
    return judged(figure("forest conserve", missing, "g", anchor="operations/s", anchor_value=speed, n=done), right)
