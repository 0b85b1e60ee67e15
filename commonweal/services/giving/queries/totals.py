"""What all books together say, and whether they say the same as the public log."""

from __future__ import annotations

from dataclasses import dataclass

from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import rows
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.queries.grants import Grants


@dataclass(frozen=True, slots=True)
class Total:
    """Gifts in one asset: how many, how much came in, and how much of it was paid out, in smallest units."""

    asset: Asset
    gifts: int
    raised: int
    spent: int

    @property
    def left(self) -> int:
        """What has not been spent."""
        return self.raised - self.spent


def gifts() -> list[Total]:
    """The totals of all campaigns."""
    # What is summed is read once for all campaigns; only the end of a line is looked up by its campaign.
    query = """
        WITH fresh AS (
            SELECT book, sum(amount)::bigint AS amount, count(*) AS number FROM giving_payment
            WHERE start IS NULL GROUP BY book
        ), back AS (
            SELECT r.book, sum(
                r.amount - r.receivable - r.tip - CASE WHEN won.id IS NULL THEN 0 ELSE r.host END) AS amount
            FROM giving_return r
            LEFT JOIN giving_return_end won ON won.book = r.book AND won.id = r.id AND won.outcome = 'won'
            LEFT JOIN giving_return_end failed
              ON failed.book = r.book AND failed.id = r.id AND failed.outcome = 'failed'
            WHERE failed.id IS NULL GROUP BY r.book
        ), spent AS (
            SELECT p.book, sum(p.amount) AS amount FROM giving_payout p
            JOIN giving_request r ON r.book = p.book AND r.id = p.request GROUP BY p.book
        )
        SELECT c.asset, sum(coalesce(line.nth, 0) + coalesce(fresh.number, 0))::bigint AS gifts,
               sum(coalesce(line.laid, 0) + coalesce(fresh.amount, 0) - coalesce(back.amount, 0))::bigint AS raised,
               sum(coalesce(spent.amount, 0))::bigint AS spent
        FROM giving_campaign c
        LEFT JOIN LATERAL (SELECT start + amount AS laid, nth FROM giving_payment
                           WHERE book = c.id AND start IS NOT NULL ORDER BY start DESC LIMIT 1) line ON true
        LEFT JOIN fresh ON fresh.book = c.id LEFT JOIN back ON back.book = c.id LEFT JOIN spent ON spent.book = c.id
        WHERE c.kind = 'campaign' GROUP BY c.asset ORDER BY c.asset"""
    return [
        Total(asset_of(found["asset"]), found["gifts"], found["raised"], found["spent"]) for found in rows(query, {})
    ]


def grants() -> list[tuple[Asset, int]]:
    """The totals of all published grants, in smallest units by currency."""
    return Grants().totals()
