"""Recurring gifts: where each stands, what it has come to, and which may be due."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.rules import recurring as rules
from commonweal.services.giving.rules.recurring import Cause, Every, Said, Standing, Word

RECURRING = """
    SELECT r.book, r.id, r.giver, r.amount, r.every, r.channel, r.foretold, r.team, r.at, c.asset, c.title_en,
           c.title_zh
    FROM giving_recurring r JOIN giving_campaign c ON c.id = r.book"""


@dataclass(frozen=True, slots=True)
class Recurring:
    """A recurring gift as its giver sees it."""

    campaign: uuid.UUID
    id: uuid.UUID
    giver: uuid.UUID
    every: Every
    channel: str
    foretold: bool
    team: uuid.UUID | None
    asset: Asset
    title: Text
    rule: rules.Recurring

    @property
    def amount(self) -> int:
        """What is given each time, in smallest units."""
        return self.rule.amount

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        return self.rule.standing

    @property
    def standing_title(self) -> Text:
        """The same, in words."""
        return rules.TITLES[self.rule.standing]

    @property
    def every_title(self) -> Text:
        """How often, in words."""
        return rules.EVERY[self.every]

    @property
    def reason(self) -> Text | None:
        """Why it is paused or ended."""
        return rules.REASONS[self.rule.cause] if self.rule.cause else None

    @property
    def needs_agreement(self) -> bool:
        """Whether its giver has to agree with the provider before it runs."""
        return self.standing is Standing.WAITING or (self.standing is Standing.PAUSED and self.rule.cause is Cause.GONE)

    @property
    def next_due(self) -> datetime | None:
        """When it is due next."""
        return rules.next_due(self.rule, self.every, clock.now(), zone())


def zone() -> ZoneInfo:
    """Where days of recurring gifts are counted."""
    return ZoneInfo(settings.LOCAL_ZONE)


def unknown() -> NotFound:
    """There is no such recurring gift, or it is somebody else's."""
    return NotFound("recurring.unknown", Text("There is no such recurring gift.", "没有这项定期捐赠。"))


def _words(book: uuid.UUID, id: uuid.UUID) -> list[Said]:
    query = """
        SELECT word, cause, at, amount, reference FROM giving_recurring_word
        WHERE book = %(book)s AND id = %(id)s ORDER BY nth"""
    return [
        Said(Word(said["word"]), Cause(said["cause"]), said["at"], said["amount"], said["reference"])
        for said in rows(query, {"book": book, "id": id})
    ]


def _recurring(found: dict[str, Any]) -> Recurring:
    return Recurring(
        campaign=found["book"],
        id=found["id"],
        giver=found["giver"],
        every=Every(found["every"]),
        channel=found["channel"],
        foretold=found["foretold"],
        team=found["team"],
        asset=asset_of(found["asset"]),
        title=Text(found["title_en"], found["title_zh"]),
        rule=rules.after(found["amount"], _words(found["book"], found["id"])),
    )


def find(campaign: uuid.UUID, id: uuid.UUID) -> Recurring | None:
    """One of them, if there is such."""
    found = row(f"{RECURRING} WHERE r.book = %(book)s AND r.id = %(id)s", {"book": campaign, "id": id})
    return _recurring(found) if found else None


def recurring_of(giver: uuid.UUID, campaign: uuid.UUID, id: uuid.UUID) -> Recurring:
    """One's own. Raises `NotFound` (`recurring.unknown`) also for that of somebody else."""
    found = find(campaign, id)
    if found is None or found.giver != giver:
        raise unknown()
    return found


def of(giver: uuid.UUID) -> list[Recurring]:
    """All of somebody, newest first."""
    query = f"{RECURRING} WHERE r.giver = %(giver)s ORDER BY r.id DESC"
    return [_recurring(found) for found in rows(query, {"giver": giver})]


def next_period(found: Recurring) -> int | None:
    """The number of the period that is due next; None before the agreement."""
    first = found.rule.first
    return None if first is None else rules.period_of(first, found.every, clock.now(), zone()) + 1


@dataclass(frozen=True, slots=True)
class Renewal:
    """The gift of one period: `failed` are the attempts so far that came to nothing."""

    period: int
    gift: uuid.UUID
    amount: int
    due: datetime
    paid: bool
    failed: int


def renewals(campaign: uuid.UUID, id: uuid.UUID, limit: int = 60) -> list[Renewal]:
    """Its periods, newest first."""
    query = """
        SELECT n.period, n.gift, g.amount, n.due, p.gift IS NOT NULL AS paid,
               (SELECT count(*) FROM giving_attempt a
                WHERE a.book = n.book AND a.recurring = n.recurring AND a.period = n.period) AS failed
        FROM giving_renewal n JOIN giving_gift g ON g.book = n.book AND g.id = n.gift
        LEFT JOIN giving_payment p ON p.book = n.book AND p.gift = n.gift
        WHERE n.book = %(book)s AND n.recurring = %(id)s ORDER BY n.period DESC LIMIT %(limit)s"""
    return [Renewal(**found) for found in rows(query, {"book": campaign, "id": id, "limit": limit})]


def renewal(campaign: uuid.UUID, id: uuid.UUID, period: int) -> Renewal | None:
    """One period, if it has been renewed."""
    return next((each for each in renewals(campaign, id) if each.period == period), None)


def renewed_by(campaign: uuid.UUID, gift: uuid.UUID) -> tuple[uuid.UUID, int] | None:
    """The recurring gift that made a gift, and for which period (from 0); None if nothing repeats it."""
    query = "SELECT recurring, period FROM giving_renewal WHERE book = %(book)s AND gift = %(gift)s"
    found = row(query, {"book": campaign, "gift": gift})
    return (found["recurring"], found["period"]) if found else None


def maybe_due(now: datetime, limit: int = 10_000) -> Iterable[tuple[uuid.UUID, uuid.UUID]]:
    """Running gifts whose last renewal is nearly a period old, or whose campaign is over: `(campaign, id)`.

    Whether a period is due is decided by `rules.recurring`; this leaves out those for which it cannot be.
    """
    query = """
        SELECT r.book, r.id FROM giving_recurring r JOIN giving_campaign c ON c.id = r.book
        JOIN LATERAL (SELECT w.word FROM giving_recurring_word w
                      WHERE w.book = r.book AND w.id = r.id AND w.word <> 'changed' ORDER BY w.nth DESC LIMIT 1) last
            ON last.word IN ('agreed', 'resumed')
        LEFT JOIN LATERAL (SELECT n.due FROM giving_renewal n WHERE n.book = r.book AND n.recurring = r.id
                           ORDER BY n.period DESC LIMIT 1) renewed ON true
        WHERE renewed.due IS NULL OR c.closes_at <= %(now)s OR c.stopped_at <= %(now)s
           OR renewed.due <= CASE r.every WHEN 'week' THEN %(week)s ELSE %(month)s END
        LIMIT %(limit)s"""
    values = {"now": now, "week": now - timedelta(days=6), "month": now - timedelta(days=27), "limit": limit}
    return [(found["book"], found["id"]) for found in rows(query, values)]
