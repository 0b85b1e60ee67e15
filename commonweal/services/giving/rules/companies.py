"""What a company may know of its people's gifts and hours: sums of whole quarters, none of so few that it names one.

A sum that grows before one's eyes tells who made it grow. So a quarter is told once it is over, as it stood at its end;
what happens later (a refund, a decision about hours, somebody who leaves) does not change what was told.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from commonweal.kernel.text import Text

EMPLOYEE = "employee"
"""The role of whoever lets their gifts and hours count in the report of a company."""
LEAST = 3
"""Sums of fewer people are not told."""

WITHHELD = Text(
    "Fewer than {least} people: not shown, so that nobody can be made out.",
    "不足 {least} 人，为免看出是谁，不予显示。",
).format(least=LEAST)


@dataclass(frozen=True, slots=True)
class Sum:
    """What employees have given to one campaign in a quarter: so many gifts or shifts, `amount` units of `asset`."""

    quarter: int
    campaign: uuid.UUID
    asset: str
    people: int
    number: int
    amount: int


def tellable(sums: Iterable[Sum]) -> tuple[list[Sum], list[Sum]]:
    """The sums that may be told, by quarter and then largest first, and those that are of too few people."""
    told: list[Sum] = []
    kept: list[Sum] = []
    for each in sorted(sums, key=lambda each: (each.quarter, -each.amount)):
        (told if each.people >= LEAST else kept).append(each)
    return told, kept


def quarter_start(year: int, quarter: int, zone: ZoneInfo) -> datetime:
    """When a quarter of the local calendar begins; the fifth is the first of the next year."""
    return datetime(year + quarter // 5, (quarter - 1) % 4 * 3 + 1, 1, tzinfo=zone)


def over(year: int, now: datetime, zone: ZoneInfo) -> int:
    """How many quarters of a year are over."""
    return sum(quarter_start(year, quarter + 1, zone) <= now for quarter in range(1, 5))
