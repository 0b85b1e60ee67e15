"""A time bank's month, told so that nobody's minutes can be worked out: sums, and differences of sums, are of three
people and more."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from commonweal.kernel.text import Text
from commonweal.services.giving.rules.banks import CATEGORIES, TOLD_FROM, told_apart


@dataclass(frozen=True, slots=True)
class Event:
    """Minutes that moved in a month, or went `back`, between two members; `allied`: of two banks."""

    category: str
    payer: uuid.UUID
    payee: uuid.UUID
    minutes: int
    back: bool
    allied: bool


@dataclass(frozen=True, slots=True)
class Line:
    """What a month came to, of one category or of all. A sum that would tell on somebody is None."""

    category: str
    exchanges: int
    people: int
    minutes: int | None
    given_back: int | None
    with_allies: int | None

    @property
    def title(self) -> Text:
        """The category, in words."""
        return CATEGORIES.get(self.category, Text("All together", "合计"))


def lines(events: Collection[Event]) -> tuple[list[Line], Line]:
    """The categories of a month, the most first, then what is not told; and all together.

    All together is told only if what it has beyond the categories that are told is of three people and more, too.
    """
    of = {
        category: [each for each in events if each.category == category]
        for category in sorted({each.category for each in events})
    }
    found = [_line(category, theirs, theirs) for category, theirs in of.items()]
    silent = [each for line in found if line.minutes is None for each in of[line.category] if not each.back]
    silent_back = [each for line in found if line.given_back is None for each in of[line.category] if each.back]
    whole = _line("", list(events), [])
    total = Line(
        whole.category,
        whole.exchanges,
        whole.people,
        whole.minutes if not silent or _enough(silent) else None,
        whole.given_back if not silent_back or _enough(silent_back) else None,
        None,
    )
    return sorted(found, key=lambda line: (-(line.minutes or 0), line.category)), total


def _line(category: str, events: Collection[Event], apart: Collection[Event]) -> Line:
    """`apart`: of which those with allies are told apart from the others."""
    given = [each for each in events if not each.back]
    allied = [each for each in apart if each.allied and not each.back]
    others = [each for each in apart if not each.allied and not each.back]
    return Line(
        category,
        len(given),
        len(_people(given)),
        _sum(given),
        _sum([each for each in events if each.back]),
        told_apart(len(_people(allied)), len(_people(others)), sum(each.minutes for each in allied)),
    )


def _sum(events: Collection[Event]) -> int | None:
    return sum(each.minutes for each in events) if not events or _enough(events) else None


def _enough(events: Iterable[Event]) -> bool:
    return len(_people(events)) >= TOLD_FROM


def _people(events: Iterable[Event]) -> set[uuid.UUID]:
    return {person for each in events for person in (each.payer, each.payee)}
