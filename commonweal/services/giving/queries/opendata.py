"""What is published in the formats of the field: IATI 2.03 and 360Giving. No giver is in either."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from commonweal.kernel import clock
from commonweal.kernel.sql import rows
from commonweal.kernel.text import Text
from commonweal.services.giving import iati
from commonweal.services.giving.queries import payouts
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.queries.exports import payments
from commonweal.services.giving.threesixty.writing import grant

GIFT = Text("A gift from the public", "公众捐款")
BACK = Text("Money back to a giver", "退回捐款")
PREFIX = "360G-commonweal"
"""What the identifiers of our grants begin with."""

CAMPAIGNS = """
    SELECT c.id, c.title_en, c.title_zh, c.summary_en, c.summary_zh, c.topic, c.asset, c.opens_at, c.closes_at,
           c.stopped_at, c.created_at, o.name_en, o.name_zh, coalesce(o.registration, o.id::text) AS registration,
           (SELECT coalesce(sum(n.price * n.quantity), 0)::bigint FROM giving_need n
            WHERE n.campaign_id = c.id) AS goal,
           greatest(c.created_at, (SELECT max(p.at) FROM giving_payment p WHERE p.book = c.id),
                    (SELECT max(p.at) FROM giving_payout p WHERE p.book = c.id)) AS updated
    FROM giving_campaign c JOIN parties_party o ON o.id = c.organisation_id
    WHERE c.kind = 'campaign' ORDER BY c.id"""


def activities() -> Iterator[iati.Activity]:
    """Every campaign as an activity of IATI: each gift that has arrived, what of it went back
    (incoming, below zero), each payout that has left."""
    now = clock.now()
    for found in rows(CAMPAIGNS, {}):
        over = min(filter(None, (found["closes_at"], found["stopped_at"])))
        title = Text(found["title_en"], found["title_zh"])
        yield iati.Activity(
            id=str(found["id"]),
            organisation=iati.Organisation(found["registration"], Text(found["name_en"], found["name_zh"])),
            title=title,
            description=Text(found["summary_en"], found["summary_zh"]) if found["summary_en"] else title,
            topic=found["topic"],
            asset=asset_of(found["asset"]),
            goal=found["goal"],
            opens=_day(found["opens_at"]),
            closes=_day(found["closes_at"]),
            ended=_day(over) if over <= now else None,
            updated=found["updated"],
            movements=_movements(found["id"]),
        )


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


RETURNS = """
    SELECT r.id, d.at,
           (r.amount - r.receivable - r.tip - CASE WHEN w.id IS NULL THEN 0 ELSE r.host END)::bigint AS amount
    FROM giving_return r
    JOIN giving_return_end d ON d.book = r.book AND d.id = r.id AND d.outcome = 'done'
    LEFT JOIN giving_return_end w ON w.book = r.book AND w.id = r.id AND w.outcome = 'won'
    WHERE r.book = %(book)s ORDER BY d.at, r.id"""
"""What has left the fund again. What was spent before is still spent: the charity owes it."""


def _movements(campaign: uuid.UUID) -> Iterator[iati.Movement]:
    for each in payments(campaign):
        yield iati.Movement(str(each.gift), "1", _day(each.at), each.amount, GIFT)
    for back in rows(RETURNS, {"book": campaign}):
        if back["amount"]:
            yield iati.Movement(str(back["id"]), "1", _day(back["at"]), -back["amount"], BACK)
    for payout in payouts.payouts_of(campaign):
        if payout.paid_at:
            yield iati.Movement(str(payout.id), "4", _day(payout.paid_at), payout.amount, payout.what)


DISBURSEMENTS = """
    SELECT r.book, r.id, p.amount, r.what_en, r.what_zh, p.at, c.title_en, c.asset, o.name_en,
           coalesce(o.registration, o.id::text) AS registration
    FROM giving_payout p
    JOIN giving_request r ON r.book = p.book AND r.id = p.request
    JOIN giving_campaign c ON c.id = p.book
    JOIN parties_party o ON o.id = c.organisation_id
    ORDER BY p.at, r.id"""


def disbursements() -> Iterator[dict[str, Any]]:
    """Every payout as a grant of 360Giving: from the givers of a campaign to the charity that spent it."""
    for found in rows(DISBURSEMENTS, {}):
        yield grant(
            id=f"{PREFIX}-{found['id']}",
            title=found["what_en"],
            description=found["what_zh"],
            amount=found["amount"],
            asset=asset_of(found["asset"]),
            awarded=_day(found["at"]),
            record={
                "fundingOrganization": [
                    {"id": f"{PREFIX}-{found['book']}", "name": f"Givers of “{found['title_en']}”"}
                ],
                "recipientOrganization": [{"id": found["registration"], "name": found["name_en"]}],
            },
        )
