"""The paper plan for 500 million people a day: `python -m bench.forest.plan` prints the table of the explanation.

`MEASURED` are figures of this house on two cores (`commonweal bench forest ingest|collect|sizes`); `ASSUMED` is what
nobody here could measure. Everything else follows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """Speeds of both cores together, and bytes a row with its indexes, of full tables."""

    deeds_a_second: int
    collects_a_second: int
    harvests_a_second: int
    deed: int
    seen: int
    bubble: int
    collect: int
    holding: int
    cores: int = 2


@dataclass(frozen=True, slots=True)
class Assumed:
    """How people behave, and what machines are bought."""

    people: int = 500_000_000
    deeds: float = 5
    bubbles: float = 3
    collects: float = 3
    peak: float = 5
    """Deeds of the busiest second over the mean."""
    rush: float = 0.30
    """Share of the people who gather within the rush."""
    rush_seconds: int = 900
    worker_cores: int = 32
    efficiency: float = 0.7
    """Of a core of a large machine, against one of ours."""
    utilisation: float = 0.5
    copies: int = 2
    hot_days: int = 5
    dedupe_days: int = 91
    """Older deeds are refused (`deed.old`), so an event need not be known any longer."""


MEASURED = Measured(50_102, 14_146, 3_425, deed=109, seen=105, bubble=135, collect=156, holding=117)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a day comes to: rows, bytes, operations a second at the peak, cores, workers."""

    deeds: int
    bubbles: int
    collects: int
    day_bytes: int
    hot_bytes: int
    dedupe_bytes: int
    people_bytes: int
    deeds_peak: int
    collects_peak: int
    harvests_peak: int
    cores: int
    workers: int
    worker_bytes: int


def plan(m: Measured = MEASURED, a: Assumed | None = None) -> Plan:
    """The plan that follows from what was measured and assumed."""
    a = a or Assumed()
    deeds, bubbles, collects = (round(a.people * each) for each in (a.deeds, a.bubbles, a.collects))
    day_bytes = deeds * m.deed + bubbles * m.bubble + collects * m.collect
    deeds_peak = round(deeds / 86_400 * a.peak)
    harvests_peak = round(a.people * a.rush / a.rush_seconds)
    collects_peak = round(collects * a.rush / a.rush_seconds / 3)  # over three bubbles each, one in three in the rush
    ours = (
        deeds_peak / m.deeds_a_second + harvests_peak / m.harvests_a_second + collects_peak / m.collects_a_second
    ) * m.cores
    cores = math.ceil(ours / a.efficiency / a.utilisation)
    workers = math.ceil(cores / a.worker_cores)
    hot = day_bytes * a.hot_days * a.copies
    dedupe = deeds * m.seen * a.dedupe_days * a.copies
    people = a.people * m.holding * a.copies
    return Plan(
        deeds, bubbles, collects, day_bytes, hot, dedupe, people, deeds_peak, collects_peak, harvests_peak, cores,
        workers, (hot + dedupe + people) // workers,
    )  # fmt: skip


def lines(m: Measured = MEASURED, a: Assumed | None = None) -> Iterator[str]:
    """The table, as it stands in the explanation."""
    a = a or Assumed()
    p = plan(m, a)
    yield "| What | Comes to | From |"
    yield "|---|---|---|"
    for what, value, source in (
        ("deeds a day", f"{p.deeds:,}", f"{a.people:,} people x {a.deeds:g}"),
        ("bubbles a day", f"{p.bubbles:,}", f"x {a.bubbles:g}, merged by person, kind and day"),
        ("friends' collects a day", f"{p.collects:,}", f"x {a.collects:g}; a harvest writes no row of its own"),
        (
            "rows' bytes a day",
            _bytes(p.day_bytes),
            f"deed {m.deed} B, bubble {m.bubble} B, collect {m.collect} B, indexes included",
        ),
        ("hot", _bytes(p.hot_bytes), f"{a.hot_days} days, {a.copies} copies; then a day's partition is dropped"),
        ("events known", _bytes(p.dedupe_bytes), f"{m.seen} B each, {a.dedupe_days} days, {a.copies} copies"),
        ("balances of people", _bytes(p.people_bytes), f"{m.holding} B each, {a.copies} copies"),
        (
            "deeds a second at the peak",
            f"{p.deeds_peak:,}",
            f"{a.peak:g} times the mean; measured {_each(m.deeds_a_second, m)}",
        ),
        (
            "harvests a second in the rush",
            f"{p.harvests_peak:,}",
            f"{a.rush:.0%} of all within {a.rush_seconds // 60} minutes; measured {_each(m.harvests_a_second, m)}",
        ),
        ("collects a second in the rush", f"{p.collects_peak:,}", f"measured {_each(m.collects_a_second, m)}"),
        ("cores", f"{p.cores:,}", f"a core at {a.efficiency:.0%} of ours, used at {a.utilisation:.0%}"),
        ("Citus workers", f"{p.workers:,}", f"{a.worker_cores} cores each"),
        ("bytes a worker", _bytes(p.worker_bytes), "hot, events known, balances"),
    ):
        yield f"| {what} | {value} | {source} |"


def _each(speed: int, m: Measured) -> str:
    return f"{speed:,} on {m.cores} cores"


def _bytes(number: int) -> str:
    for unit, size in (("TB", 10**12), ("GB", 10**9)):
        if number >= size:
            return f"{number / size:,.1f} {unit}"
    return f"{number:,} B"


if __name__ == "__main__":
    print("\n".join(lines()))
