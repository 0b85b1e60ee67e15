"""What the people of a company have given since they joined its report."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from commonweal.kernel.errors import Invalid
from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.queries.returns import GONE
from commonweal.services.giving.rules import companies as rules


@dataclass(frozen=True, slots=True)
class Line:
    """A campaign to which employees have given."""

    campaign: uuid.UUID
    title: Text
    asset: Asset
    people: int
    gifts: int
    amount: int


@dataclass(frozen=True, slots=True)
class Report:
    """The report of a company: the lines that may be told, and how many campaigns are kept back."""

    employees: int
    lines: list[Line]
    kept_back: int


def report(company: uuid.UUID) -> Report:
    """Sums by campaign of what employees gave after they had joined."""
    query = f"""
        SELECT g.book AS campaign, c.title_en, c.title_zh, c.asset, count(DISTINCT g.giver) AS people,
               count(*) AS gifts, sum(p.amount - {GONE})::bigint AS amount
        FROM parties_grant e
        JOIN giving_gift g ON g.giver = e.party_id AND g.at >= e.granted_at
        JOIN giving_payment p ON p.book = g.book AND p.gift = g.id
        JOIN giving_campaign c ON c.id = g.book
        WHERE e.within_id = %(company)s AND e.role = %(role)s AND e.revoked_at IS NULL
        GROUP BY g.book, c.title_en, c.title_zh, c.asset"""
    found = rows(query, {"company": company, "role": rules.EMPLOYEE})
    titles = {each["campaign"]: Text(each["title_en"], each["title_zh"]) for each in found}
    told, kept = rules.tellable(
        rules.Sum(each["campaign"], each["asset"], each["people"], each["gifts"], each["amount"]) for each in found
    )
    lines = [
        Line(each.campaign, titles[each.campaign], asset_of(each.asset), each.people, each.gifts, each.amount)
        for each in told
    ]
    return Report(employees(company), lines, len(kept))


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
