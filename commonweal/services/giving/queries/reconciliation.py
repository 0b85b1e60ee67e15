"""What our books say of a provider's day, and the differences that were found."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.rules.fees import Bearer
from commonweal.services.giving.rules.reconciliation import FAULTS, KINDS, Fault, Line


def lines(provider: str, since: datetime, until: datetime) -> list[Line]:
    """Payments (also those that came twice), refunds (when they were done), chargebacks, and what was won back of them,
    in `[since, until)`; with the fees that are booked."""
    query = """
        SELECT 'payment' AS kind, p.gift, p.book, c.asset, p.reference,
               p.amount + coalesce((SELECT t.amount FROM giving_tip t WHERE t.book = p.book AND t.gift = p.gift), 0)
                   AS amount,
               coalesce((SELECT f.amount FROM giving_fee f
                         WHERE f.book = p.book AND f.gift = p.gift AND f.party = 'processor'), 0) AS fee
        FROM giving_payment p JOIN giving_gift g ON g.book = p.book AND g.id = p.gift
        JOIN giving_campaign c ON c.id = p.book
        WHERE g.channel = %(provider)s AND p.at >= %(since)s AND p.at < %(until)s AND p.reference <> 'won'
        UNION ALL
        SELECT 'payment', p.card, p.book, c.asset, p.reference, k.amount,
               coalesce((SELECT f.amount FROM giving_card_fee f WHERE f.book = p.book AND f.card = p.card), 0)
        FROM giving_card_payment p JOIN giving_card k ON k.book = p.book AND k.id = p.card
        JOIN giving_campaign c ON c.id = p.book
        WHERE k.channel = %(provider)s AND p.at >= %(since)s AND p.at < %(until)s
        UNION ALL
        SELECT 'payment', t.gift, t.book, c.asset, t.reference, t.amount, 0
        FROM giving_twice t JOIN giving_campaign c ON c.id = t.book
        WHERE t.provider = %(provider)s AND t.at >= %(since)s AND t.at < %(until)s
        UNION ALL
        SELECT 'refund', t.gift, t.book, c.asset, t.id::text, -t.amount, 0
        FROM giving_twice_end e JOIN giving_twice t ON t.book = e.book AND t.id = e.id
        JOIN giving_campaign c ON c.id = t.book
        WHERE t.provider = %(provider)s AND e.at >= %(since)s AND e.at < %(until)s
        UNION ALL
        SELECT r.cause, r.gift, r.book, c.asset, CASE WHEN r.cause = 'refund' THEN r.id::text
                    WHEN e.outcome = 'won' THEN r.reference || '-won' ELSE r.reference END,
               CASE e.outcome WHEN 'won' THEN r.amount ELSE r.kept - r.amount END,
               CASE WHEN r.cause = 'refund' THEN r.kept - r.processor WHEN e.outcome = 'won' THEN 0
                    ELSE coalesce((SELECT f.amount FROM giving_fee f WHERE f.book = r.book
                                   AND f.id = r.id), 0) END
        FROM giving_return_end e JOIN giving_return r ON r.book = e.book AND r.id = e.id
        JOIN giving_gift g ON g.book = r.book AND g.id = r.gift
        JOIN giving_campaign c ON c.id = r.book
        WHERE g.channel = %(provider)s AND e.outcome IN ('done', 'won') AND r.cause <> 'claw-back'
          AND e.at >= %(since)s AND e.at < %(until)s
        UNION ALL
        SELECT r.cause, r.card, r.book, c.asset, r.reference || CASE e.outcome WHEN 'won' THEN '-won' ELSE '' END,
               CASE e.outcome WHEN 'won' THEN r.amount ELSE -r.amount END, 0
        FROM giving_card_return_end e JOIN giving_card_return r ON r.book = e.book AND r.id = e.id
        JOIN giving_card k ON k.book = r.book AND k.id = r.card
        JOIN giving_campaign c ON c.id = r.book
        WHERE k.channel = %(provider)s AND e.outcome IN ('done', 'won') AND e.at >= %(since)s AND e.at < %(until)s"""
    return [Line(**found) for found in rows(query, {"provider": provider, "since": since, "until": until})]


def places(book: uuid.UUID, gifts: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[int, int]]:
    """Where gifts are laid on the fund's line: `[start, end)`."""
    query = """
        SELECT gift, start, start + amount AS end FROM giving_payment
        WHERE book = %(book)s AND gift = ANY(%(gifts)s) AND start IS NOT NULL"""
    return {
        found["gift"]: (found["start"], found["end"]) for found in rows(query, {"book": book, "gifts": list(gifts)})
    }


def bearer_of(book: uuid.UUID) -> Bearer:
    """Who bears a provider's fee there."""
    found = row("SELECT fee_bearer FROM giving_campaign WHERE id = %(book)s", {"book": book})
    return Bearer(found["fee_bearer"]) if found else Bearer.CAMPAIGN


def is_settled(provider: str, reference: str) -> bool:
    """Whether a settlement is in the books."""
    query = "SELECT FROM giving_settlement WHERE provider = %(provider)s AND reference = %(reference)s"
    return row(query, {"provider": provider, "reference": reference}) is not None


@dataclass(frozen=True, slots=True)
class Settled:
    """What a provider has paid into the bank, for how many lines."""

    provider: str
    reference: str
    day: date
    asset: Asset
    amount: int
    lines: int


def settlements(limit: int = 60) -> list[Settled]:
    """The newest."""
    query = """
        SELECT s.provider, s.reference, s.day, s.asset, s.amount,
               (SELECT count(*) FROM giving_settled l
                WHERE l.provider = s.provider AND l.settlement = s.reference) AS lines
        FROM giving_settlement s ORDER BY s.day DESC, s.provider, s.reference LIMIT %(limit)s"""
    return [Settled(**found | {"asset": asset_of(found["asset"])}) for found in rows(query, {"limit": limit})]


def paid_as(provider: str, reference: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """Book and gift, or card, of the payment that a provider calls so."""
    query = """
        SELECT p.book, p.gift FROM giving_payment p JOIN giving_gift g ON g.book = p.book AND g.id = p.gift
        WHERE p.reference = %(reference)s AND g.channel = %(provider)s
        UNION ALL
        SELECT p.book, p.card FROM giving_card_payment p JOIN giving_card k ON k.book = p.book AND k.id = p.card
        WHERE p.reference = %(reference)s AND k.channel = %(provider)s"""
    found = row(query, {"provider": provider, "reference": reference}) if reference else None
    return (found["book"], found["gift"]) if found else None


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference as a steward sees it."""

    provider: str
    day: date
    kind: Text
    gift: uuid.UUID | None
    reference: str
    asset: Asset
    fault: Text
    here: int
    there: int


def differences(limit: int = 200) -> list[Difference]:
    """The newest."""
    query = """
        SELECT provider, day, kind, gift, reference, asset, fault, here, there FROM giving_difference
        ORDER BY at DESC, reference LIMIT %(limit)s"""
    return [
        Difference(
            **found
            | {"asset": asset_of(found["asset"]), "fault": FAULTS[Fault(found["fault"])], "kind": KINDS[found["kind"]]}
        )
        for found in rows(query, {"limit": limit})
    ]
