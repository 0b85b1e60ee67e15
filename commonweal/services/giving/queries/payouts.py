"""Payouts: asked for, judged, paid."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.rules import payouts as rules

PAYOUT = """
    SELECT r.book, r.id, coalesce(p.amount, r.amount) AS amount, r.what_en, r.what_zh, r.evidence, r.asked_by,
           r.fact AS asked_fact, r.at AS asked_at,
           c.title_en, c.title_zh, c.asset, c.organisation_id, o.name_en, o.name_zh,
           p.at AS paid_at, p.fact AS paid_fact, p.transfer,
           EXISTS (SELECT FROM giving_order d WHERE d.book = r.book AND d.request = r.id) AS ordered,
           ARRAY(SELECT w.steward FROM giving_word w WHERE w.book = r.book AND w.request = r.id AND w.approves
                 ORDER BY w.at) AS approved_by,
           (SELECT w.note FROM giving_word w WHERE w.book = r.book AND w.request = r.id AND NOT w.approves) AS declined
    FROM giving_request r
    JOIN giving_campaign c ON c.id = r.book
    JOIN parties_party o ON o.id = c.organisation_id
    LEFT JOIN giving_payout p ON p.book = r.book AND p.request = r.id"""

UNDECIDED = """p.request IS NULL
    AND NOT EXISTS (SELECT FROM giving_cancellation x WHERE x.book = r.book AND x.request = r.id)
    AND NOT EXISTS (SELECT FROM giving_word w WHERE w.book = r.book AND w.request = r.id AND NOT w.approves)"""


@dataclass(frozen=True, slots=True)
class Payout:
    """A payout as pages show it. `paid_fact` is its leaf in the public log, once it is paid."""

    campaign: uuid.UUID
    id: uuid.UUID
    amount: int
    asset: Asset
    what: Text
    evidence: tuple[str, ...]
    asked_by: uuid.UUID
    asked_at: datetime
    asked_fact: uuid.UUID
    approved_by: tuple[uuid.UUID, ...]
    declined: str | None
    paid_at: datetime | None
    paid_fact: uuid.UUID | None
    transfer: uuid.UUID | None
    ordered: bool
    """Whether it is an order from a vendor, and paid when that is invoiced."""
    title: Text
    organisation: Text
    organisation_id: uuid.UUID

    @property
    def rule(self) -> rules.Payout:
        """What decisions about it need."""
        return rules.Payout(
            self.asked_by, frozenset(self.approved_by), self.declined is not None, self.paid_at is not None
        )

    @property
    def state(self) -> rules.State:
        """How far it has come."""
        return rules.state(self.rule)

    @property
    def state_title(self) -> Text:
        """The same, in words."""
        return rules.TITLES[self.state]


def _payout(found: dict[str, Any]) -> Payout:
    return Payout(
        campaign=found["book"],
        id=found["id"],
        amount=found["amount"],
        asset=asset_of(found["asset"]),
        what=Text(found["what_en"], found["what_zh"]),
        evidence=tuple(found["evidence"]),
        asked_by=found["asked_by"],
        asked_at=found["asked_at"],
        asked_fact=found["asked_fact"],
        approved_by=tuple(found["approved_by"]),
        declined=found["declined"],
        paid_at=found["paid_at"],
        paid_fact=found["paid_fact"],
        transfer=found["transfer"],
        ordered=found["ordered"],
        title=Text(found["title_en"], found["title_zh"]),
        organisation=Text(found["name_en"], found["name_zh"]),
        organisation_id=found["organisation_id"],
    )


def payout(campaign: uuid.UUID, id: uuid.UUID) -> Payout:
    """One payout. Raises `NotFound` (`payout.unknown`)."""
    found = row(f"{PAYOUT} WHERE r.book = %(book)s AND r.id = %(id)s", {"book": campaign, "id": id})
    if found is None:
        raise NotFound("payout.unknown", Text("There is no such payout.", "没有这笔拨款。"))
    return _payout(found)


def payouts_of(campaign: uuid.UUID) -> list[Payout]:
    """The payouts of a campaign, oldest first."""
    query = f"{PAYOUT} WHERE r.book = %(book)s ORDER BY r.at, r.id"
    return [_payout(found) for found in rows(query, {"book": campaign})]


def waiting(limit: int = 100) -> list[Payout]:
    """The payouts that wait for a steward, oldest first."""
    query = f"{PAYOUT} WHERE {UNDECIDED} ORDER BY r.at, r.id LIMIT %(limit)s"
    found = [_payout(found) for found in rows(query, {"limit": limit})]
    return [payout for payout in found if payout.state is rules.State.ASKED]


def promised(campaign: uuid.UUID) -> int:
    """What is asked for or approved and not paid yet, in smallest units."""
    query = f"""
        SELECT coalesce(sum(coalesce(i.amount, r.amount)), 0)::bigint AS amount FROM giving_request r
        LEFT JOIN giving_invoice i ON i.book = r.book AND i.request = r.id
        LEFT JOIN giving_payout p ON p.book = r.book AND p.request = r.id
        WHERE r.book = %(book)s AND {UNDECIDED}"""
    found = row(query, {"book": campaign})
    return int(found["amount"]) if found else 0


def target(campaign: uuid.UUID, request: uuid.UUID) -> uuid.UUID | None:
    """The campaign to which a payout passes left-over property on, if it is one of that kind."""
    query = "SELECT target FROM giving_leftover WHERE book = %(book)s AND request = %(request)s"
    found = row(query, {"book": campaign, "request": request})
    return found["target"] if found else None
