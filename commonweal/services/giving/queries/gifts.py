"""Gifts: how far each has come, and what it paid for."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import Found, row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.queries.invoices import acts_for
from commonweal.services.giving.queries.returns import GONE
from commonweal.services.giving.rules import gifts as rules

GIFT = f"""
    SELECT g.book, g.id, g.giver, g.amount, g.channel, g.at, c.title_en, c.title_zh, c.asset, c.organisation_id,
           o.name_en, o.name_zh, p.fact, p.at AS paid_at, p.nth, p.start,
           p.gift IS NULL AND EXISTS (
               SELECT FROM giving_callback b WHERE b.book = g.book AND b.gift = g.id AND b.outcome = 'differs'
           ) AS frozen,
           (SELECT coalesce(sum(r.amount - CASE WHEN EXISTS (
                SELECT FROM giving_return_end w WHERE w.book = r.book AND w.id = r.id AND w.outcome = 'won'
            ) THEN r.receivable + r.host + r.tip ELSE 0 END) FILTER (WHERE EXISTS (
                SELECT FROM giving_return_end e WHERE e.book = r.book AND e.id = r.id AND e.outcome = 'done')), 0)
            FROM giving_return r WHERE r.book = g.book AND r.gift = g.id)::bigint AS returned,
           {GONE} AS gone, p.reference,
           CASE WHEN p.gift IS NULL THEN (
               SELECT bool_and(EXISTS (SELECT FROM giving_twice_end e WHERE e.book = w.book AND e.id = w.id))
               FROM giving_twice w WHERE w.book = g.book AND w.gift = g.id) END AS has_gone,
           coalesce((SELECT t.amount FROM giving_tip t WHERE t.book = g.book AND t.gift = g.id), 0) AS tip
    FROM giving_gift g
    JOIN giving_campaign c ON c.id = g.book
    JOIN parties_party o ON o.id = c.organisation_id
    LEFT JOIN giving_payment p ON p.book = g.book AND p.gift = g.id"""


@dataclass(frozen=True, slots=True)
class Gift:
    """A gift as its giver sees it. `fact` is its leaf in the public log, once it is paid."""

    campaign: uuid.UUID
    id: uuid.UUID
    giver: uuid.UUID | None
    amount: int
    asset: Asset
    channel: str
    at: datetime
    paid_at: datetime | None
    fact: uuid.UUID | None
    nth: int | None
    start: int | None
    """Its place on the fund's line, once it is laid: `[start, start + amount)`."""
    title: Text
    organisation: Text
    organisation_id: uuid.UUID
    state: rules.State
    returned: int
    """What of it, with its tip, has gone back, in smallest units; of a chargeback that was won, only the part that came
    again as a payment of its own."""
    gone: int
    """The same of the gift alone, without its tip."""
    reference: str
    """What the provider calls the payment: by it a bank finds it."""
    tip: int
    """What was added for the host, beside the gift."""

    @property
    def whole(self) -> int:
        """What is to be paid, or was."""
        return self.amount + self.tip

    @property
    def kept(self) -> int:
        """What of it has not gone back, without the tip."""
        return self.amount - self.gone

    @property
    def state_title(self) -> Text:
        """Where it stands, in words."""
        return rules.TITLES[self.state]


@dataclass(frozen=True, slots=True)
class Part:
    """What a gift gave to one payout, or a payout got from one gift, in smallest units."""

    request: uuid.UUID
    what: Text
    amount: int
    whole: int
    evidence: tuple[str, ...]
    """Digests of the files with which it was asked for."""
    at: datetime
    fact: uuid.UUID


def unknown() -> NotFound:
    """There is no such gift, or it is somebody else's."""
    return NotFound("gift.unknown", Text("There is no such gift.", "没有这笔捐助。"))


def _gift(found: dict[str, Any]) -> Gift:
    return Gift(
        campaign=found["book"],
        id=found["id"],
        giver=found["giver"],
        amount=found["amount"],
        asset=asset_of(found["asset"]),
        channel=found["channel"],
        at=found["at"],
        paid_at=found["paid_at"],
        fact=found["fact"],
        nth=found["nth"],
        start=found["start"],
        title=Text(found["title_en"], found["title_zh"]),
        organisation=Text(found["name_en"], found["name_zh"]),
        organisation_id=found["organisation_id"],
        state=rules.state(
            paid=found["fact"] is not None,
            frozen=found["frozen"],
            given_at=found["at"],
            now=clock.now(),
            returned=bool(found["has_gone"]) or found["returned"] >= found["amount"] + found["tip"],
            sent_back=found["has_gone"] is not None,
        ),
        returned=found["returned"],
        gone=found["gone"],
        reference=found["reference"] or "",
        tip=found["tip"],
    )


