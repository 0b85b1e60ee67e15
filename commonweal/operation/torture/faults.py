"""What can go wrong, each as something that is done to a running platform and is over when the call returns."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

import psycopg

from commonweal.kernel.postgres import Server
from commonweal.operation import outside
from commonweal.operation.torture import cutter
from commonweal.operation.torture.disk import Disk
from commonweal.operation.torture.power import Power
from commonweal.operation.torture.stepping import Clock

VICTIMS = ("postgres", "web server", "web worker", "clerk", "supervisor")
STALL = (3.5, 8.0)
"""Seconds that something stands still: longer than a giver waits for an answer, and at most longer than the pool."""
LOSSES = (1.5, 3.0)
"""Seconds in which connections are lost, and how many of the answers."""
LOST = (0.1, 0.5)
FULL = (3.0, 8.0)
"""Seconds without space."""
STEPS = (-90_000, -7_200, -360, -40, -3, 3, 40, 360, 7_200, 90_000)
"""Seconds by which the clock is stepped: within and beyond the age of a callback, a promise, a lease and a day."""
STEPPED = (2.0, 5.0)


class Scene(Protocol):
    """The platform that is at the mercy of the faults, and what stands around it."""

    server: Server
    platform: outside.Run
    door: cutter.Cutter
    disk: Disk
    clock: Clock
    power: Power
    cuts: int
    """Answers of PostgreSQL that were dropped so far."""

    def restart(self) -> None:
        """Start the platform again after its supervisor has died."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`kind` is its family, `name` says what exactly happens."""

    kind: str
    name: str
    strike: Callable[[Scene, random.Random], None]


def pids(scene: Scene, victim: str) -> list[int]:
    """The processes of a victim, none if it is not there just now; of PostgreSQL all, of several web workers any."""
    supervisor = scene.platform.process.pid
    if victim == "supervisor":
        return [supervisor]
    if victim == "postgres":
        head = scene.server.pid()
        return [head, *outside.children(head)] if head else []
    if victim == "clerk":
        return [pid for pid, words in outside.children(supervisor).items() if "operation.clerk" in words]
    servers = outside.web_servers(supervisor)
    return servers[:1] if victim == "web server" else servers[1:]


def _found(scene: Scene, victim: str) -> list[int]:
    """The same, as soon as it is there."""
    while not (found := pids(scene, victim)):
        if scene.platform.process.poll() is not None:
            raise RuntimeError(f"the platform has ended: {scene.platform.words()[-500:]}")
        time.sleep(0.01)
    return found


def _kill(victim: str) -> Callable[[Scene, random.Random], None]:
    def strike(scene: Scene, chance: random.Random) -> None:
        found = _found(scene, victim)
        os.kill(chance.choice(found) if victim == "web worker" else found[0], signal.SIGKILL)
        if victim == "supervisor":
            scene.platform.process.wait()
            scene.restart()

    return strike


def _stall(*victims: str) -> Callable[[Scene, random.Random], None]:
    def strike(scene: Scene, chance: random.Random) -> None:
        stopped: list[int] = []
        for victim in victims:
            found = _found(scene, victim)
            stopped += [chance.choice(found)] if victims == ("web worker",) else found
        try:
            for pid in stopped:
                _send(pid, signal.SIGSTOP)
            time.sleep(chance.uniform(*STALL))
        finally:
            for pid in stopped:
                _send(pid, signal.SIGCONT)

    return strike


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):  # a session of PostgreSQL that has ended meanwhile
        os.kill(pid, number)


def _cut_door(scene: Scene, chance: random.Random) -> None:
    with _losing(scene.door, chance):
        time.sleep(chance.uniform(*LOSSES))


def _cut_database(scene: Scene, chance: random.Random) -> None:
    with cutter.before_postgres(scene.server.socket_directory, chance.randrange(2**32)) as relay:
        with psycopg.connect(scene.server.conninfo(), autocommit=True) as connection:
            connection.execute(  # sessions that are open go past the relay: let them be opened again
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname <> ''"
            )
        with _losing(relay, chance):
            time.sleep(chance.uniform(*LOSSES))
        scene.cuts += relay.cuts


@contextmanager
def _losing(relay: cutter.Cutter, chance: random.Random) -> Iterator[None]:
    relay.chance = chance.uniform(*LOST)
    try:
        yield
    finally:
        relay.chance = 0.0


def _fill(scene: Scene, chance: random.Random) -> None:
    """No byte free. Half of the time the write-ahead log is driven to its end, too: PostgreSQL itself then ends."""
    log_too = chance.random() < 0.5
    scene.disk.fill()
    try:
        until = time.monotonic() + chance.uniform(*FULL)
        while time.monotonic() < until:
            if log_too:
                with suppress(psycopg.Error), psycopg.connect(scene.server.conninfo(), autocommit=True) as connection:
                    connection.execute("SELECT pg_switch_wal()")
            time.sleep(0.1)
    finally:
        scene.disk.free()


def _step(scene: Scene, chance: random.Random) -> None:
    """Once or twice to a wrong time, then back to the right one."""
    try:
        for _ in range(chance.randint(1, 2)):
            scene.clock.set(chance.choice(STEPS))
            time.sleep(chance.uniform(*STEPPED))
    finally:
        scene.clock.set(0)


def _lose_power(scene: Scene, _: random.Random) -> None:
    """Everything ends at one moment, PostgreSQL first, and what was not synced is gone."""
    for pid in [*pids(scene, "postgres"), *outside.processes(scene.server.home)]:
        _send(pid, signal.SIGKILL)
    scene.platform.process.wait()
    outside.wait_until_gone(scene.server.home)
    scene.power.lose()
    scene.restart()


FAULTS = (
    *(Fault("kill", f"kill {victim}", _kill(victim)) for victim in VICTIMS),
    *(Fault("stall", f"stall {victim}", _stall(victim)) for victim in VICTIMS),
    Fault("stall", "stall everything", _stall(*VICTIMS)),
    Fault("cut", "cut the giver's connection", _cut_door),
    Fault("cut", "cut the database's connection", _cut_database),
    Fault("full", "fill the disk", _fill),
    Fault("clock", "step the clock", _step),
    Fault("power", "lose the power", _lose_power),
)
KINDS = tuple(dict.fromkeys(fault.kind for fault in FAULTS))


def choose(kinds: tuple[str, ...], rounds: int, chance: random.Random) -> list[Fault]:
    """So many faults: each kind as often as any other, within it any."""
    return [
        chance.choice([fault for fault in FAULTS if fault.kind == kind]) for kind in chance.choices(kinds, k=rounds)
    ]
