"""Pools of matching: what a company promised, what is left, and which gifts it has matched."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.kernel.quantity import Asset
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.queries.sql import row, rows
from commonweal.services.giving.rules.matches import Promise

POOL = """
    SELECT p.book, p.id, p.company, p.numerator, p.denominator, p.gift_cap, p.day_cap, p.opens_at, p.closes_at, p.fact,
           c.asset, c.title_en, c.title_zh, o.name_en, o.name_zh,
           coalesce((SELECT -sum(b.posted + b.pending_debit) FROM ledger_account a
                     JOIN ledger_balance b ON b.book = a.book AND b.account = a.id
                     WHERE a.book = p.book AND a.name = 'pool:' || p.id), 0)::bigint AS free,
           coalesce((SELECT -sum(b.posted) FROM ledger_account a
                     JOIN ledger_balance b ON b.book = a.book AND b.account = a.id
                     WHERE a.book = p.book AND a.name = 'pool:' || p.id), 0)::bigint AS here,
           coalesce((SELECT sum(m.amount) FROM giving_match m
                     JOIN giving_payment q ON q.book = m.book AND q.gift = m.matching
                     WHERE m.book = p.book AND m.pool = p.id), 0)::bigint AS matched,
           coalesce((SELECT sum(r.amount) FROM giving_match m
                     JOIN giving_return r ON r.book = m.book AND r.gift = m.matching
                     WHERE m.book = p.book AND m.pool = p.id), 0)::bigint AS taken_back
    FROM giving_pool p
    JOIN giving_campaign c ON c.id = p.book
    JOIN parties_party o ON o.id = p.company"""


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool. Of what was `put_in`, `matched` has gone to gifts (less `taken_back`) and `free` is nobody's yet."""

    campaign: uuid.UUID
    id: uuid.UUID
    title: Text
    company: Text
    asset: Asset
    promise: Promise
    put_in: int
    matched: int
    taken_back: int
    free: int
    reserved: int
    fact: uuid.UUID

    @property
    def rate(self) -> str:
        """How much it adds to one unit, as a decimal or a fraction."""
        rate = self.promise.rate
        return str(rate.numerator) if rate.denominator == 1 else f"{float(rate):g}"

    @property
    def is_open(self) -> bool:
        """Whether gifts are matched now, while it lasts."""
        return self.promise.opens_at <= clock.now() < self.promise.closes_at


def _pool(found: dict[str, Any]) -> Pool:
    promise = Promise(
        company=found["company"],
        rate=Fraction(found["numerator"], found["denominator"]),
        gift_cap=found["gift_cap"],
        day_cap=found["day_cap"],
        opens_at=found["opens_at"],
        closes_at=found["closes_at"],
    )
    return Pool(
        campaign=found["book"],
        id=found["id"],
        title=Text(found["title_en"], found["title_zh"]),
        company=Text(found["name_en"], found["name_zh"]),
        asset=asset_of(found["asset"]),
        promise=promise,
        put_in=found["here"] + found["matched"] - found["taken_back"],
        matched=found["matched"],
        taken_back=found["taken_back"],
        free=found["free"],
        reserved=found["here"] - found["free"],
        fact=found["fact"],
    )


def of(campaign: uuid.UUID) -> list[Pool]:
    """The pools of a campaign, oldest first."""
    return [_pool(found) for found in rows(f"{POOL} WHERE p.book = %(book)s ORDER BY p.at, p.id", {"book": campaign})]


def one(campaign: uuid.UUID, id: uuid.UUID) -> Pool:
    """One pool. Raises `NotFound` (`pool.unknown`)."""
    found = row(f"{POOL} WHERE p.book = %(book)s AND p.id = %(id)s", {"book": campaign, "id": id})
    if found is None:
        raise NotFound("pool.unknown", Text("There is no such pool.", "没有这笔配捐资金。"))
    return _pool(found)


@dataclass(frozen=True, slots=True)
class Match:
    """A gift, by its number, and what the pool gave to it. `paid` is False while the gift waits for its payment."""

    nth: int | None
    gift_amount: int
    amount: int
    paid: bool
    fact: uuid.UUID | None
    at: datetime


def matches(campaign: uuid.UUID, pool: uuid.UUID, limit: int = 200) -> list[Match]:
    """The newest matches of a pool that hold: not those whose gift was never paid. Nobody is named."""
    query = """
        SELECT p.nth, g.amount AS gift_amount, m.amount, q.gift IS NOT NULL AS paid, q.fact, g.at
        FROM giving_match m
        JOIN giving_gift g ON g.book = m.book AND g.id = m.gift
        LEFT JOIN giving_payment p ON p.book = m.book AND p.gift = m.gift
        LEFT JOIN giving_payment q ON q.book = m.book AND q.gift = m.matching
        JOIN ledger_transfer t ON t.book = m.book AND t.id = m.matching
        WHERE m.book = %(book)s AND m.pool = %(pool)s
          AND (q.gift IS NOT NULL OR t.expires > %(now)s AND NOT EXISTS (
              SELECT FROM ledger_transfer v WHERE v.book = m.book AND v.resolves = m.matching AND v.phase = 'void'))
        ORDER BY g.at DESC, m.matching LIMIT %(limit)s"""
    values = {"book": campaign, "pool": pool, "now": clock.now(), "limit": limit}
    return [Match(**found) for found in rows(query, values)]