def find(campaign: uuid.UUID, id: uuid.UUID) -> Gift | None:
    """One gift, if there is such."""
    found = row(f"{GIFT} WHERE g.book = %(book)s AND g.id = %(id)s", {"book": campaign, "id": id})
    return _gift(found) if found else None


def gift(campaign: uuid.UUID, id: uuid.UUID) -> Gift:
    """One gift. Raises `NotFound` (`gift.unknown`)."""
    found = find(campaign, id)
    if found is None:
        raise unknown()
    return found


def gift_of(giver: uuid.UUID | None, campaign: uuid.UUID, id: uuid.UUID) -> Gift:
    """One's own gift. Raises `NotFound` (`gift.unknown`) also for that of somebody else."""
    found = gift(campaign, id)
    if giver is None or found.giver != giver:
        raise unknown()
    return found


def seen_by(party: uuid.UUID | None, campaign: uuid.UUID, id: uuid.UUID) -> Gift:
    """One's own gift, or that of an organisation for which one acts. Raises `NotFound` (`gift.unknown`)."""
    found = gift(campaign, id)
    if party is None or (found.giver != party and found.giver not in acts_for(party)):
        raise unknown()
    return found


@dataclass(frozen=True, slots=True)
class Gifts(Found[Gift]):
    """What somebody has given, the newest first."""

    giver: uuid.UUID

    def __len__(self) -> int:
        found = row("SELECT count(*) AS number FROM giving_gift WHERE giver = %(giver)s", {"giver": self.giver})
        return int(found["number"]) if found else 0

    def part(self, skip: int, most: int) -> list[Gift]:
        """Some of them."""
        query = f"{GIFT} WHERE g.giver = %(giver)s ORDER BY g.at DESC, g.id DESC OFFSET %(skip)s LIMIT %(most)s"
        return [_gift(found) for found in rows(query, {"giver": self.giver, "skip": skip, "most": most})]


TRACE = """
    SELECT p.gift, r.id, r.what_en, r.what_zh, o.amount AS whole, r.evidence, o.at, o.fact,
           sum(least(upper(d.span), p.start + p.amount) - greatest(lower(d.span), p.start))::bigint AS amount
    FROM giving_payment p
    CROSS JOIN LATERAL (SELECT book, request, span FROM giving_draw
                        WHERE book = p.book AND span && int8range(p.start, p.start + p.amount) OFFSET 0) d
    JOIN giving_request r ON r.book = d.book AND r.id = d.request
    JOIN giving_payout o ON o.book = d.book AND o.request = d.request
    WHERE p.start IS NOT NULL AND {which}
    GROUP BY p.gift, r.book, r.id, o.amount, o.at, o.fact
    ORDER BY min(lower(d.span))"""
"""What gifts have in common with payouts on the lines of their funds.

What a gift has in common is looked up by the line alone (OFFSET 0): joined freely, a book that has payouts and no
statistics yet is read payout by payout, for each gift."""


def _part(found: dict[str, Any]) -> Part:
    return Part(
        request=found["id"],
        what=Text(found["what_en"], found["what_zh"]),
        amount=found["amount"],
        whole=found["whole"],
        evidence=tuple(found["evidence"]),
        at=found["at"],
        fact=found["fact"],
    )


def trace(campaign: uuid.UUID, gift: uuid.UUID) -> list[Part]:
    """The payouts for which a gift paid, in the order of the fund's line, and how much of each."""
    query = TRACE.format(which="p.book = %(book)s AND p.gift = %(gift)s")
    return [_part(found) for found in rows(query, {"book": campaign, "gift": gift})]


def traces_of(gifts: Sequence[Gift]) -> dict[uuid.UUID, list[Part]]:
    """The same for some gifts, by gift."""
    which = "(p.book, p.gift) IN (SELECT * FROM unnest(%(books)s::uuid[], %(gifts)s::uuid[]))"
    values = {"books": [each.campaign for each in gifts], "gifts": [each.id for each in gifts]}
    traces: dict[uuid.UUID, list[Part]] = {}
    for found in rows(TRACE.format(which=which), values):
        traces.setdefault(found["gift"], []).append(_part(found))
    return traces


