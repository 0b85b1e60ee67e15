"""A giver's account: the statement of a period, whom they follow, how receipts name them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from commonweal.kernel.parties import cipher
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.queries.returns import GONE
from commonweal.services.giving.rules.needs import Need
from commonweal.services.giving.rules.receipts import Taxpayer


@dataclass(frozen=True, slots=True)
class Row:
    """One gift of a statement. How much of it has gone back, and how much was paid out, in smallest units."""

    campaign: uuid.UUID
    gift: uuid.UUID
    at: datetime
    title: Text
    organisation: Text
    registration: str
    amount: int
    returned: int
    spent: int
    asset: Asset


@dataclass(frozen=True, slots=True)
class Total:
    """What was given in one asset, and what of it has gone back and was paid out, in smallest units."""

    asset: Asset
    amount: int
    returned: int
    spent: int

    @property
    def net(self) -> int:
        """What was given and has not gone back."""
        return self.amount - self.returned


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody has given in a period, oldest first, with its totals by asset."""

    rows: list[Row]
    totals: list[Total]


STATEMENT = f"""
    SELECT g.book AS campaign, g.id AS gift, p.at, c.title_en, c.title_zh, o.name_en, o.name_zh, o.registration,
           p.amount, c.asset, {GONE} AS returned,
           coalesce((SELECT sum(least(upper(d.span), p.start + p.amount) - greatest(lower(d.span), p.start))
                            FILTER (WHERE EXISTS (SELECT FROM giving_payout q
                                                  WHERE q.book = d.book AND q.request = d.request))
                     FROM giving_draw d
                     WHERE p.start IS NOT NULL AND d.book = p.book
                       AND d.span && int8range(p.start, p.start + p.amount)), 0)::bigint AS spent
    FROM giving_gift g
    JOIN giving_payment p ON p.book = g.book AND p.gift = g.id
    JOIN giving_campaign c ON c.id = g.book
    JOIN parties_party o ON o.id = c.organisation_id
    WHERE g.giver = %(giver)s AND p.at >= %(start)s AND p.at < %(end)s
    ORDER BY p.at, g.id"""


def statement(giver: uuid.UUID, start: datetime, end: datetime) -> Statement:
    """All gifts that arrived from `start` until before `end`."""
    assets: dict[str, Asset] = {}
    found = []
    for each in rows(STATEMENT, {"giver": giver, "start": start, "end": end}):
        asset = assets.setdefault(each["asset"], asset_of(each["asset"]))
        found.append(
            Row(
                campaign=each["campaign"],
                gift=each["gift"],
                at=each["at"],
                title=Text(each["title_en"], each["title_zh"]),
                organisation=Text(each["name_en"], each["name_zh"]),
                registration=each["registration"] or "",
                amount=each["amount"],
                returned=each["returned"],
                spent=each["spent"],
                asset=asset,
            )
        )
    totals = []
    for code, asset in sorted(assets.items()):
        of = [line for line in found if line.asset.code == code]
        sums = (sum(getattr(line, name) for line in of) for name in ("amount", "returned", "spent"))
        totals.append(Total(asset, *sums))
    return Statement(found, totals)


def years(giver: uuid.UUID, zone: str) -> list[int]:
    """The years (of the local calendar) in which somebody's gifts arrived, newest first.

    Each gift's payment is asked for by itself (OFFSET 0): before there are statistics, a join reads all of them.
    """
    query = """
        SELECT DISTINCT extract(year FROM p.at AT TIME ZONE %(zone)s)::int AS year FROM giving_gift g
        CROSS JOIN LATERAL (SELECT at FROM giving_payment WHERE book = g.book AND gift = g.id OFFSET 0) p
        WHERE g.giver = %(giver)s ORDER BY 1 DESC"""
    return [found["year"] for found in rows(query, {"giver": giver, "zone": zone})]


def taxpayer(party: uuid.UUID) -> Taxpayer | None:
    """How receipts name somebody, if they have said so; an organisation by its name and code until it has."""
    query = """
        SELECT t.sealed, w.kind, w.name_zh, w.registration FROM parties_party w
        LEFT JOIN giving_taxpayer t ON t.party = w.id WHERE w.id = %(party)s"""
    found = row(query, {"party": party})
    if found and found["sealed"]:
        return Taxpayer(**cipher.open_for(party, bytes(found["sealed"])))
    named = found and found["kind"] == Party.Kind.ORGANISATION
    return Taxpayer(found["name_zh"], found["registration"] or "") if found and named else None


def needs(campaign: uuid.UUID) -> list[Need]:
    """What a campaign needs, in its order."""
    query = "SELECT * FROM giving_need WHERE campaign_id = %(campaign)s ORDER BY place"
    return [
        Need(Text(n["what_en"], n["what_zh"]), n["price"], n["quantity"], Text(n["unit_en"], n["unit_zh"]))
        for n in rows(query, {"campaign": campaign})
    ]


@dataclass(frozen=True, slots=True)
class Follow:
    """A campaign that somebody follows."""

    campaign: uuid.UUID
    title: Text
    reminds: bool


def follows(party: uuid.UUID) -> list[Follow]:
    """The campaigns that somebody follows."""
    query = """
        SELECT f.campaign, c.title_en, c.title_zh, f.reminds FROM giving_follow f
        JOIN giving_campaign c ON c.id = f.campaign WHERE f.party = %(party)s ORDER BY f.at DESC"""
    return [
        Follow(each["campaign"], Text(each["title_en"], each["title_zh"]), each["reminds"])
        for each in rows(query, {"party": party})
    ]


def followers(campaign: uuid.UUID) -> list[uuid.UUID]:
    """Who follows a campaign."""
    query = "SELECT party FROM giving_follow WHERE campaign = %(campaign)s"
    return [each["party"] for each in rows(query, {"campaign": campaign})]
