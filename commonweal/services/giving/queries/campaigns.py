"""Campaigns: what a decision needs, what a list shows, what a page tells."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cached_property
from typing import Any

from commonweal.kernel import clock
from commonweal.kernel.arrays import ids
from commonweal.kernel.errors import NotFound
from commonweal.kernel.ids import derived
from commonweal.kernel.parties.people import OFFICER
from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import Found, prepared, row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import campaigns as rules
from commonweal.services.giving.rules import fees, law, terms, topics
from commonweal.services.giving.rules.needs import Need, covered
from commonweal.services.giving.threesixty.currencies import currency

QUALIFICATION = "public-fundraising"
"""The kind of credential without which a charity may not raise from the public."""

QUALIFIED = f"""EXISTS (
    SELECT FROM parties_credential q
    WHERE q.holder_id = c.organisation_id AND q.kind = '{QUALIFICATION}'
      AND q.valid_from <= (%(now)s::timestamptz AT TIME ZONE 'UTC')::date + 1
      AND (q.valid_until IS NULL OR q.valid_until >= (%(now)s::timestamptz AT TIME ZONE 'UTC')::date)
      AND (q.revoked_at IS NULL OR q.revoked_at > %(now)s)
      AND (SELECT count(*) FROM parties_attestation a WHERE a.credential_id = q.id) >= 2)"""

STANDING = f"""
    c.kind, c.opens_at, c.closes_at, c.stopped_at,
    EXISTS (SELECT FROM giving_filing f WHERE f.campaign_id = c.id AND f.filed_at <= %(now)s) AS filed,
    {QUALIFIED} AS qualified,
    (SELECT max(u.at) FROM giving_update u WHERE u.campaign_id = c.id AND u.report) AS reported_at"""
"""What the state of a campaign follows from."""
STANDS_ON = ("kind", "opens_at", "closes_at", "stopped_at", "filed", "qualified", "reported_at")
"""Its columns."""


def raised_in(book: str) -> str:
    """What has come in: the end of the fund's line, and what is not laid on it yet, both read from an index; and what
    of it has gone back or is on its way. (What was won back is laid anew without the host's share, which it has again.)

    `book` names it in SQL. Where it is known before the query (`%(id)s`), Citus asks one machine alone.
    """
    return f"""
    LEFT JOIN LATERAL (SELECT start + amount AS laid, nth FROM giving_payment
                       WHERE book = {book} AND start IS NOT NULL ORDER BY start DESC LIMIT 1) line ON true
    LEFT JOIN LATERAL (SELECT sum(amount)::bigint AS amount, count(*) AS number FROM giving_payment
                       WHERE book = {book} AND start IS NULL) fresh ON true
    LEFT JOIN LATERAL (SELECT coalesce(sum(r.amount - r.receivable - r.tip - CASE WHEN EXISTS (
                           SELECT FROM giving_return_end w
                           WHERE w.book = r.book AND w.id = r.id AND w.outcome = 'won') THEN r.host ELSE 0 END
                       ), 0)::bigint AS amount FROM giving_return r
                       WHERE r.book = {book} AND NOT EXISTS (
                           SELECT FROM giving_return_end e
                           WHERE e.book = r.book AND e.id = r.id AND e.outcome = 'failed')) back ON true"""


RAISED = raised_in("c.id")

CARD = f"""
    c.id, c.title_en, c.title_zh, c.summary_en, c.summary_zh, c.place_en, c.place_zh, c.topic, c.asset, c.cap,
    c.custody, c.picture, c.drawing, c.picture_en, c.picture_zh, c.organisation_id,
    o.name_en AS organisation_en, o.name_zh AS organisation_zh, {STANDING},
    (SELECT coalesce(sum(n.price * n.quantity), 0)::bigint FROM giving_need n WHERE n.campaign_id = c.id) AS goal,
    coalesce(line.laid, 0) + coalesce(fresh.amount, 0) - back.amount AS raised,
    coalesce(line.nth, 0) + fresh.number AS gifts"""


def unknown() -> NotFound:
    """There is no such campaign."""
    return NotFound("campaign.unknown", Text("There is no such campaign.", "没有这个项目。"))


def asset_of(code: str) -> Asset:
    """The asset in which a campaign counts: a currency."""
    found = currency(code)
    if found is None:
        raise LookupError(f"campaigns do not count in {code}")
    return found


def standing_of(found: dict[str, Any]) -> rules.Campaign:
    """What `STANDING` has read."""
    reports = [found["reported_at"]] if found["reported_at"] else []
    return rules.Campaign(
        kind=rules.Kind(found["kind"]),
        qualified=found["qualified"],
        filed=found["filed"],
        opens_at=found["opens_at"],
        closes_at=found["closes_at"],
        stopped_at=found["stopped_at"],
        report_due=law.next_report(found["opens_at"], found["closes_at"], reports),
    )


@dataclass(frozen=True, slots=True)
class Taking:
    """What the decision about a gift needs of its campaign."""

    id: uuid.UUID
    organisation: uuid.UUID
    title: Text
    asset: Asset
    cap: int
    custody: rules.Custody
    standing: rules.Campaign


def taking(campaigns: Iterable[uuid.UUID], now: datetime) -> dict[uuid.UUID, Taking]:
    """What is needed to decide about gifts to some campaigns."""
    query = f"""
        SELECT c.id, c.organisation_id, c.title_en, c.title_zh, c.asset, c.cap, c.custody, {STANDING}
        FROM giving_campaign c WHERE c.id = ANY(%(ids)s::uuid[])"""
    with prepared() as cursor:
        cursor.execute(query, {"ids": ids(campaigns), "now": now})
        return {found[0]: _taking(*found) for found in cursor.fetchall()}


@functools.lru_cache(4_096)
def _taking(
    id: uuid.UUID, organisation: uuid.UUID, title_en: str, title_zh: str, asset: str, cap: int, custody: str,
    *standing: Any,
) -> Taking:  # fmt: skip
    """What was read is read anew each time; what follows from it, gift after gift, is worked out once."""
    return Taking(
        id=id,
        organisation=organisation,
        title=Text(title_en, title_zh),
        asset=asset_of(asset),
        cap=cap,
        custody=rules.Custody(custody),
        standing=standing_of(dict(zip(STANDS_ON, standing, strict=True))),
    )


def acts_for(party: uuid.UUID, campaign: uuid.UUID) -> bool:
    """Whether a party is an officer of the organisation whose campaign this is."""
    return bool(acting({(party, campaign)}))


def acting(pairs: Collection[tuple[uuid.UUID, uuid.UUID]]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Those pairs of party and campaign in which the party is an officer of the campaign's organisation."""
    query = """
        SELECT g.party_id, c.id FROM unnest(%(parties)s::uuid[], %(campaigns)s::uuid[]) AS asked (party, campaign)
        JOIN giving_campaign c ON c.id = asked.campaign
        JOIN parties_grant g ON g.party_id = asked.party AND g.within_id = c.organisation_id
        WHERE g.role = %(role)s AND g.revoked_at IS NULL"""
    values = {"parties": ids(party for party, _ in pairs), "campaigns": ids(campaign for _, campaign in pairs)}
    return {(found["party_id"], found["id"]) for found in rows(query, values | {"role": OFFICER})}


@dataclass(frozen=True)
class Card:
    """A campaign in a list."""

    id: uuid.UUID
    title: Text
    summary: Text | None
    place: Text | None
    topic: Text
    organisation: Text
    organisation_id: uuid.UUID
    asset: Asset
    goal: int
    cap: int
    custody: rules.Custody
    raised: int
    gifts: int
    standing: rules.Campaign
    picture: str
    drawing: str
    picture_shows: Text | None

    @cached_property
    def state(self) -> rules.State:
        """Where it stands now."""
        return rules.state(self.standing, clock.now())

    @property
    def state_title(self) -> Text:
        """The same, in words."""
        return rules.TITLES[self.state]

    @property
    def is_open(self) -> bool:
        """Whether it takes gifts now."""
        return self.state is rules.State.OPEN

    @property
    def days_left(self) -> int:
        """Whole days until it closes, 0 on the last one."""
        return max(0, (self.standing.closes_at - clock.now()).days)


def _both(en: str, zh: str) -> Text | None:
    return Text(en, zh) if en and zh else None


def _card(found: dict[str, Any]) -> Card:
    return Card(
        id=found["id"],
        title=Text(found["title_en"], found["title_zh"]),
        summary=_both(found["summary_en"], found["summary_zh"]),
        place=_both(found["place_en"], found["place_zh"]),
        topic=topics.TITLES[found["topic"]],
        organisation=Text(found["organisation_en"], found["organisation_zh"]),
        organisation_id=found["organisation_id"],
        asset=asset_of(found["asset"]),
        goal=found["goal"],
        cap=found["cap"],
        custody=rules.Custody(found["custody"]),
        raised=found["raised"],
        gifts=found["gifts"],
        standing=standing_of(found),
        picture=found["picture"],
        drawing=found["drawing"],
        picture_shows=_both(found["picture_en"], found["picture_zh"]),
    )


MOST = 1_000
"""Campaigns that a search counts and shows."""


@dataclass(frozen=True)
class Search(Found[Card]):
    """Campaigns that fit, newest first."""

    words: str = ""
    topic: str = ""
    only_open: bool = False
    organisation: uuid.UUID | None = None

    @property
    def _where(self) -> str:
        conditions = ["c.kind = 'campaign'"]
        if terms.query(self.words):
            conditions.append("c.search @@ %(words)s::tsquery")
        if self.topic:
            conditions.append("c.topic = %(topic)s")
        if self.organisation:
            conditions.append("c.organisation_id = %(organisation)s")
        if self.only_open:
            conditions.append(
                "c.opens_at <= %(now)s AND c.closes_at > %(now)s AND (c.stopped_at IS NULL OR c.stopped_at > %(now)s)"
            )
        return " AND ".join(conditions)

    @property
    def _values(self) -> dict[str, Any]:
        return {
            "words": terms.query(self.words),
            "topic": self.topic,
            "organisation": self.organisation,
            "now": clock.now(),
        }

    def __len__(self) -> int:
        """How many there are, `MOST` for more: nobody turns that many pages, and counting on would take long."""
        query = f"SELECT count(*) AS number FROM (SELECT FROM giving_campaign c WHERE {self._where} LIMIT {MOST}) found"
        found = row(query, self._values)
        return int(found["number"]) if found else 0

    def part(self, skip: int, most: int) -> list[Card]:
        # Few are gathered by their words and sorted, many are met soon from the newest on; the planner, which cannot
        # know how words go together, would read all campaigns for words that are rare together.
        gathered = "MATERIALIZED" if len(self) < MOST else "NOT MATERIALIZED"
        query = f"""
            WITH found AS {gathered} (SELECT c.id, c.opens_at FROM giving_campaign c WHERE {self._where}),
                 page AS (SELECT id FROM found ORDER BY opens_at DESC, id LIMIT %(most)s OFFSET %(skip)s)
            SELECT {CARD} FROM page JOIN giving_campaign c USING (id)
            JOIN parties_party o ON o.id = c.organisation_id {RAISED}
            ORDER BY c.opens_at DESC, c.id"""
        return [_card(found) for found in rows(query, self._values | {"skip": skip, "most": most})]


def of_organisations(organisations: Iterable[uuid.UUID]) -> list[Card]:
    """The campaigns of some organisations, newest first."""
    query = f"""SELECT {CARD} FROM giving_campaign c
        JOIN parties_party o ON o.id = c.organisation_id {RAISED}
        WHERE c.organisation_id = ANY(%(ids)s) AND c.kind = 'campaign' ORDER BY c.opens_at DESC, c.id"""
    return [_card(found) for found in rows(query, {"ids": list(organisations), "now": clock.now()})]


@dataclass(frozen=True, slots=True)
class Told:
    """An update as it is read."""

    id: uuid.UUID
    report: bool
    title: Text
    body: Text
    picture: str
    picture_shows: Text | None
    fact: uuid.UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A need and how much of it is covered, in smallest units."""

    need: Need
    covered: int

    @property
    def things(self) -> int:
        """Whole things that are covered."""
        return self.covered // self.need.price


@dataclass(frozen=True)
class Page:
    """All that a campaign's page tells."""

    card: Card
    story: Text | None
    needs: list[Line]
    updates: list[Told]
    filing: str
    filed_at: datetime | None
    fact: uuid.UUID | None
    qualification: str
    qualified_until: Any
    contact: str
    registration: str
    stopped_for: Text | None
    available: int
    """What is there to be paid out: what has come in, less what is spent, kept as a fee, or on its way back."""
    host_fee: Fraction
    fee_bearer: fees.Bearer

    @property
    def host_percent(self) -> str:
        """The host's share, in percent."""
        return f"{float(100 * self.host_fee):.2f}".rstrip("0").rstrip(".")

    @property
    def bearer_title(self) -> Text:
        """Who bears the payment provider's fee, in words."""
        return fees.BEARERS[self.fee_bearer]


def card(campaign: uuid.UUID) -> Card:
    """One campaign as in a list. Raises `NotFound` (`campaign.unknown`)."""
    query = f"""SELECT {CARD} FROM giving_campaign c
        JOIN parties_party o ON o.id = c.organisation_id {raised_in("%(id)s")}
        WHERE c.id = %(id)s AND c.kind = 'campaign'"""
    found = row(query, {"id": campaign, "now": clock.now()})
    if found is None:
        raise unknown()
    return _card(found)


def page(campaign: uuid.UUID) -> Page:
    """One campaign, whole. Raises `NotFound` (`campaign.unknown`)."""
    shown = card(campaign)
    query = """
        SELECT c.story_en, c.story_zh, c.stopped_for_en, c.stopped_for_zh, f.number AS filing, f.filed_at, f.fact,
               g.contact, o.registration, q.number AS qualification, q.valid_until AS qualified_until,
               coalesce((SELECT -sum(b.posted + b.pending_debit) FROM ledger_balance b
                         WHERE b.book = %(id)s AND b.account = %(fund)s), 0)::bigint AS laid,
               coalesce((SELECT sum(p.amount) FROM giving_payment p WHERE p.book = %(id)s AND p.start IS NULL),
                        0)::bigint AS fresh, c.host_fee_numerator, c.host_fee_denominator, c.fee_bearer
        FROM giving_campaign c
        JOIN parties_party o ON o.id = c.organisation_id
        LEFT JOIN giving_filing f ON f.campaign_id = c.id
        LEFT JOIN giving_organisation g ON g.party_id = c.organisation_id
        LEFT JOIN LATERAL (SELECT number, valid_until FROM parties_credential
                           WHERE holder_id = c.organisation_id AND kind = %(kind)s AND revoked_at IS NULL
                           ORDER BY valid_from DESC LIMIT 1) q ON true
        WHERE c.id = %(id)s"""
    found = row(query, {"id": campaign, "kind": QUALIFICATION, "fund": derived(campaign, "fund")}) or {}
    host_fee = Fraction(found["host_fee_numerator"], found["host_fee_denominator"])
    needs = [
        Need(Text(n["what_en"], n["what_zh"]), n["price"], n["quantity"], Text(n["unit_en"], n["unit_zh"]))
        for n in rows("SELECT * FROM giving_need WHERE campaign_id = %(id)s ORDER BY place", {"id": campaign})
    ]
    return Page(
        card=shown,
        story=_both(found["story_en"], found["story_zh"]),
        needs=[Line(*pair) for pair in zip(needs, covered(needs, shown.raised), strict=True)],
        updates=updates(campaign),
        filing=found["filing"] or "",
        filed_at=found["filed_at"],
        fact=found["fact"],
        qualification=found["qualification"] or "",
        qualified_until=found["qualified_until"],
        contact=found["contact"] or "",
        registration=found["registration"] or "",
        stopped_for=_both(found["stopped_for_en"], found["stopped_for_zh"]),
        available=found["laid"] + found["fresh"] - fees.host_fee(found["fresh"], host_fee),
        host_fee=host_fee,
        fee_bearer=fees.Bearer(found["fee_bearer"]),
    )


def updates(campaign: uuid.UUID) -> list[Told]:
    """What a charity has told, newest first."""
    query = "SELECT * FROM giving_update WHERE campaign_id = %(id)s ORDER BY at DESC, id DESC"
    return [
        Told(
            id=told["id"],
            report=told["report"],
            title=Text(told["title_en"], told["title_zh"]),
            body=Text(told["body_en"], told["body_zh"]),
            picture=told["picture"],
            picture_shows=_both(told["picture_en"], told["picture_zh"]),
            fact=told["fact"],
            at=told["at"],
        )
        for told in rows(query, {"id": campaign})
    ]
