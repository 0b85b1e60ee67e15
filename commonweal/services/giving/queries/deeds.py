"""Everything that a campaign needs and has, in every asset beside money."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import deeds as rules


@dataclass(frozen=True, slots=True)
class Got:
    """What is needed of an asset, promised and given.

    Of actions, what sponsors have agreed to pay for is needed; of minutes, all places of all shifts, and promised are
    those that somebody has signed up for. None where nobody has said how much.
    """

    asset: Asset
    amount: int
    needed: int | None
    promised: int | None


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift and how far it is filled. `mine`: whether the reader has signed up, and was there."""

    id: uuid.UUID
    campaign: uuid.UUID
    what: Text
    starts_at: datetime
    ends_at: datetime
    seats: int
    taken: int
    mine: bool
    here: bool
    minutes: int | None
    disputed: bool

    @property
    def length(self) -> int:
        """How long it is, in minutes."""
        return (self.ends_at - self.starts_at) // timedelta(minutes=1)

    @property
    def rule(self) -> rules.Shift:
        """What decisions about it need."""
        return rules.Shift(self.starts_at, self.ends_at, self.seats)


@dataclass(frozen=True, slots=True)
class Sponsorship:
    """A sponsor's contract, what it comes to by now, and what it came to."""

    id: uuid.UUID
    campaign: uuid.UUID
    sponsor: uuid.UUID
    name: Text
    asset: Asset
    terms: rules.Sponsorship
    given: int
    due: int | None
    gift: uuid.UUID | None
    accepted_at: datetime | None
    fact: uuid.UUID

    @property
    def state_title(self) -> Text:
        """How far it has come, in words."""
        if self.accepted_at is None:
            return Text("Offered, not accepted yet", "待机构接受")
        if self.due is None:
            return Text("Running", "进行中")
        if self.gift is None and self.due:
            return Text("Due", "应付")
        return Text("Closed", "已结清")

    @property
    def by_now(self) -> int:
        """In fen."""
        return rules.due(self.terms, self.given) if self.due is None else self.due


def got(campaign: uuid.UUID) -> list[Got]:
    """What is needed and given, by asset; given is what the books say, so that this is cheap for a busy page."""
    query = """
        SELECT x.asset, max(x.amount)::bigint AS amount, max(x.needed)::bigint AS needed,
               max(x.promised)::bigint AS promised
        FROM (
            SELECT a.asset, -sum(b.posted) AS amount, NULL::numeric AS needed, NULL::numeric AS promised
            FROM ledger_account a JOIN ledger_balance b ON b.book = a.book AND b.account = a.id
            WHERE a.book = %(book)s AND a.name LIKE 'got:%%' GROUP BY a.asset
            UNION ALL
            SELECT asset, NULL, sum(most / pays * per), NULL FROM giving_sponsorship
            WHERE campaign = %(book)s AND accepted_at IS NOT NULL GROUP BY asset
            UNION ALL
            SELECT 'MINUTES', NULL, sum(seats * minutes), sum(taken * minutes)
            FROM (SELECT s.seats, (extract(epoch FROM upper(s.span) - lower(s.span)) / 60)::int AS minutes,
                         (SELECT count(*) FROM giving_signup u WHERE u.shift = s.id) AS taken
                  FROM giving_shift s WHERE s.campaign = %(book)s) t HAVING count(*) > 0) x
        GROUP BY x.asset"""
    found = {each["asset"]: each for each in rows(query, {"book": campaign})}
    return [
        Got(asset, there["amount"] or 0, there["needed"], there["promised"])
        for asset in (*rules.ACTIONS.values(), rules.MINUTES)
        for there in (found.get(asset.code, {"amount": 0, "needed": None, "promised": None}),)
    ]


def people(campaign: uuid.UUID) -> dict[str, int]:
    """By asset, how many have given of it."""
    query = """
        SELECT asset, count(DISTINCT person) AS people FROM giving_act WHERE book = %(book)s GROUP BY asset
        UNION ALL
        SELECT 'MINUTES', count(DISTINCT h.person) FROM giving_shift s JOIN giving_hours h ON h.shift = s.id
        WHERE s.campaign = %(book)s"""
    return {each["asset"]: each["people"] for each in rows(query, {"book": campaign})}


SHIFT = """
    SELECT s.id, s.campaign, s.what_en, s.what_zh, lower(s.span) AS starts_at, upper(s.span) AS ends_at, s.seats,
           (SELECT count(*) FROM giving_signup u WHERE u.shift = s.id) AS taken,
           m.person IS NOT NULL AS mine, m.checked_in_at IS NOT NULL AS here,
           (SELECT h.minutes FROM giving_hours h WHERE h.shift = s.id AND h.person = %(person)s
            ORDER BY h.nth DESC LIMIT 1) AS minutes,
           EXISTS (SELECT FROM giving_dispute d WHERE d.shift = s.id AND d.person = %(person)s) AS disputed
    FROM giving_shift s LEFT JOIN giving_signup m ON m.shift = s.id AND m.person = %(person)s"""


def _shift(found: dict[str, Any]) -> Shift:
    what = Text(found.pop("what_en"), found.pop("what_zh"))
    return Shift(what=what, **found)


def shift(id: uuid.UUID, person: uuid.UUID | None = None) -> Shift:
    """One shift. Raises `NotFound` (`shift.unknown`)."""
    found = row(f"{SHIFT} WHERE s.id = %(id)s", {"id": id, "person": person})
    if found is None:
        raise NotFound("shift.unknown", Text("There is no such shift.", "没有这个班次。"))
    return _shift(found)


