"""What a time bank tells of each month that is over. All of it is past, so it never changes."""

from __future__ import annotations

import uuid
from calendar import month_name
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import banks
from commonweal.services.giving.rules.bank_reports import Event, Line, lines
from commonweal.services.giving.rules.banks import told


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A month of the calendar where the site is."""

    year: int
    number: int

    @property
    def following(self) -> Month:
        """The next one."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.number, 1, tzinfo=ZoneInfo(settings.LOCAL_ZONE))

    @property
    def title(self) -> Text:
        """The month, in words."""
        return Text(f"{month_name[self.number]} {self.year}", f"{self.year}年{self.number}月")

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02}"


@dataclass(frozen=True, slots=True)
class Ally:
    """An allied bank at the end of a month: what it owed this one (below zero: this one owed), None if fewer than three
    people had exchanged between the two."""

    bank: uuid.UUID
    name: Text
    most: int
    owed: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """A bank's month: its members at the end, who had come and gone, what was exchanged, and where it stood."""

    bank: banks.Bank
    month: Month
    members: int
    joined: int
    left: int
    lines: list[Line]
    total: Line
    allies: list[Ally]


def months(bank: banks.Bank) -> list[Month]:
    """The months of a bank that are over, the newest first."""
    each, now = _month(bank.at), _month(clock.now())
    found = []
    while each < now:
        found.append(each)
        each = each.following
    return found[::-1]


def report(bank: uuid.UUID, month: Month) -> Report:
    """One month. Raises `NotFound` (`bank.unknown`; `report.unknown` for one that is not over, or before the bank)."""
    there = banks.bank(bank)
    if month not in months(there):
        raise NotFound("report.unknown", Text("There is no report of this month.", "没有该月的报告。"))
    values = {"bank": bank, "start": month.start, "end": month.following.start}
    found, total = lines([Event(**each) for each in rows(EVENTS, values)])
    allies = [
        Ally(each["other"], Text(each["name_en"], each["name_zh"]), each["most"], told(each["people"], each["owed"]))
        for each in rows(ALLIES, values)
    ]
    return Report(there, month, **(row(MEMBERS, values) or {}), lines=found, total=total, allies=allies)


MEMBERS = """
    SELECT count(*) FILTER (WHERE admitted_at < %(end)s AND (left_at IS NULL OR left_at >= %(end)s)) AS members,
           count(*) FILTER (WHERE admitted_at >= %(start)s AND admitted_at < %(end)s) AS joined,
           count(*) FILTER (WHERE left_at >= %(start)s AND left_at < %(end)s AND admitted_at IS NOT NULL) AS left
    FROM giving_bank_member WHERE bank = %(bank)s"""

EVENTS = """
    SELECT e.category, e.payer, e.payee, e.minutes, false AS back, e.alliance IS NOT NULL AS allied
    FROM giving_exchange e
    JOIN giving_exchange_end d ON d.book = e.book AND d.id = e.id AND d.outcome = 'confirmed'
    WHERE %(bank)s IN (e.book, e.payee_bank) AND d.at >= %(start)s AND d.at < %(end)s
    UNION ALL
    SELECT e.category, e.payer, e.payee, r.minutes, true, e.alliance IS NOT NULL
    FROM giving_exchange e JOIN giving_exchange_back r ON r.book = e.book AND r.id = e.id
    WHERE %(bank)s IN (e.book, e.payee_bank) AND r.at >= %(start)s AND r.at < %(end)s AND r.minutes > 0"""

ALLIES = """
    SELECT * FROM (
        SELECT o.id AS other, o.name_en, o.name_zh, a.most, a.ended_at, a.accepted_at,
               coalesce((SELECT sum(p.amount) FROM ledger_account l
                         JOIN ledger_posting p ON p.book = l.book AND p.account = l.id
                         JOIN ledger_transfer t ON t.book = p.book AND t.id = p.transfer
                          AND t.phase IN ('posted', 'post') AND t.at < %(end)s
                         WHERE l.book = %(bank)s AND l.name = 'ally:' || a.id), 0)::bigint AS owed,
               (SELECT count(DISTINCT p) FROM giving_exchange e
                JOIN giving_exchange_end d ON d.book = e.book AND d.id = e.id AND d.outcome = 'confirmed'
                 AND d.at < %(end)s, unnest(ARRAY[e.payer, e.payee]) AS p
                WHERE (e.book, e.payee_bank) IN ((%(bank)s, o.id), (o.id, %(bank)s))) AS people
        FROM giving_alliance a
        JOIN giving_bank o ON o.id = CASE WHEN a.one = %(bank)s THEN a.other ELSE a.one END
        WHERE %(bank)s IN (a.one, a.other) AND a.accepted_at < %(end)s) x
    WHERE ended_at IS NULL OR ended_at >= %(end)s OR owed <> 0 ORDER BY accepted_at, other"""


def _month(moment: datetime) -> Month:
    local = moment.astimezone(ZoneInfo(settings.LOCAL_ZONE))
    return Month(local.year, local.month)