@dataclass(frozen=True, slots=True)
class Source:
    """A gift that a payout used: its number in the campaign and the share, in smallest units. Not who gave it."""

    nth: int
    gift: uuid.UUID
    giver: uuid.UUID | None
    amount: int
    fact: uuid.UUID
    channel: str


def sources(campaign: uuid.UUID, request: uuid.UUID) -> list[Source]:
    """The gifts that paid for a payout. Each span begins within the last gift that is laid at or before it.

    The gifts of a span are a subquery that is planned by itself (OFFSET 0): joined, nobody knows how few they are, and
    all payments of the book are read for each payout.
    """
    query = """
        SELECT p.nth, p.gift, p.fact,
               (SELECT g.giver FROM giving_gift g WHERE g.book = %(book)s AND g.id = p.gift) AS giver,
               (SELECT g.channel FROM giving_gift g WHERE g.book = %(book)s AND g.id = p.gift) AS channel,
               sum(least(upper(d.span), p.start + p.amount) - greatest(lower(d.span), p.start))::bigint AS amount
        FROM giving_draw d
        CROSS JOIN LATERAL (SELECT f.start FROM giving_payment f WHERE f.book = %(book)s AND f.start <= lower(d.span)
                            ORDER BY f.start DESC LIMIT 1) first
        CROSS JOIN LATERAL (SELECT nth, gift, fact, start, amount FROM giving_payment
                            WHERE book = %(book)s AND start >= first.start AND start < upper(d.span) OFFSET 0) p
        WHERE d.book = %(book)s AND d.request = %(request)s
        GROUP BY p.nth, p.gift, p.fact ORDER BY p.nth"""
    return [Source(**found) for found in rows(query, {"book": campaign, "request": request})]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A callback that fits no gift, not in amount or currency, pays it again or too late: for the stewards."""

    campaign: uuid.UUID
    gift: uuid.UUID
    provider: str
    amount: int
    asset: str
    reference: str
    outcome: str
    at: datetime


def mismatches(limit: int = 100) -> list[Mismatch]:
    """The newest of them."""
    query = """
        SELECT book AS campaign, gift, provider, amount, asset, reference, outcome, at FROM giving_callback
        WHERE outcome IN ('unknown', 'differs', 'twice', 'sent-back') ORDER BY at DESC LIMIT %(limit)s"""
    return [Mismatch(**found) for found in rows(query, {"limit": limit})]


def givers_of(campaign: uuid.UUID) -> list[uuid.UUID]:
    """Everybody who has given to a campaign: those who are told what became of it."""
    query = """
        SELECT DISTINCT g.giver FROM giving_payment p
        JOIN giving_gift g ON g.book = p.book AND g.id = p.gift
        WHERE p.book = %(book)s AND g.giver IS NOT NULL"""
    return [found["giver"] for found in rows(query, {"book": campaign})]


def has_given(giver: uuid.UUID, campaign: uuid.UUID) -> bool:
    """Whether somebody's gift to a campaign has arrived."""
    query = """
        SELECT FROM giving_gift g JOIN giving_payment p ON p.book = g.book AND p.gift = g.id
        WHERE g.giver = %(giver)s AND g.book = %(book)s LIMIT 1"""
    return row(query, {"giver": giver, "book": campaign}) is not None


def laid_after(campaign: uuid.UUID, nth: int, limit: int) -> list[Gift]:
    """The gifts that follow a number on the fund's line. Numbers have no gaps, so that a range of them is enough: a
    plan from when there were few gifts would sort all of them for each part."""
    query = f"""
        WITH laid AS MATERIALIZED (
            SELECT book, gift FROM giving_payment
            WHERE book = %(book)s AND nth > %(nth)s AND nth <= %(nth)s + %(limit)s
        )
        {GIFT} JOIN laid ON laid.book = g.book AND laid.gift = g.id ORDER BY p.nth"""
    return [_gift(found) for found in rows(query, {"book": campaign, "nth": nth, "limit": limit})]


def books_to_lay(limit: int = 500) -> list[uuid.UUID]:
    """Campaigns with payments that have no place on their fund's line yet."""
    query = "SELECT DISTINCT book FROM giving_payment WHERE start IS NULL LIMIT %(limit)s"
    return [found["book"] for found in rows(query, {"limit": limit})]