def shifts(campaign: uuid.UUID, person: uuid.UUID | None = None) -> list[Shift]:
    """The shifts of a campaign, next first."""
    query = f"{SHIFT} WHERE s.campaign = %(book)s ORDER BY lower(s.span), s.id"
    return [_shift(found) for found in rows(query, {"book": campaign, "person": person})]


def given_on(day: date, asset: str, person: uuid.UUID, device: bytes | None) -> tuple[int, int]:
    """What a person, and a device, has given of an asset on a day."""
    query = """
        SELECT coalesce(sum(amount) FILTER (WHERE person = %(person)s), 0)::bigint AS person,
               coalesce(sum(amount) FILTER (WHERE device = %(device)s), 0)::bigint AS device
        FROM giving_act WHERE asset = %(asset)s AND day = %(day)s
          AND (person = %(person)s OR device = %(device)s)"""
    found = row(query, {"day": day, "asset": asset, "person": person, "device": device}) or {}
    return found["person"], found["device"]


SPONSORSHIP = """
    SELECT s.*, o.name_en, o.name_zh,
           coalesce((SELECT sum(a.amount) FROM giving_act a WHERE a.book = s.campaign AND a.asset = s.asset
                     AND a.at >= s.opens_at AND a.at < s.closes_at), 0)::bigint AS given
    FROM giving_sponsorship s JOIN parties_party o ON o.id = s.sponsor"""


def _sponsorship(found: dict[str, Any]) -> Sponsorship:
    return Sponsorship(
        id=found["id"],
        campaign=found["campaign"],
        sponsor=found["sponsor"],
        name=Text(found["name_en"], found["name_zh"]),
        asset=rules.ACTIONS[found["asset"]],
        terms=rules.Sponsorship(
            found["asset"], found["per"], found["pays"], found["most"], found["opens_at"], found["closes_at"]
        ),
        given=found["given"],
        due=found["due"],
        gift=found["gift"],
        accepted_at=found["accepted_at"],
        fact=found["fact"],
    )


def sponsorship(id: uuid.UUID) -> Sponsorship:
    """One contract. Raises `NotFound` (`sponsorship.unknown`)."""
    found = row(f"{SPONSORSHIP} WHERE s.id = %(id)s", {"id": id})
    if found is None:
        raise NotFound("sponsorship.unknown", Text("There is no such contract.", "没有这个赞助约定。"))
    return _sponsorship(found)


def sponsorships(campaign: uuid.UUID) -> list[Sponsorship]:
    """The contracts of a campaign."""
    return [_sponsorship(each) for each in rows(f"{SPONSORSHIP} WHERE s.campaign = %(book)s", {"book": campaign})]


def given_by_day(contract: Sponsorship) -> list[tuple[date, int]]:
    """What was given under a contract, day by day."""
    query = """
        SELECT day, sum(amount)::bigint AS amount FROM giving_act
        WHERE book = %(book)s AND asset = %(asset)s AND at >= %(opens_at)s AND at < %(closes_at)s
        GROUP BY day ORDER BY day"""
    terms = contract.terms
    values = {"book": contract.campaign, "asset": terms.asset, "opens_at": terms.opens_at, "closes_at": terms.closes_at}
    return [(found["day"], found["amount"]) for found in rows(query, values)]


def to_settle(now: datetime) -> list[uuid.UUID]:
    """Contracts that are accepted, over and not settled."""
    query = """
        SELECT id FROM giving_sponsorship
        WHERE settled_at IS NULL AND accepted_at IS NOT NULL AND closes_at <= %(now)s ORDER BY closes_at"""
    return [found["id"] for found in rows(query, {"now": now})]


@dataclass(frozen=True, slots=True)
class Dispute:
    """Two sides that differ in how long somebody was there, in minutes."""

    shift: uuid.UUID
    person: uuid.UUID
    what: Text
    confirmed: int
    claimed: int
    at: datetime


def disputes() -> list[Dispute]:
    """What waits for a steward, oldest first."""
    query = """
        SELECT d.shift, d.person, s.what_en, s.what_zh, h.minutes AS confirmed, d.minutes AS claimed, d.at
        FROM giving_dispute d JOIN giving_shift s ON s.id = d.shift
        JOIN giving_hours h ON h.shift = d.shift AND h.person = d.person AND h.nth = 1
        WHERE NOT EXISTS (SELECT FROM giving_hours l
                          WHERE l.shift = d.shift AND l.person = d.person AND l.nth = 2)
        ORDER BY d.at"""
    return [
        Dispute(e["shift"], e["person"], Text(e["what_en"], e["what_zh"]), e["confirmed"], e["claimed"], e["at"])
        for e in rows(query, {})
    ]


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who checked in and whose time waits for a word, known by a number."""

    shift: uuid.UUID
    person: uuid.UUID
    number: int
    what: Text
    checked_in_at: datetime
    longest: int


def to_confirm(campaign: uuid.UUID) -> list[Present]:
    """Who was there and waits for the receiving side."""
    query = """
        SELECT s.id AS shift, u.person, u.number, s.what_en, s.what_zh, u.checked_in_at,
               (extract(epoch FROM upper(s.span) - lower(s.span)) / 60)::int AS longest
        FROM giving_shift s
        JOIN (SELECT *, row_number() OVER (PARTITION BY shift ORDER BY at, person) AS number FROM giving_signup) u
          ON u.shift = s.id
        WHERE s.campaign = %(book)s AND u.checked_in_at IS NOT NULL
          AND NOT EXISTS (SELECT FROM giving_hours h WHERE h.shift = u.shift AND h.person = u.person)
        ORDER BY u.checked_in_at"""
    return [
        Present(
            e["shift"], e["person"], e["number"], Text(e["what_en"], e["what_zh"]), e["checked_in_at"], e["longest"]
        )
        for e in rows(query, {"book": campaign})
    ]
