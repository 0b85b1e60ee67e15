"""What a deed is worth: the stronger its evidence, the more grams a day it may earn.

A: signed by the operator who saw it (a gate, a till); B: attested by the device's own health service; C: judged from
a track; D: the person's own word.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import pstdev
from typing import Literal

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text

Grade = Literal["A", "B", "C", "D"]

DAY_LIMITS: dict[Grade, int] = {"A": 2000, "B": 600, "C": 150, "D": 5}
"""Grams that one person can earn in one day on evidence of a grade."""

OLDEST = timedelta(days=90)
AHEAD = timedelta(minutes=5)
"""How far a device's clock may be ahead of ours."""

STEPS_LIMIT = 100_000
"""Steps of one day beyond which a person looks first."""
STEADY = 0.02
"""Relative spread of steps a minute below which they were not walked: people vary by 5 % and more."""

_EVENT = re.compile(r"[!-~]{1,100}")


@dataclass(frozen=True, slots=True)
class Claim:
    """A deed as its source reports it. `quantity` is in the method's unit (metres, trips, sheets), whole and positive.

    `event` is the source's own name for the event: a claim is the same claim if source and event are the same,
    whatever else it says.
    """

    source: str
    event: str
    kind: str
    quantity: int
    happened: datetime
    grade: Grade


def check(claim: Claim, recorded: datetime) -> Claim:
    """Return the claim if it can be taken, else raise `Invalid`.

    Codes: `deed.event`, `deed.time-zone`, `deed.future`, `deed.old`, `deed.quantity`.
    """
    if not _EVENT.fullmatch(claim.event):
        raise Invalid(
            "deed.event",
            Text(
                "The event needs an id of 1 to 100 printable ASCII characters.",
                "事件编号须为 1 至 100 个可打印 ASCII 字符。",
            ),
            field="event",
        )
    if claim.happened.tzinfo is None:
        raise Invalid("deed.time-zone", Text("Give the time with its zone.", "时间须带时区。"), field="happened")
    if claim.happened > recorded + AHEAD:
        raise Invalid("deed.future", Text("This has not happened yet.", "这件事尚未发生。"), field="happened")
    if claim.happened < recorded - OLDEST:
        raise Invalid(
            "deed.old",
            Text("Deeds count for 90 days; this is older.", "行为须在 90 天内上报，这一条太早了。"),
            field="happened",
        )
    if not 0 < claim.quantity <= 10_000_000:
        raise Invalid("deed.quantity", Text("The quantity is out of range.", "数量超出范围。"), field="quantity")
    return claim


def limited(grams: int, grade: Grade, earned_today: int) -> int:
    """What of `grams` counts, if `earned_today` grams have been earned on this grade today."""
    return max(0, min(grams, DAY_LIMITS[grade] - earned_today))


@dataclass(frozen=True, slots=True)
class Steps:
    """A day's step counts of one device: readings of the counter `(moment, steps so far)`, in order of time."""

    readings: Sequence[tuple[datetime, int]]
    typed_in: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """What a day's steps come to. `held` names the reason why a person looks first; then nothing is credited yet."""

    steps: int
    held: str | None = None


def count_steps(day: Steps) -> Counted:
    """The steps of a day, or why they are held.

    Steps typed in by hand count nothing. The counter may not run backwards (`steps.backwards`), more than 100,000
    (`steps.many`) or a cadence without any variation over 20 minutes (`steps.steady`: a shaker) are held.
    """
    if day.typed_in or not day.readings:
        return Counted(0)
    counts = [count for _, count in day.readings]
    if any(later < earlier for earlier, later in itertools.pairwise(counts)) or counts[0] < 0:
        return Counted(0, "steps.backwards")
    total = counts[-1]
    if total > STEPS_LIMIT:
        return Counted(0, "steps.many")
    rates = [
        (b - a) / minutes
        for (t, a), (u, b) in zip(day.readings, day.readings[1:], strict=False)
        if (minutes := (u - t).total_seconds() / 60) > 0 and b > a
    ]
    walked = sum(
        (u - t).total_seconds() / 60 for (t, a), (u, b) in zip(day.readings, day.readings[1:], strict=False) if b > a
    )
    if len(rates) >= 5 and walked >= 20 and pstdev(rates) < STEADY * (sum(rates) / len(rates)):
        return Counted(0, "steps.steady")
    return Counted(total)


def settled_steps(day: Steps) -> int:
    """The steps of a day that can be credited, at least 1. Raises `Invalid` with the reason why not."""
    counted = count_steps(day)
    for code, en, zh in (
        ("steps.backwards", "The counter runs backwards in this series.", "这组数据里的计步倒退了。"),
        ("steps.many", "More than 100,000 steps in a day are not credited.", "一天超过十万步不予计入。"),
        ("steps.steady", "These steps are as even as a machine's.", "这组步数匀得像机器摇出来的。"),
    ):
        if counted.held == code:
            raise Invalid(code, Text(en, zh), field="steps")
    if counted.steps == 0:
        raise Invalid(
            "steps.none", Text("There are no counted steps in this.", "这里没有可计入的步数。"), field="steps"
        )
    return counted.steps
