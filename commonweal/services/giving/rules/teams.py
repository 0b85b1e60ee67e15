"""People who give together to one campaign: a class, colleagues, the guests of a birthday."""

from __future__ import annotations

from commonweal.services.giving.rules import texts

LONGEST = 40
"""Characters of a team's name."""
TOLD_FROM = 3
"""Givers from whom on a team's sum is told: of fewer, one could work out who gave what."""


def check_name(name: str) -> str:
    """The name as it is kept. Raises `Invalid` (`text.*`)."""
    return texts.check(name, "name", LONGEST)


def told(people: int, amount: int) -> int | None:
    """What is said of a team's sum."""
    return amount if people >= TOLD_FROM else None
