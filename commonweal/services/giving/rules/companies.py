"""What a company may know of its people's gifts: sums, and no sum of so few that it names somebody."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

EMPLOYEE = "employee"
"""The role of whoever lets their gifts count in the report of a company."""
LEAST = 3
"""Sums of fewer people are not told."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What employees have given to one campaign: `amount` in smallest units of `asset`."""

    campaign: uuid.UUID
    asset: str
    people: int
    gifts: int
    amount: int


def tellable(sums: Iterable[Sum]) -> tuple[list[Sum], list[Sum]]:
    """The sums that may be told, largest first, and those that are of too few people."""
    told: list[Sum] = []
    kept: list[Sum] = []
    for each in sorted(sums, key=lambda each: -each.amount):
        (told if each.people >= LEAST else kept).append(each)
    return told, kept
