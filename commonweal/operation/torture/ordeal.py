"""`commonweal torture`: the platform under load, one fault after the other, and after each the audit."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from commonweal.kernel.postgres import Server
from commonweal.operation import outside
from commonweal.operation.torture import auditor, cutter, faults, preload
from commonweal.operation.torture.disk import Disk
from commonweal.operation.torture.load import Load
from commonweal.operation.torture.power import Power
from commonweal.operation.torture.stepping import Clock

FINDINGS = ("lost", "doubled", "unproved", "unbalanced", "overdrawn", "stuck", "unavailable")
"""What may be found."""
BEFORE = (0.3, 1.5)
"""Seconds of giving before a fault."""
RECOVERY = 60.0
"""Seconds within which gifts must be taken again after a fault."""
QUIET = 180.0
"""Seconds within which all facts and jobs must be done with after the load: a lease, and the waits after failures."""
MISSING = {
    "full": "no disk was filled: no file system may be mounted here (it takes root, and a container may forbid it)",
    "clock": "no clock was stepped: there is no C compiler (cc) here, which makes the clock that can be",
    "power": "no power was lost: there is no C compiler (cc) here, which makes the disk that forgets",
}

RESTING = """
SELECT (SELECT count(*) FROM proof_staged) + (SELECT count(*) FROM jobs_job WHERE due < now())
     + (SELECT count(*) FROM giving_payment WHERE start IS NULL)
     + (SELECT count(*) FROM giving_return r WHERE NOT EXISTS (
            SELECT FROM giving_return_end e WHERE e.book = r.book AND e.id = r.id))
