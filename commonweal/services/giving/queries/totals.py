"""What all books together say, and whether they say the same as the public log."""

from __future__ import annotations

from dataclasses import dataclass

from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import rows
from commonweal.services.giving.queries.campaigns import RAISED, asset_of
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
    query = f"""
        SELECT c.asset, sum(coalesce(line.nth, 0) + fresh.number)::bigint AS gifts,
               sum(coalesce(line.laid, 0) + coalesce(fresh.amount, 0) - back.amount)::bigint AS raised,
               sum((SELECT coalesce(sum(p.amount), 0) FROM giving_payout p
                    JOIN giving_request r ON r.book = p.book AND r.id = p.request WHERE p.book = c.id))::bigint AS spent
        FROM giving_campaign c {RAISED} WHERE c.kind = 'campaign' GROUP BY c.asset ORDER BY c.asset"""
    return [
        Total(asset_of(found["asset"]), found["gifts"], found["raised"], found["spent"]) for found in rows(query, {})
    ]


def grants() -> list[tuple[Asset, int]]:
    """The totals of all published grants, in smallest units by currency."""
    return Grants().totals()
