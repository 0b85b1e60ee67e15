"""A provider's statement against our books: every difference is listed, none is adjusted."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
    book: uuid.UUID | None = None
    """Where it is in our books; unknown of theirs."""
    fee: int = 0
    """What the provider has kept of it (negative: has given back with it)."""

    @property
    def key(self) -> Key:
        """What the same line is known by on both sides."""
        return self.kind, self.gift or self.reference, self.asset


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


KINDS: dict[str, Text] = {
    "payment": Text("payment", "付款"),
    "refund": Text("refund", "退款"),
    "chargeback": Text("chargeback", "拒付"),
    "settlement": Text("settlement", "结算"),
    "fee": Text("fee", "手续费"),
}
"""What differs."""


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


def named(here: Sequence[Line], there: Iterable[Line]) -> list[Line]:
    """Their lines, with the gift and the book of ours: by gift, or, where they name none, by reference."""
    ours = {line.key: line for line in here}
    by_reference = {(line.kind, line.reference): line for line in here}
    found = []
    for line in there:
        our = ours.get(line.key) or (by_reference.get((line.kind, line.reference)) if line.gift is None else None)
        found.append(replace(line, gift=our.gift, book=our.book) if our else line)
    return found


def compare(here: Sequence[Line], there: Iterable[Line]) -> list[Difference]:
    """All differences between our lines of a day and the provider's, by kind, gift and asset.

    A line of theirs that names no gift finds it by its reference; if it does not, it stands alone.
    """
    ours: Counter[Key] = Counter()
    theirs: Counter[Key] = Counter()
    references: dict[Key, str] = {}
    for line in here:
        ours[line.key] += line.amount
        references[line.key] = line.reference
    for line in named(here, there):
        theirs[line.key] += line.amount
        references.setdefault(line.key, line.reference)
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
        kind, who, asset = key
        gift = who if isinstance(who, uuid.UUID) else None
        found.append(Difference(fault, kind, gift, references[key], asset, ours[key], theirs[key]))
    return found


FEE = "fee"
"""The kind of a difference of a fee."""


def fees(here: Sequence[Line], there: Iterable[Line]) -> list[Difference]:
    """All differences between the fees in our books and those that the provider says it has kept.

    Of lines that are on both sides; the others are differences by themselves.
    """
    ours: Counter[Key] = Counter()
    theirs: Counter[Key] = Counter()
    references: dict[Key, str] = {}
    known = {line.key for line in here}
    for line in here:
        ours[line.key] += line.fee
        references[line.key] = line.reference
    for line in named(here, there):
        if line.key in known:
            theirs[line.key] += line.fee
    return [
        Difference(Fault.AMOUNT, FEE, who if isinstance(who, uuid.UUID) else None, references[key], asset, ours[key],
                   theirs[key])
        for key in sorted(theirs, key=str)
        for _, who, asset in [key]
        if ours[key] != theirs[key]
    ]  # fmt: skip


SETTLEMENT = "settlement"
"""The kind of a difference of a settlement."""


def settled(reference: str, amount: int, asset: str, here: Sequence[Line], there: Sequence[Line]) -> Difference | None:
    """What is wrong with a settlement of `amount` for lines `there`, ours being `here`; None if it can be booked.

    Each of its lines must be known here, a payment with its amount, and their sum, less the fees, must be what was
    paid. (Of refunds one gift may have several; their amounts are compared on their own day.)
    """
    paid = {line.key: line.amount for line in here if line.kind == "payment"}
    lines = [line for line in named(here, there) if line.asset == asset]
    known = [line for line in lines if line.book and paid.get(line.key, line.amount) == line.amount]
    ours = sum(line.amount - line.fee for line in known)
    if ours != amount:
        return Difference(Fault.AMOUNT, SETTLEMENT, None, reference, asset, ours, amount)
    if len(known) < len(there):
        return Difference(Fault.MISSING_HERE, SETTLEMENT, None, reference, asset, ours, amount)
    return None
