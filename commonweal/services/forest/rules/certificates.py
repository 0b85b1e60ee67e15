"""One certificate is one planting position. Its number, the five numbers of a plot, and what is owed when trees die."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.text import Text

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U."""

_NUMBER = re.compile(
    r"(?P<plot>[0-9A-HJKMNP-TV-Z]{3,8})-(?P<season>[0-9]{4}[SA])-(?P<seq>[0-9]{5,7})-(?P<check>[0-9A-Z*~$=])"
)
_CHECKS = ALPHABET + "*~$=U"

CREDIBLE_ERROR = 0.20
"""Relative half-width at 90 % confidence beyond which a survival estimate is discounted (Gold Standard A/R)."""


@dataclass(frozen=True, slots=True)
class Number:
    """A certificate's number: plot, season (`2027S` spring, `2027A` autumn) and the position's place in the plot.

    Written `CF12-2027S-000042-K`; the last sign is a check digit (modulo 37), so that a slip of the pen is noticed.
    It says nothing about a person.
    """

    plot: str
    season: str
    seq: int

    def __str__(self) -> str:
        body = f"{self.plot}-{self.season}-{self.seq:06d}"
        return f"{body}-{_check(body)}"


def parse_number(text: str) -> Number:
    """Read a certificate's number; small letters and blanks are forgiven. Raises `Invalid` `certificate.number`."""
    match = _NUMBER.fullmatch(text.strip().upper())
    if match is None or _check(text.strip().upper().rpartition("-")[0]) != match["check"]:
        raise Invalid(
            "certificate.number",
            Text("This is not a certificate number; check it sign by sign.", "证书编号有误，请逐位核对。"),
            field="number",
        )
    return Number(match["plot"], match["season"], int(match["seq"]))


def _check(body: str) -> str:
    value = 0
    for sign in body.replace("-", ""):
        value = (value * 32 + ALPHABET.index(sign)) % 37
    return _CHECKS[value]


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot's promise: how many positions the land contract allows, how many are paid for, how many are given out."""

    capacity: int
    funded: int
    issued: int

    @property
    def free(self) -> int:
        """Positions that can be promised now: never more than contracted and funded."""
        return max(0, min(self.capacity, self.funded) - self.issued)


def promise(plot: Plot) -> int:
    """The next position, counted from 1. Raises `Conflict` `plot.full` if none is contracted and paid for."""
    if plot.free == 0:
        raise Conflict("plot.full", Text("Every position here is taken.", "这里的位置都已认领。"))
    return plot.issued + 1


@dataclass(frozen=True, slots=True)
class Numbers:
    """The five numbers of a plot, which are five different things. `alive` is the lower bound of its interval."""

    pledged: int
    funded: int
    planted: int
    verified: int
    alive: int

    def __post_init__(self) -> None:
        if not self.pledged >= self.funded >= self.planted >= self.verified >= self.alive >= 0:
            raise ValueError(f"pledged >= funded >= planted >= verified >= alive does not hold: {self}")


@dataclass(frozen=True, slots=True)
class Duty:
    """What follows from a survey: trees to replant, and of 1,000 certificates how many count until that is done."""

    replant: int
    counted_per_mille: int


def duty(planted: int, promised_survival: float, low: float, estimate: float, relative_error: float) -> Duty:
    """What a steward owes after a survey.

    `low` and `estimate` are survival shares (lower bound and mean), `relative_error` is the half-width at 90 %
    confidence over the mean. If the estimate falls short of the promise, the missing trees are replanted. Certificates
    count in full while the promise holds and the survey is precise; else by the share that is surely alive.
    """
    short = max(0.0, promised_survival - estimate)
    replant = math.ceil(round(planted * short, 6))  # a share like 0.8 - 0.6 is no exact number
    if short == 0 and relative_error <= CREDIBLE_ERROR:
        return Duty(0, 1000)
    return Duty(replant, min(1000, int(1000 * low / promised_survival)) if promised_survival else 1000)
