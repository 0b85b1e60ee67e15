"""Monthly reports of time banks."""

from __future__ import annotations

import uuid

from django.http import HttpRequest
from ninja import Router, Schema

from commonweal.services.giving.api.shapes import Both
from commonweal.services.giving.queries import bank_reports as queries
from commonweal.services.giving.queries import banks

router = Router()


class BankMonthLine(Schema):
    """A category (empty: all together). Sums that would tell on fewer than three people are null."""

    category: str
    exchanges: int
    people: int
    minutes: int | None
    given_back: int | None
    with_allies: int | None


class BankMonthAlly(Schema):
    """An allied bank at the month's end; `owed` minutes by it, below zero by this one."""

    bank: uuid.UUID
    name: Both
    most: int
    owed: int | None


class BankMonth(Schema):
    """A bank's month."""

    month: str
    members: int
    joined: int
    left: int
    lines: list[BankMonthLine]
    total: BankMonthLine
    allies: list[BankMonthAlly]


@router.get("/banks/{uuid:bank}/reports", response=list[str], auth=None, summary="Months of a time bank that are over")
def months(request: HttpRequest, bank: uuid.UUID) -> list[str]:
    """As `2026-11`, the newest first."""
    return [str(each) for each in queries.months(banks.bank(bank))]


@router.get(
    "/banks/{uuid:bank}/reports/{int:year}/{int:month}", response=BankMonth, auth=None, summary="A bank's month"
)
def report(request: HttpRequest, bank: uuid.UUID, year: int, month: int) -> BankMonth:
    """It never changes."""
    found = queries.report(bank, queries.Month(year, month))
    return BankMonth(
        month=str(found.month),
        members=found.members,
        joined=found.joined,
        left=found.left,
        lines=[BankMonthLine.from_orm(each) for each in found.lines],
        total=BankMonthLine.from_orm(found.total),
        allies=[BankMonthAlly.from_orm(each) for each in found.allies],
    )