"""


@dataclass
class Report:
    """What happened. `recovery` is by kind of fault the longest time, in seconds, until a gift that was asked for after
    it was acknowledged; `proof` the longest until everything was in its place. `ok` if nothing was found."""

    seed: int
    disk: str
    left_out: list[str] = field(default_factory=list)
    rounds: dict[str, int] = field(default_factory=dict)
    gifts: int = 0
    paid: int = 0
    refunds: int = 0
    cuts: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    recovery: dict[str, float] = field(default_factory=dict)
    proof: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    findings: list[auditor.Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the platform has kept every promise."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """The report with a count for each kind of finding."""
        kinds = Counter(finding.kind for finding in self.findings)
        return {**asdict(self), **{kind: kinds[kind] for kind in FINDINGS}, "ok": self.ok}


class Ordeal:
    """One platform with its own data directory, disk and clock in `work`, its load and its tormentor."""

    def __init__(self, work: Path, seed: int, kinds: Sequence[str] = faults.KINDS) -> None:
        self.random = random.Random(seed)  # noqa: S311
        self.home = work / "home"
        self.disk = Disk(self.home, wanted="full" in kinds)
        self.clock = Clock(work, wanted="clock" in kinds)
        self.server = Server(self.home)
        self.cuts = 0
        self.power = Power(work, self.server.cluster, wanted="power" in kinds)
        self.report = Report(seed, self.disk.kind)
        lacking = {"full": not self.disk.there, "clock": not self.clock.there, "power": not self.power.there}
        self.kinds = tuple(kind for kind in kinds if not lacking.get(kind))
        self.report.left_out = [MISSING[kind] for kind in kinds if lacking.get(kind)]
        self._port, own = outside.free_port(), outside.free_port()
        self.platform = self._start()
        self.door = cutter.before_the_web(self._port, own, self.random.randrange(2**32))
        self.way_in = own

    def _start(self) -> outside.Run:
        libraries = preload.before(self.clock.library, self.power.library)
        settings = {**libraries, **self.clock.environment, **self.power.environment}
        return outside.Run(self.home, self._port, workers=2, **settings)

    def restart(self) -> None:
        """See `faults.Scene`."""
        self.platform = self._start()

    def go(self, struck: Sequence[faults.Fault], givers: int) -> Report:
        """One round a fault: people give, it strikes, they give again; all comes to rest, and is audited.

        Ends with the first round in which something is found.
        """
        begun = time.monotonic()
        self.platform.wait()
        if self.power.there:
            self.platform.stop()
            self.power.begin()
            self.restart()
            self.platform.wait()
        with psycopg.connect(self.server.conninfo()) as connection:
            earlier = auditor.gifts(connection)
        with Load(self.way_in, self.home, self.random.randrange(2**32), givers) as load:
            for number, fault in enumerate(struck, 1):
                self._round(fault, load)
                if not self.report.findings:
                    self._rest(fault.kind)
                    self.report.findings += self._audit(load, earlier)
                self._tell(f"{number}/{len(struck)}: {fault.name}, {load.taken} gifts")
                if self.report.findings:
                    break
        journal = load.journal()
        self.report.gifts, self.report.paid = len(journal), sum(gift.paid for gift in journal)
        self.report.refunds = sum(len(gift.refunds) for gift in journal)
        self.report.statuses = dict(sorted(load.statuses.items()))
        self.report.cuts = self.cuts + self.door.cuts
        self.report.seconds = round(time.monotonic() - begun, 1)
        return self.report

    def end(self) -> None:
        """Stop the platform; nothing of it is left alive or mounted."""
        try:
            self.door.close()
            self.platform.stop()
            outside.wait_until_gone(self.home)
        finally:
            self.disk.end()

    def _round(self, fault: faults.Fault, load: Load) -> None:
        load.go()
        try:
            if self._recovers(load) is None:
                return
            time.sleep(self.random.uniform(*BEFORE))
            fault.strike(self, self.random)
            self.report.rounds[fault.name] = self.report.rounds.get(fault.name, 0) + 1
            if (seconds := self._recovers(load)) is not None:
                self._longest(self.report.recovery, fault.kind, seconds)
        except BaseException:
            load.give_up()
            raise
        finally:
            load.stand()

    def _recovers(self, load: Load) -> float | None:
        """Seconds until a gift has been taken that was asked for from now on; None if none is."""
        since = time.monotonic()
        while load.last_asked < since:
            if time.monotonic() - since > RECOVERY or self.platform.process.poll() is not None:
                why = f"no gift for {time.monotonic() - since:.0f} s; at last: {self.platform.words()[-500:]}"
                self.report.findings.append(auditor.Finding("unavailable", why))
                load.give_up()
                return None
            time.sleep(0.01)
        return time.monotonic() - since

    def _rest(self, kind: str) -> None:
        """Wait until everything has its place and no job is due, or as long as that may take."""
        begun = time.monotonic()
        while time.monotonic() - begun < QUIET:
            try:
                with psycopg.connect(self.server.conninfo()) as connection:
                    if connection.execute(RESTING).fetchone() == (0,):
                        break
            except psycopg.OperationalError:
                pass
            time.sleep(0.2)
        self._longest(self.report.proof, kind, time.monotonic() - begun)

    def _audit(self, load: Load, earlier: set[Any]) -> Iterator[auditor.Finding]:
        yield from (auditor.Finding("unavailable", what) for what in load.unexpected)
        if broken := {status: n for status, n in load.statuses.items() if status >= 500 and status != 503}:
            yield auditor.Finding("unavailable", f"answers that nobody meant to give: {broken}")
        with psycopg.connect(self.server.conninfo()) as connection:
            vkey = (self.home / "keys" / "log.vkey").read_text()
            yield from auditor.audit(connection, vkey, load.journal(), earlier=earlier, seen=load.checkpoints)

    @staticmethod
    def _longest(times: dict[str, float], kind: str, seconds: float) -> None:
        times[kind] = max(times.get(kind, 0.0), round(seconds, 2))

    @staticmethod
    def _tell(what: str) -> None:
        print(what, file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def ordeal(work: Path, seed: int, kinds: Sequence[str] = faults.KINDS) -> Iterator[Ordeal]:
    """An ordeal in the empty directory `work`; after it nothing is left alive or mounted."""
    made = Ordeal(work, seed, kinds)
    try:
        yield made
    finally:
        made.end()


def torture(work: Path, rounds: int, seed: int, givers: int, kinds: Sequence[str] = faults.KINDS) -> Report:
    """Torture a new platform in the empty directory `work`."""
    with ordeal(work, seed, kinds) as made:
        return made.go(faults.choose(made.kinds, rounds, made.random), givers)
