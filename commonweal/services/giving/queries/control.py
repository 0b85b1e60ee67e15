"""What the control room shows: the load of this moment, the totals, the pools, and counters at checkpoints."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from commonweal.kernel import clock, jobs
from commonweal.kernel.quantity import Asset, format_amount
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import totals
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.rules import load

WINDOW = timedelta(seconds=3)
"""The stretch of time that a speed is taken over."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the raw door carries: answers a second over the last seconds, the queue, and the time of 99 of 100."""

    taken: float
    passed: float
    busy: float
    failed: float
    waiting: int
    p99: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is free in a pool of matching, in smallest units."""

    campaign: uuid.UUID
    pool: uuid.UUID
    title: Text
    asset: Asset
    free: int


@dataclass(frozen=True, slots=True)
class Counter:
    """All gifts whose leaves are before a checkpoint of `size` leaves, and their sum: by the log, and by the books."""

    size: int
    asset: Asset
    gifts: int
    amount: int


@dataclass(frozen=True, slots=True)
class Room:
    """The whole of it at a moment."""

    at: datetime
    load: Load
    totals: list[totals.Total]
    pools: list[Left]
    jobs: jobs.Health

    def figures(self) -> dict[str, str]:
        """All that changes, written out: what the stream sends and the page shows."""
        said = {
            "at": f"{self.at.astimezone(ZoneInfo(settings.LOCAL_ZONE)):%H:%M:%S}",
            "taken": f"{self.load.taken:,.0f}",
            "passed": f"{self.load.passed:,.0f}",
            "busy": f"{self.load.busy:,.0f}",
            "failed": f"{self.load.failed:,.0f}",
            "waiting": f"{self.load.waiting:,}",
            "p99": f"{self.load.p99 * 1000:,.0f}",
            "jobs": f"{self.jobs.waiting:,}",
            "late": f"{self.jobs.late.total_seconds():,.0f}",
            "dead": f"{self.jobs.dead:,}",
        }
        for total in self.totals:
            said[f"raised-{total.asset.code}"] = format_amount(total.raised, total.asset)
            said[f"gifts-{total.asset.code}"] = f"{total.gifts:,}"
        return said | {f"pool-{left.pool}": format_amount(left.free, left.asset) for left in self.pools}


@dataclass(frozen=True, slots=True)
class Announcement:
    """What is said on the public pages until a moment."""

    id: uuid.UUID
    text: Text
    until: datetime


def room() -> Room:
    """Everything that changes by itself."""
    now = clock.now()
    return Room(now, current_load(now), totals.gifts(), pools_left(now), jobs.health())


def current_load(now: datetime) -> Load:
    """The lines of all web processes within the last seconds, added up."""
    query = """
        SELECT taken, passed, busy, failed, times,
               waiting * (row_number() OVER (PARTITION BY process ORDER BY at DESC) = 1)::int AS waiting
        FROM giving_meter WHERE at > %(since)s"""
    lines = rows(query, {"since": now - WINDOW})
    each = {
        name: sum(line[name] for line in lines) / WINDOW.total_seconds()
        for name in ("taken", "passed", "busy", "failed")
    }
    times = load.added(line["times"] for line in lines)
    return Load(**each, waiting=sum(line["waiting"] for line in lines), p99=load.quantile(times, 0.99))


def pools_left(now: datetime) -> list[Left]:
    """What is free in the pools that are open now."""
    query = """
        SELECT p.book AS campaign, p.id AS pool, c.title_en, c.title_zh, c.asset,
               coalesce((SELECT -sum(b.posted + b.pending_debit) FROM ledger_account a
                         JOIN ledger_balance b ON b.book = a.book AND b.account = a.id
                         WHERE a.book = p.book AND a.name = 'pool:' || p.id), 0)::bigint AS free
        FROM giving_pool p JOIN giving_campaign c ON c.id = p.book
        WHERE p.opens_at <= %(now)s AND %(now)s < p.closes_at ORDER BY p.opens_at, p.id LIMIT 50"""
    return [
        Left(
            campaign=found["campaign"],
            pool=found["pool"],
            title=Text(found["title_en"], found["title_zh"]),
            asset=asset_of(found["asset"]),
            free=found["free"],
        )
        for found in rows(query, {"now": now})
    ]


def counters() -> list[Counter]:
    """The newest of each asset."""
    query = "SELECT DISTINCT ON (asset) size, asset, gifts, amount FROM giving_counter ORDER BY asset, size DESC"
    return [
        Counter(found["size"], asset_of(found["asset"]), found["gifts"], found["amount"]) for found in rows(query, {})
    ]


def counted() -> int:
    """How many leaves have been counted."""
    found = row("SELECT coalesce(max(size), 0) AS size FROM giving_counter", {})
    return int(found["size"]) if found else 0


def announcements() -> list[Announcement]:
    """What is to be said now, the newest first."""
    query = """
        SELECT id, text_en, text_zh, until FROM giving_announcement
        WHERE at <= %(now)s AND %(now)s < until ORDER BY at DESC LIMIT 3"""
    return [
        Announcement(found["id"], Text(found["text_en"], found["text_zh"]), found["until"])
        for found in rows(query, {"now": clock.now()})
    ]
