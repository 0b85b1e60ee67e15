"""What the people of a company have given and worked since they joined its report."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from commonweal.kernel import clock
from commonweal.kernel.errors import Invalid
from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.rules import companies as rules
from commonweal.services.giving.rules.deeds import MINUTES


@dataclass(frozen=True, slots=True)
class Line:
    """What employees gave to a campaign in a quarter: `number` gifts of money, or shifts of minutes."""

    quarter: int
    campaign: uuid.UUID
    title: Text
    asset: Asset
    people: int
    number: int
    amount: int


@dataclass(frozen=True, slots=True)
class Report:
    """The report of a company's year: what may be told of the quarters that are over, and how many sums are kept back.

    `next` is when the next quarter of the year is told, None if all are.
    """

    year: int
    employees: int
    gifts: list[Line]
    hours: list[Line]
    kept_back: int
    next: datetime | None

    @property
    def totals(self) -> list[tuple[Asset, int]]:
        """The sums of what is told, by asset: no more can be subtracted from them than stands there."""
        sums: Counter[str] = Counter()
        assets = {line.asset.code: line.asset for line in (*self.gifts, *self.hours)}
        for line in (*self.gifts, *self.hours):
            sums[line.asset.code] += line.amount
        return [(asset, sums[code]) for code, asset in assets.items()]


JOINED = """
    SELECT party_id AS person, granted_at, coalesce(revoked_at, 'infinity') AS revoked_at FROM parties_grant
    WHERE within_id = %(company)s AND role = %(role)s"""

GIFTS = f"""
    SELECT quarter, campaign, asset, count(DISTINCT person) AS people, count(*) AS number,
           sum(amount)::bigint AS amount, title_en, title_zh
    FROM (
        SELECT extract(quarter FROM p.at AT TIME ZONE %(zone)s)::int AS quarter, g.book AS campaign, c.asset, e.person,
               c.title_en, c.title_zh, p.amount - coalesce((
                   SELECT sum(r.amount - r.tip) FROM giving_return r
                   JOIN giving_return_end d ON d.book = r.book AND d.id = r.id AND d.outcome = 'done'
                   WHERE r.book = p.book AND r.gift = p.gift
                     AND d.at < (date_trunc('quarter', p.at AT TIME ZONE %(zone)s) + interval '3 months')
                                AT TIME ZONE %(zone)s), 0) AS amount
        FROM ({JOINED}) e
        JOIN giving_gift g ON g.giver = e.person AND g.at >= e.granted_at AND g.at < e.revoked_at
        JOIN giving_payment p ON p.book = g.book AND p.gift = g.id AND p.at >= %(start)s AND p.at < %(end)s
        JOIN giving_campaign c ON c.id = g.book
    ) given WHERE amount > 0 GROUP BY quarter, campaign, asset, title_en, title_zh"""

HOURS = f"""
    SELECT quarter, campaign, '{MINUTES.code}' AS asset, count(DISTINCT person) AS people, count(*) AS number,
           sum(minutes)::bigint AS amount, title_en, title_zh
    FROM (
        SELECT extract(quarter FROM h.at AT TIME ZONE %(zone)s)::int AS quarter, s.campaign, h.person,
               c.title_en, c.title_zh, (
                   SELECT l.minutes FROM giving_hours l
                   WHERE l.shift = h.shift AND l.person = h.person
                     AND l.at < (date_trunc('quarter', h.at AT TIME ZONE %(zone)s) + interval '3 months')
                                AT TIME ZONE %(zone)s
                   ORDER BY l.nth DESC LIMIT 1) AS minutes
        FROM ({JOINED}) e
        JOIN giving_hours h ON h.person = e.person AND h.nth = 1 AND h.at >= %(start)s AND h.at < %(end)s
        JOIN giving_shift s ON s.id = h.shift AND lower(s.span) >= e.granted_at AND lower(s.span) < e.revoked_at
        JOIN giving_campaign c ON c.id = s.campaign
    ) worked WHERE minutes > 0 GROUP BY quarter, campaign, title_en, title_zh"""


def report(company: uuid.UUID, year: int) -> Report:
    """What employees have given and worked in the quarters of a year (of the local calendar) that are over."""
    zone, now = ZoneInfo(settings.LOCAL_ZONE), clock.now()
    over = rules.over(year, now, zone)
    values = {
        "company": company,
        "role": rules.EMPLOYEE,
        "zone": settings.LOCAL_ZONE,
        "start": rules.quarter_start(year, 1, zone),
        "end": rules.quarter_start(year, over + 1, zone),
    }
    gifts, few = _tell(rows(GIFTS, values))
    hours, short = _tell(rows(HOURS, values))
    following = None if over == 4 else rules.quarter_start(year, over + 2, zone)
    return Report(year, employees(company), gifts, hours, few + short, following)


def _tell(found: list[dict[str, Any]]) -> tuple[list[Line], int]:
    titles = {each["campaign"]: Text(each.pop("title_en"), each.pop("title_zh")) for each in found}
    told, kept = rules.tellable(rules.Sum(**each) for each in found)
    return [
        Line(
            quarter=each.quarter,
            campaign=each.campaign,
            title=titles[each.campaign],
            asset=MINUTES if each.asset == MINUTES.code else asset_of(each.asset),
            people=each.people,
            number=each.number,
            amount=each.amount,
        )
        for each in told
    ], len(kept)


def years(company: uuid.UUID) -> list[int]:
    """The years since the first employee joined, newest first; this year at least."""
    zone = ZoneInfo(settings.LOCAL_ZONE)
    query = "SELECT min(granted_at) AS first FROM parties_grant WHERE within_id = %(company)s AND role = %(role)s"
    found = row(query, {"company": company, "role": rules.EMPLOYEE})
    now = clock.now()
    first = (found and found["first"]) or now
    return list(range(now.astimezone(zone).year, first.astimezone(zone).year - 1, -1))


def employees(company: uuid.UUID) -> int:
    """How many have joined."""
    query = """
        SELECT count(*) AS number FROM parties_grant
        WHERE within_id = %(company)s AND role = %(role)s AND revoked_at IS NULL"""
    found = row(query, {"company": company, "role": rules.EMPLOYEE})
    return int(found["number"]) if found else 0


def by_registration(code: str) -> uuid.UUID:
    """The organisation with a registration code. Raises `Invalid` (`company.unknown`)."""
    query = "SELECT id FROM parties_party WHERE registration = %(code)s AND kind = 'organisation'"
    found = row(query, {"code": code.strip().upper()})
    if found is None:
        raise Invalid(
            "company.unknown",
            Text("No organisation is registered here under this code.", "没有以此代码注册的机构。"),
            field="registration",
        )
    return uuid.UUID(str(found["id"]))
