"""Deadlines that come near, what is asked for after payouts, and how much of what came in was spent."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from commonweal.kernel import clock
from commonweal.kernel.parties.people import OFFICER
from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.campaigns import STANDING, asset_of, standing_of
from commonweal.services.giving.rules import clocks as rules


@dataclass(frozen=True, slots=True)
class Near:
    """A report that is due in `days` or less; 0: it is late."""

    campaign: uuid.UUID
    title: Text
    due: datetime
    days: int


def near() -> list[Near]:
    """The reports of filed campaigns that come near or are late and of which the charity has not been told."""
    now = clock.now()
    query = f"""
        SELECT c.id, c.title_en, c.title_zh, {STANDING} FROM giving_campaign c
        WHERE c.kind = 'campaign' AND c.opens_at <= %(now)s AND c.closes_at > %(now)s - interval '4 months'"""
    found = []
    for each in rows(query, {"now": now}):
        due = standing_of(each).report_due
        days = rules.warning(due, now) if due and each["filed"] else None
        if due and days is not None and not _told(each["id"], due, days):
            found.append(Near(each["id"], Text(each["title_en"], each["title_zh"]), due, days))
    return found


def _told(campaign: uuid.UUID, due: datetime, days: int) -> bool:
    query = "SELECT FROM giving_warning WHERE book = %(book)s AND due = %(due)s AND days <= %(days)s"
    return row(query, {"book": campaign, "due": due, "days": days}) is not None


def officers(campaign: uuid.UUID) -> list[uuid.UUID]:
    """Who acts for the charity of a campaign."""
    query = """
        SELECT g.party_id FROM parties_grant g JOIN giving_campaign c ON c.organisation_id = g.within_id
        WHERE c.id = %(campaign)s AND g.role = %(role)s AND g.revoked_at IS NULL"""
    return [found["party_id"] for found in rows(query, {"campaign": campaign, "role": OFFICER})]


def ratios(organisation: uuid.UUID) -> list[tuple[Asset, int, int, int]]:
    """By asset: what came in in the last whole year (local), what was paid out in it, and that in per cent."""
    zone = ZoneInfo(settings.LOCAL_ZONE)
    this = clock.now().astimezone(zone).year
    values = {
        "organisation": organisation,
        "start": datetime(this - 1, 1, 1, tzinfo=zone),
        "end": datetime(this, 1, 1, tzinfo=zone),
    }
    query = """
        SELECT c.asset,
               sum((SELECT coalesce(sum(p.amount), 0) FROM giving_payment p
                    WHERE p.book = c.id AND p.at >= %(start)s AND p.at < %(end)s))::bigint AS came,
               sum((SELECT coalesce(sum(p.amount), 0) FROM giving_payout p
                    JOIN giving_request r ON r.book = p.book AND r.id = p.request
                    WHERE p.book = c.id AND p.at >= %(start)s AND p.at < %(end)s))::bigint AS spent
        FROM giving_campaign c WHERE c.organisation_id = %(organisation)s AND c.kind = 'campaign' GROUP BY c.asset"""
    return [
        (asset_of(each["asset"]), each["came"], each["spent"], each["spent"] * 100 // each["came"])
        for each in rows(query, values)
        if each["came"]
    ]
