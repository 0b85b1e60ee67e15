"""The law of public fundraising in China that the platform enforces, as a table: what it asks, and where it says so.

Only rules whose source has been read stand here. What the platform cannot enforce yet is not listed.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from commonweal.kernel.text import Text


@dataclass(frozen=True, slots=True)
class Rule:
    """One duty: a stable code, what it asks, and the article that asks it."""

    code: str
    asks: Text
    source: Text


RULES: tuple[Rule, ...] = (
    Rule(
        "qualification",
        Text(
            "Only a charity with the qualification for public fundraising may raise from the public.",
            "只有取得公开募捐资格的慈善组织才能面向公众募捐。",
        ),
        Text(
            "Measures for the Administration of Public Fundraising by Charitable Organisations (Ministry of Civil "
            "Affairs, order 74, in force 2024-09-05), art. 3",
            "《慈善组织公开募捐管理办法》（民政部令第 74 号，2024 年 9 月 5 日施行）第三条",
        ),
    ),
    Rule(
        "filing",
        Text(
            "The plan is filed with the authority ten days before the campaign starts.",
            "募捐方案须在募捐活动开始十日前报民政部门备案。",
        ),
        Text(
            "Measures for the Administration of Public Fundraising by Charitable Organisations, art. 11",
            "《慈善组织公开募捐管理办法》第十一条",
        ),
    ),
    Rule(
        "custody",
        Text(
            "The platform does not receive charitable property on a charity's behalf: the money goes to the charity.",
            "平台不得代为接受慈善捐赠财产，善款直接进入慈善组织账户。",
        ),
        Text(
            "Measures for the Administration of Platforms for Public Fundraising (2016), art. 3",
            "《公开募捐平台服务管理办法》（2016）第三条",
        ),
    ),
    Rule(
        "disclosure",
        Text(
            "A campaign of more than six months reports at least every three months; every campaign reports in full "
            "within three months after its end.",
            "募捐周期超过六个月的，至少每三个月公布一次进展；募捐活动结束后三个月内全面公布。",
        ),
        Text(
            "Charity Law; Measures for Information Disclosure by Charitable Organisations (revised, in force "
            "2026-01-01)",
            "《慈善法》；《慈善组织信息公开办法》（修订，2026 年 1 月 1 日施行）",
        ),
    ),
)

FILING_DAYS = 10
"""Days between the filing of a plan and the start of its campaign, rule `filing`."""
LONG_CAMPAIGN = 6
REPORT_EVERY = 3
"""Months, rule `disclosure`."""


def add_months(moment: datetime, months: int) -> datetime:
    """The same day and time `months` later, or that month's last day if it is shorter."""
    year, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + year, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def next_report(opens_at: datetime, closes_at: datetime, reports: Iterable[datetime]) -> datetime | None:
    """When the next report is due, rule `disclosure`, given when reports were published.

    While it runs, a campaign of more than six months owes one every three months, counted from its opening and then
    from each report; every campaign owes one within three months after its end, and None after that one. The trigger
    `check_disclosure` keeps the same rule.
    """
    latest = max((report for report in reports if report >= opens_at), default=opens_at)
    if latest >= closes_at:
        return None
    final = add_months(closes_at, REPORT_EVERY)
    if closes_at > add_months(opens_at, LONG_CAMPAIGN):
        return min(add_months(latest, REPORT_EVERY), final)
    return final
