"""Does the meadow change how people travel? A randomised hold-out, fixed before the first person takes part.

Who agrees is assigned by a seed whose hash is published first: most find their meadow open, the others wait for theirs
some weeks, with nothing lost. What is compared is the mean of trips a week that operators have recorded (grade A alone:
nobody's own word), by assignment, whatever people then did (intention to treat).
"""

from __future__ import annotations

import hashlib
import hmac
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from commonweal.services.forest.survey.students import quantile

CONFIDENCE = 0.95
CONSENT = "forest.study"

Arm = Literal["open", "waiting"]


@dataclass(frozen=True, slots=True)
class Design:
    """What is fixed beforehand: `waiting` of 1,000 wait, each for `weeks`; `least` people in each group are needed.

    People may join from `begins` until `ends`; the last window is over `weeks` later.
    """

    key: str
    begins: datetime
    ends: datetime
    weeks: int
    waiting: int
    least: int

    @property
    def window(self) -> timedelta:
        """The time of each person in which trips count, from joining on."""
        return timedelta(weeks=self.weeks)

    @property
    def over(self) -> datetime:
        """When the last window is over: nobody looks at an outcome before."""
        return self.ends + self.window


def arm(seed: bytes, person: uuid.UUID, waiting: int) -> Arm:
    """The group of a person: HMAC-SHA256 of their id under the seed, its first 8 bytes as a share of one."""
    number = int.from_bytes(hmac.digest(seed, person.bytes, "sha256")[:8], "big")
    return "waiting" if number * 1000 < waiting << 64 else "open"


def commitment(seed: bytes) -> str:
    """The SHA-256 of a seed, in hex: published before, the seed itself after the end."""
    return hashlib.sha256(seed).hexdigest()


@dataclass(frozen=True, slots=True)
class Group:
    """People of a group, and the mean and variance of their trips a week."""

    people: int
    mean: float
    variance: float


def group(trips: Sequence[int], weeks: int) -> Group:
    """A group from the trips of each of its people in their windows."""
    n = len(trips)
    mean = sum(trips) / n if n else 0.0
    variance = sum((each - mean) ** 2 for each in trips) / (n - 1) if n > 1 else 0.0
    return Group(n, mean / weeks, variance / weeks**2)


@dataclass(frozen=True, slots=True)
class Effect:
    """The difference of the means in trips a week, open less waiting, with its interval (Welch, 95 %)."""

    open: Group
    waiting: Group
    difference: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def effect(design: Design, opened: Sequence[int], waiting: Sequence[int]) -> Effect | None:
    """The effect, or None: not yet enough data. Degrees of freedom after Welch (1947) and Satterthwaite (1946)."""
    a, b = group(opened, design.weeks), group(waiting, design.weeks)
    if min(a.people, b.people) < max(2, design.least):
        return None
    one, two = a.variance / a.people, b.variance / b.people
    error = math.sqrt(one + two)
    difference = a.mean - b.mean
    if error == 0:
        return Effect(a, b, difference, difference, difference)
    freedom = (one + two) ** 2 / (one**2 / (a.people - 1) + two**2 / (b.people - 1))
    half = quantile(CONFIDENCE, max(1, int(freedom))) * error
    return Effect(a, b, difference, difference - half, difference + half)
