"""The account that WeChat Pay or Alipay keeps for a merchant: what moved in it, and what was paid out of it.

A bill of funds (资金账单, 账务明细) is the truth about money: each payment and refund, each fee to the fen, the balance
after each. What a withdrawal was for is everything that has moved since the account was empty.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from commonweal.kernel.quantity import CNY
from commonweal.services.giving.payment.port import Entry, Kind, Settlement

LOOKS_BACK = 14
"""Days within which the account must have been empty, for what is withdrawn to be told line by line."""


class What(StrEnum):
    """What a movement is."""

    PAYMENT = "payment"
    REFUND = "refund"
    FEE = "fee"
    """Below zero: of a payment; above: given back with a refund."""
    WITHDRAWAL = "withdrawal"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Movement:
    """A line of a bill of funds, in fen: `amount` below zero has left, `balance` is what is there then.

    `reference` is that of the payment or the refund; its fee has the same. `gift` is None if the line does not name it.
    """

    number: str
    what: What
    gift: uuid.UUID | None
    reference: str
    amount: int
    balance: int


def entries(movements: Iterable[Movement]) -> list[Entry]:
    """The payments and refunds among them, each with its fee. Fees of nothing that is here are left out."""
    fees: dict[tuple[Kind, str], int] = defaultdict(int)
    found: dict[str, Entry] = {}
    for each in movements:
        if each.what is What.FEE:
            fees[Kind.PAYMENT if each.amount < 0 else Kind.REFUND, each.reference] -= each.amount
        elif each.what in (What.PAYMENT, What.REFUND):
            found[each.number] = Entry(Kind(each.what.value), each.gift, each.amount, CNY.code, each.reference)
    # Of several refunds under one reference, the first has the whole fee: they are of one gift, and so is the sum.
    return [replace(each, fee=fees.pop((each.kind, each.reference), 0)) for each in found.values()]


def with_fees(stated: Iterable[Entry], movements: Iterable[Movement]) -> list[Entry]:
    """What a bill of trade states, with the fees that have really moved: by gift, or by reference if none is named."""
    fees: dict[tuple[Kind, uuid.UUID | str], int] = defaultdict(int)
    for each in entries(movements):
        fees[each.kind, each.gift or each.reference] += each.fee
    return [
        replace(each, fee=fees.pop((each.kind, each.reference), 0) or fees.pop((each.kind, each.gift or ""), 0))
        for each in stated
    ]


def settled_on(day: date, moved_on: Callable[[date], list[Movement]]) -> list[Settlement]:
    """What was withdrawn on a day, for all that had moved since the account was empty; `moved_on` reads a day."""
    moved = moved_on(day)
    numbers = {each.number for each in moved if each.what is What.WITHDRAWAL}
    back = 0
    while numbers and not _is_begun_empty(moved) and back < LOOKS_BACK:
        back += 1
        moved = moved_on(day - timedelta(days=back)) + moved
    return [each for each in withdrawals(moved) if each.reference in numbers]


def _is_begun_empty(movements: Sequence[Movement]) -> bool:
    return bool(movements) and movements[0].balance == movements[0].amount


def withdrawals(movements: Iterable[Movement]) -> list[Settlement]:
    """What was paid into the bank, and for which lines, oldest first.

    If some of the balance was left, or something else has moved in the account, the lines are not the sum of what was
    paid: such a settlement differs, and is listed.
    """
    found: list[Settlement] = []
    since: list[Movement] = []
    for each in movements:
        if each.what is What.WITHDRAWAL:
            found.append(Settlement(each.number, -each.amount, CNY.code, tuple(entries(since))))
            since = since if each.balance else []
        else:
            since.append(each)
    return found
