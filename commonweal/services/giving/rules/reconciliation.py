"""A provider's statement against our books: every difference is listed, none is adjusted."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from commonweal.kernel.text import Text


@dataclass(frozen=True, slots=True)
class Line:
    """Money that came in (positive) or went back (negative), in smallest units. `gift` is None if nobody knows it."""

    kind: str
    gift: uuid.UUID | None
    amount: int
    asset: str
    reference: str


Key = tuple[str, uuid.UUID | str, str]
"""Kind, gift (its reference if nobody knows the gift), asset."""


class Fault(StrEnum):
    """What is wrong."""

    MISSING_HERE = "missing-here"
    MISSING_THERE = "missing-there"
    AMOUNT = "amount"


FAULTS: dict[Fault, Text] = {
    Fault.MISSING_HERE: Text("in the statement, not in our books", "对账单有，账簿无"),
    Fault.MISSING_THERE: Text("in our books, not in the statement", "账簿有，对账单无"),
    Fault.AMOUNT: Text("another amount", "金额不一致"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: what is here and what is there, in smallest units of `asset`."""

    fault: Fault
    kind: str
    gift: uuid.UUID | None
    reference: str
    asset: str
    here: int
    there: int


def compare(here: Iterable[Line], there: Iterable[Line]) -> list[Difference]:
    """All differences between our lines of a day and the provider's, by kind, gift and asset.

    A line of theirs that names no gift finds it by its reference; if it does not, it stands alone.
    """
    ours: Counter[Key] = Counter()
    theirs: Counter[Key] = Counter()
    references: dict[Key, str] = {}
    gift_of: dict[tuple[str, str], uuid.UUID | None] = {}
    for line in here:
        ours[line.kind, line.gift or line.reference, line.asset] += line.amount
        references[line.kind, line.gift or line.reference, line.asset] = line.reference
        gift_of[line.kind, line.reference] = line.gift
    for line in there:
        who = line.gift or gift_of.get((line.kind, line.reference)) or line.reference
        theirs[line.kind, who, line.asset] += line.amount
        references.setdefault((line.kind, who, line.asset), line.reference)
    found = []
    for key in sorted(ours.keys() | theirs.keys(), key=str):
        if key not in ours:
            fault = Fault.MISSING_HERE
        elif key not in theirs:
            fault = Fault.MISSING_THERE
        elif ours[key] != theirs[key]:
            fault = Fault.AMOUNT
        else:
            continue
        kind, named, asset = key
        gift = named if isinstance(named, uuid.UUID) else None
        found.append(Difference(fault, kind, gift, references[key], asset, ours[key], theirs[key]))
    return found
