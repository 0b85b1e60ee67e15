"""`commonweal torture`: the platform under load, its processes killed at random, then the audit."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg

from commonweal.kernel.postgres import Server
from commonweal.operation import outside
from commonweal.operation.torture import auditor
from commonweal.operation.torture.load import Load

VICTIMS = ("postgres", "web server", "web worker", "clerk", "supervisor")
KINDS = ("lost", "doubled", "unproved", "unbalanced", "overdrawn", "stuck", "unavailable")
"""What may be found."""
PAUSES = (0.2, 2.0)
"""Seconds between two kills, once gifts are taken again."""
RECOVERY = 60.0
"""Seconds within which gifts must be taken again after a kill."""
QUIET = 180.0
"""Seconds within which all facts and jobs must be done with after the load: a lease, and the waits after failures."""


@dataclass
class Report:
    """What happened. `ok` if nothing was found."""

    seed: int
    kills: dict[str, int]
    gifts: int
    paid: int
    retried: int
    pages: int
    slowest_recovery: float
    findings: list[auditor.Finding]

    @property
    def ok(self) -> bool:
        """Whether the platform has kept every promise."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """The report with a count for each kind of finding."""
        kinds = Counter(finding.kind for finding in self.findings)
        return {**asdict(self), **{kind: kinds[kind] for kind in KINDS}, "ok": self.ok}


class Ordeal:
    """One platform with its own data directory, its load and its murderer."""

    def __init__(self, home: Path, seed: int) -> None:
        self.home = home
        self.random = random.Random(seed)  # noqa: S311
        self.port = outside.free_port()
        self.platform = self._start()
        self.kills = Counter[str]()
        self.slowest = 0.0
        self.findings: list[auditor.Finding] = []

    def _start(self) -> outside.Run:
        return outside.Run(self.home, self.port, workers=2)

    def go(self, victims: Sequence[str], givers: int) -> Load:
        """Kill one after the other while people give; then let everything come to rest, and audit."""
        self.platform.wait()
        with psycopg.connect(Server(self.home).conninfo()) as connection:
            earlier = auditor.gifts(connection)
        load = Load(self.port, self.home, self.random.randrange(2**32), givers)
        with load:
            for number, victim in enumerate(victims):
                if not self._recovers(load):
                    why = f"no gift for {RECOVERY:.0f} s; at last: {self.platform.words()[-500:]}"
                    self.findings.append(auditor.Finding("unavailable", why))
                    break
                time.sleep(self.random.uniform(*PAUSES))
                self._kill(victim)
                print(f"\r{number + 1}/{len(victims)}: {victim:<12} {load.taken} gifts", end="", file=sys.stderr)  # noqa: T201
        print(file=sys.stderr)  # noqa: T201
        self._rest()
        with psycopg.connect(Server(self.home).conninfo()) as connection:
            vkey = (self.home / "keys" / "log.vkey").read_text()
            self.findings += [auditor.Finding("unavailable", what) for what in load.unexpected]
            self.findings += auditor.audit(
                connection, vkey, load.acknowledged, paid=load.paid, earlier=earlier, seen=load.checkpoints
            )
        return load

    def end(self) -> None:
        """Stop the platform; nothing of it is left alive."""
        self.platform.stop()
        outside.wait_until_gone(self.home)

    def _recovers(self, load: Load) -> bool:
        """Wait until another gift has been taken."""
        start, before = time.monotonic(), load.taken
        while load.taken == before:
            if time.monotonic() - start > RECOVERY or self.platform.process.poll() is not None:
                return False
            time.sleep(0.01)
        self.slowest = max(self.slowest, time.monotonic() - start)
        return True

    def _kill(self, victim: str) -> None:
        """Kill it; if it is not there just now, because of an earlier kill, as soon as it is."""
        while (pid := self._find(victim)) is None:
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
        self.kills[victim] += 1
        if victim == "supervisor":
            self.platform.process.wait()
            self.platform = self._start()

    def _find(self, victim: str) -> int | None:
        supervisor = self.platform.process.pid
        if victim == "supervisor":
            return supervisor
        if victim == "postgres":
            return Server(self.home).pid()
        if victim == "clerk":
            below = outside.children(supervisor)
            return next((pid for pid, words in below.items() if "operation.clerk" in words), None)
        servers = outside.web_servers(supervisor)
        candidates = servers[:1] if victim == "web server" else servers[1:]
        return self.random.choice(candidates) if candidates else None

    def _rest(self) -> None:
        """Wait until every fact has its place and no job is due, or as long as that may take."""
        deadline = time.monotonic() + QUIET
        query = "SELECT (SELECT count(*) FROM proof_staged) + (SELECT count(*) FROM jobs_job WHERE due < now())"
        while time.monotonic() < deadline:
            try:
                with psycopg.connect(Server(self.home).conninfo()) as connection:
                    if connection.execute(query).fetchone() == (0,):
                        return
            except psycopg.OperationalError:
                pass
            time.sleep(0.2)


def torture(home: Path, kills: int, seed: int, givers: int = 6) -> Report:
    """Start a platform in the new data directory `home`, kill, audit, stop."""
    ordeal = Ordeal(home, seed)
    try:
        load = ordeal.go(ordeal.random.choices(VICTIMS, k=kills), givers)
    finally:
        ordeal.end()
    return Report(
        seed=seed,
        kills=dict(sorted(ordeal.kills.items())),
        gifts=load.taken,
        paid=len(load.paid),
        retried=load.retried,
        pages=load.pages,
        slowest_recovery=round(ordeal.slowest, 2),
        findings=ordeal.findings,
    )
