"""Cases: what the clerk looks at, what stewards decide, and what a giver is told of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.kernel.parties import cipher
from commonweal.kernel.parties.people import STEWARD
from commonweal.kernel.quantity import Asset
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.models import Campaign, Update
from commonweal.services.giving.queries import teams
from commonweal.services.giving.queries.campaigns import asset_of
from commonweal.services.giving.queries.pools import Pool
from commonweal.services.giving.rules import cases as rules
from commonweal.services.giving.rules.matches import CHANNEL
from commonweal.services.giving.signals import KINDS, Row, Signal, promise

ROWS = """
    SELECT g.id, g.book, g.at, g.amount, c.asset, g.giver, encode(d.mark, 'hex') AS device,
           encode(m.mark, 'hex') AS payment,
           (SELECT min(e.at) FROM giving_return r JOIN giving_return_end e
            ON e.book = r.book AND e.id = r.id AND e.outcome = 'done'
            WHERE r.book = g.book AND r.gift = g.id AND NOT EXISTS (SELECT FROM giving_return_end w
                WHERE w.book = r.book AND w.id = r.id AND w.outcome = 'won')) AS refunded_at, j.team
    FROM giving_gift g
    JOIN giving_payment p ON p.book = g.book AND p.gift = g.id
    JOIN giving_campaign c ON c.id = g.book
    LEFT JOIN giving_mark d ON d.book = g.book AND d.gift = g.id AND d.what = 'device'
    LEFT JOIN giving_mark m ON m.book = g.book AND m.gift = g.id AND m.what = 'payment'
    LEFT JOIN giving_team_gift j ON j.book = g.book AND j.gift = g.id
    WHERE g.at >= %(begin)s AND g.at < %(end)s AND g.giver IS NOT NULL AND g.channel <> %(channel)s
      AND NOT EXISTS (SELECT FROM giving_renewal n WHERE n.book = g.book AND n.gift = g.id)
      AND NOT EXISTS (SELECT FROM giving_return r JOIN giving_return_end w
                      ON w.book = r.book AND w.id = r.id AND w.outcome = 'won'
                      WHERE r.book = g.book AND r.gift = g.id AND r.amount = g.amount)
    ORDER BY g.at, g.id"""
"""Gifts of people, whatever money they are. What the clerk itself makes (matches, renewals of recurring gifts) comes in
bursts by its nature. A chargeback that the charity has won is no refund: the payment that it became stands for it."""


def given(begin: datetime, end: datetime) -> list[Row]:
    """The gifts of a window as signals see them: accounts are pseudonyms, devices and payments keyed hashes.

    The only public words of a gift are the name of the team with which it was given.
    """
    gifts_there = rows(ROWS, {"begin": begin, "end": end, "channel": CHANNEL})
    joined = {(found["book"], found["team"]) for found in gifts_there if found["team"]}
    teams_there = {each: teams.find(each[0], str(each[1])) for each in joined}
    names = {each: team.name for each, team in teams_there.items() if team}
    assets = {code: asset_of(code) for code in {found["asset"] for found in gifts_there}}
    return [
        Row(
            id=str(found["id"]),
            at=found["at"].timestamp(),
            campaign=str(found["book"]),
            amount=found["amount"],
            asset=assets[found["asset"]],
            device=found["device"] or "",
            account=str(found["giver"]),
            payment=found["payment"] or "",
            refunded_at=found["refunded_at"].timestamp() if found["refunded_at"] else None,
            message=names.get((found["book"], found["team"]), ""),
        )
        for found in gifts_there
    ]


def looked_at(now: datetime) -> datetime:
    """When the clerk looked last; two days ago if it never has."""
    found = row("SELECT max(at) AS at FROM giving_look", {})
    return (found or {}).get("at") or now - timedelta(days=2)


def changed_slots(since: datetime, now: datetime) -> list[datetime]:
    """The slots whose gifts have been paid or have gone back since then, or are known by now by who paid them."""
    query = """
        SELECT DISTINCT date_bin(%(slot)s, g.at, 'epoch') AS slot FROM giving_gift g
        WHERE EXISTS (SELECT FROM giving_payment p
                      WHERE p.book = g.book AND p.gift = g.id AND p.at >= %(since)s AND p.at < %(now)s)
          AND g.at >= %(since)s - interval '1 day'
        UNION
        SELECT date_bin(%(slot)s, g.at, 'epoch') FROM giving_return_end e
        JOIN giving_return r ON r.book = e.book AND r.id = e.id
        JOIN giving_gift g ON g.book = r.book AND g.id = r.gift
        WHERE e.at >= %(since)s AND e.at < %(now)s AND g.channel <> %(channel)s
        UNION
        SELECT date_bin(%(slot)s, g.at, 'epoch') FROM giving_mark m
        JOIN giving_gift g ON g.book = m.book AND g.id = m.gift
        WHERE m.what = 'payment' AND m.at >= %(since)s AND m.at < %(now)s"""
    values = {"slot": rules.SLOT, "since": since, "now": now, "channel": CHANNEL}
    return [found["slot"] for found in rows(query, values)]


def promised(since: datetime, now: datetime) -> list[Signal]:
    """Public texts since then that promise money back: stories, updates."""
    texts = [
        (campaign.id, " ".join((campaign.title_en, campaign.title_zh, campaign.story_en, campaign.story_zh)))
        for campaign in Campaign.objects.filter(created_at__gte=since, created_at__lt=now, kind="campaign")
    ]
    texts += [
        (update.campaign_id, " ".join((update.title_en, update.title_zh, update.body_en, update.body_zh)))
        for update in Update.objects.filter(at__gte=since, at__lt=now)
    ]
    found = (promise(str(campaign), text) for campaign, text in texts)
    return [signal for signal in found if signal]


CASE = """
    SELECT c.id, c.campaign, c.kind, c.objects_to, c.fact, c.at, c.due_at, t.title_en, t.title_zh, t.asset,
           e.outcome, e.at AS ended_at, e.fact AS end_fact,
           (SELECT count(*) FROM giving_case_gift n WHERE n.case_id = c.id) AS gifts,
           (SELECT coalesce(sum(g.amount), 0) FROM giving_case_gift n
            JOIN giving_gift g ON g.book = n.campaign AND g.id = n.gift WHERE n.case_id = c.id)::bigint AS amount,
           (SELECT count(*) FROM giving_objection o WHERE o.case_id = c.id) AS objections
    FROM giving_case c
    JOIN giving_campaign t ON t.id = c.campaign
    LEFT JOIN giving_case_end e ON e.case_id = c.id"""


@dataclass(frozen=True, slots=True)
class Case:
    """A case: gifts whose match waits, of `amount` smallest units in all, until two stewards have said the same."""

    id: uuid.UUID
    campaign: uuid.UUID
    title: Text
    kind: Text
    objects_to: uuid.UUID | None
    at: datetime
    due_at: datetime
    gifts: int
    amount: int
    objections: int
    asset: Asset
    fact: uuid.UUID
    state: rules.State
    ended_at: datetime | None
    end_fact: uuid.UUID | None

    @property
    def state_title(self) -> Text:
        """Where it stands, in words."""
        return rules.TITLES[self.state]

    @property
    def is_open(self) -> bool:
        """Whether it waits for words."""
        return self.state is rules.State.OPEN


def unknown() -> NotFound:
    """There is no such case."""
    return NotFound("case.unknown", Text("There is no such case.", "没有这个核查。"))


def _case(found: dict[str, Any]) -> Case:
    return Case(
        id=found["id"],
        campaign=found["campaign"],
        title=Text(found["title_en"], found["title_zh"]),
        kind=KINDS[found["kind"]],
        objects_to=found["objects_to"],
        at=found["at"],
        due_at=found["due_at"],
        gifts=found["gifts"],
        amount=found["amount"],
        objections=found["objections"],
        asset=asset_of(found["asset"]),
        fact=found["fact"],
        state=rules.state(found["outcome"]),
        ended_at=found["ended_at"],
        end_fact=found["end_fact"],
    )


def waiting(limit: int = 200) -> list[Case]:
    """Open cases, the nearest deadline first."""
    query = f"{CASE} WHERE e.case_id IS NULL ORDER BY c.due_at, c.id LIMIT %(limit)s"
    return [_case(found) for found in rows(query, {"limit": limit})]


def decided(limit: int = 50) -> list[Case]:
    """The newest that have ended."""
    query = f"{CASE} WHERE e.case_id IS NOT NULL ORDER BY e.at DESC, c.id LIMIT %(limit)s"
    return [_case(found) for found in rows(query, {"limit": limit})]


def one(id: uuid.UUID) -> Case:
    """One case. Raises `NotFound` (`case.unknown`)."""
    found = row(f"{CASE} WHERE c.id = %(id)s", {"id": id})
    if found is None:
        raise unknown()
    return _case(found)


def near(now: datetime) -> list[uuid.UUID]:
    """Open cases whose deadline is near and whose stewards have not been reminded."""
    query = f"""{CASE} WHERE e.case_id IS NULL AND c.due_at > %(now)s AND c.due_at <= %(until)s
        AND NOT EXISTS (SELECT FROM giving_case_reminder r WHERE r.case_id = c.id)"""
    return [found["id"] for found in rows(query, {"now": now, "until": now + rules.REMIND_BEFORE})]


def overdue(now: datetime) -> list[uuid.UUID]:
    """Open cases whose deadline has passed."""
    return [found["id"] for found in rows(f"{CASE} WHERE e.case_id IS NULL AND c.due_at <= %(now)s", {"now": now})]


def reasons(case: Case) -> list[Text]:
    """Why it was opened, and what was added; those of the case it objects to."""
    query = "SELECT reasons FROM giving_case_signal WHERE case_id = %(id)s ORDER BY at, score DESC, digest"
    found = [read for each in rows(query, {"id": case.objects_to or case.id}) for read in _texts(each["reasons"])]
    return list(dict.fromkeys(found))


def _texts(written: Any) -> list[Text]:
    return [Text(en, zh) for en, zh in (json.loads(written) if isinstance(written, str) else written)]


@dataclass(frozen=True, slots=True)
class Named:
    """A gift of a case, by its number in its campaign; never its giver. `said` is their objection."""

    campaign: uuid.UUID
    gift: uuid.UUID
    nth: int | None
    amount: int
    refunded: bool
    at: datetime
    said: str


def gifts(case: Case, limit: int = 500) -> list[Named]:
    """The gifts of a case, oldest first."""
    query = """
        SELECT n.campaign, n.gift, p.nth, g.amount, g.at, o.giver, o.sealed,
               EXISTS (SELECT FROM giving_return r WHERE r.book = n.campaign AND r.gift = n.gift) AS refunded
        FROM giving_case_gift n
        JOIN giving_gift g ON g.book = n.campaign AND g.id = n.gift
        LEFT JOIN giving_payment p ON p.book = n.campaign AND p.gift = n.gift
        LEFT JOIN giving_objection o ON o.campaign = n.campaign AND o.gift = n.gift
            AND o.case_id IN (n.case_id, %(before)s)
        WHERE n.case_id = %(id)s ORDER BY g.at, g.id LIMIT %(limit)s"""
    values = {"id": case.id, "before": case.objects_to, "limit": limit}
    return [
        Named(
            campaign=found["campaign"],
            gift=found["gift"],
            nth=found["nth"],
            amount=found["amount"],
            refunded=found["refunded"],
            at=found["at"],
            said=_opened(found["giver"], found["sealed"]),
        )
        for found in rows(query, values)
    ]


def objectors(case: Case) -> list[uuid.UUID]:
    """Whose objections stand in a case."""
    query = """
        SELECT DISTINCT o.giver FROM giving_case_gift n
        JOIN giving_objection o ON o.campaign = n.campaign AND o.gift = n.gift
            AND o.case_id IN (n.case_id, %(before)s)
        JOIN parties_partykey k ON k.party_id = o.giver
        WHERE n.case_id = %(id)s ORDER BY o.giver"""
    return [found["giver"] for found in rows(query, {"id": case.id, "before": case.objects_to})]


def _opened(giver: uuid.UUID | None, sealed: bytes | None) -> str:
    if giver is None or sealed is None:
        return ""
    try:
        return str(cipher.open_for(giver, sealed))
    except cipher.Forgotten:
        return ""


@dataclass(frozen=True, slots=True)
class Word:
    """What a steward has said."""

    steward: uuid.UUID
    withholds: bool
    note: str
    fact: uuid.UUID
    at: datetime


def words(case: uuid.UUID) -> list[Word]:
    """What has been said on a case, oldest first."""
    query = (
        "SELECT steward, withholds, note, fact, at FROM giving_case_word WHERE case_id = %(id)s ORDER BY at, steward"
    )
    return [Word(**found) for found in rows(query, {"id": case})]


def callees(case: Case) -> list[uuid.UUID]:
    """The stewards who can still say a word on a case."""
    query = """
        SELECT DISTINCT party_id FROM parties_grant r
        WHERE role = %(role)s AND within_id IS NULL AND revoked_at IS NULL AND NOT EXISTS (
            SELECT FROM giving_case_word w WHERE w.steward = r.party_id AND w.case_id IN (%(case)s, %(before)s))
        ORDER BY party_id"""
    values = {"role": STEWARD, "case": case.id, "before": case.objects_to}
    return [found["party_id"] for found in rows(query, values) if not involved(found["party_id"], case.id)]


def involved(steward: uuid.UUID, case: uuid.UUID) -> bool:
    """Whether a steward acts for the charity or a company that matches the gifts, or has given one of them."""
    query = """
        SELECT FROM giving_case_gift n
        JOIN giving_gift g ON g.book = n.campaign AND g.id = n.gift
        JOIN giving_campaign c ON c.id = n.campaign
        WHERE n.case_id = %(case)s AND (g.giver = %(steward)s OR EXISTS (
            SELECT FROM parties_grant r WHERE r.party_id = %(steward)s AND r.revoked_at IS NULL AND r.within_id IN (
                SELECT c.organisation_id UNION SELECT p.company FROM giving_pool p WHERE n.campaign = ANY (p.campaigns))
        )) LIMIT 1"""
    return row(query, {"case": case, "steward": steward}) is not None


KNOWN = """
    SELECT n.campaign, n.gift, c.id, e.case_id IS NULL AS open
    FROM giving_case_gift n
    JOIN giving_case c ON c.id = n.case_id AND c.kind = %(kind)s AND c.objects_to IS NULL
    LEFT JOIN giving_case_end e ON e.case_id = c.id
    WHERE (n.campaign, n.gift) IN (SELECT * FROM unnest(%(campaigns)s::uuid[], %(gifts)s::uuid[]))"""


def known(kind: str, named: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> tuple[set[tuple[uuid.UUID, uuid.UUID]], Any]:
    """Which of these gifts are in cases of this kind already, and an open one of those cases, if there is one."""
    values = {"kind": kind, "campaigns": [book for book, _ in named], "gifts": [gift for _, gift in named]}
    found = rows(KNOWN, values)
    return {(each["campaign"], each["gift"]) for each in found}, next(
        (each["id"] for each in found if each["open"]), None
    )


def said_before(digest: bytes) -> bool:
    """Whether there is a case with this very signal."""
    return row("SELECT FROM giving_case_signal WHERE digest = %(digest)s", {"digest": digest}) is not None


MATCHED = """EXISTS (
    SELECT FROM giving_pool p LEFT JOIN giving_pool_settled d ON d.book = p.book AND d.pool = p.id
    WHERE p.campaigns @> ARRAY[g.book] AND g.at >= p.opens_at AND g.at < p.closes_at AND g.giver <> p.company
      AND d.pool IS NULL)"""
"""Whether a pool that is not settled would match the gift `g`."""


def givers(case: uuid.UUID) -> list[tuple[uuid.UUID, uuid.UUID, uuid.UUID]]:
    """Whose matches wait for a case: `(giver, campaign, gift)`."""
    query = f"""
        SELECT g.giver, g.book, g.id FROM giving_case_gift n
        JOIN giving_gift g ON g.book = n.campaign AND g.id = n.gift
        WHERE n.case_id = %(case)s AND g.giver IS NOT NULL AND {MATCHED} ORDER BY g.at, g.id"""
    return [(found["giver"], found["book"], found["id"]) for found in rows(query, {"case": case})]


@dataclass(frozen=True, slots=True)
class Check:
    """What the giver of one gift is told: why its match waits or is withheld, and whether they can object."""

    case: Case
    reasons: tuple[Text, ...]
    notes: tuple[str, ...]
    """What the stewards who withheld it have written."""
    may_object: bool
    object_until: datetime | None
    objected: bool
    answered: rules.State | None
    """How the case ended that looked at their objection; None while it has not, or without one."""


def of_gift(campaign: uuid.UUID, gift: uuid.UUID) -> list[Check]:
    """The cases of a gift that a pool would match or has withheld, the newest first."""
    query = f"""{CASE}
        JOIN giving_case_gift n ON n.case_id = c.id AND n.campaign = %(campaign)s AND n.gift = %(gift)s
        JOIN giving_gift g ON g.book = n.campaign AND g.id = n.gift
        WHERE {MATCHED} OR e.outcome = 'withheld' ORDER BY c.at DESC, c.id DESC"""
    values = {"campaign": campaign, "gift": gift}
    answers = {
        found["case_id"]: rules.State(found["outcome"]) if found["outcome"] else None
        for found in rows(
            """
            SELECT o.case_id, e.outcome FROM giving_objection o LEFT JOIN giving_case_end e ON e.case_id = o.opens
            WHERE o.campaign = %(campaign)s AND o.gift = %(gift)s
            """,
            values,
        )
    }
    return [_check(_case(found), answers) for found in rows(query, values)]


def _check(case: Case, answers: dict[uuid.UUID, rules.State | None]) -> Check:
    until = case.due_at if case.is_open else case.ended_at and case.ended_at + rules.OBJECT_WITHIN
    objected = case.id in answers
    possible = rules.may_object(
        case.state, case.ended_at, clock.now(), objection=case.objects_to is not None, objected=objected
    )
    notes = tuple(word.note for word in words(case.id) if word.withholds and word.note)
    return Check(
        case=case,
        reasons=tuple(reasons(case)),
        notes=notes if case.state is rules.State.WITHHELD else (),
        may_object=possible,
        object_until=until if possible else None,
        objected=objected,
        answered=answers.get(case.id),
    )


WAITS = """
    SELECT FROM giving_case_gift n
    JOIN giving_case c ON c.id = n.case_id
    LEFT JOIN giving_case_end e ON e.case_id = c.id
    JOIN giving_gift g ON g.book = n.campaign AND g.id = n.gift
    WHERE n.campaign = ANY(%(campaigns)s) AND g.at >= %(opens)s AND g.at < %(closes)s
      AND (c.objects_to IS NOT NULL OR c.at < %(due)s)
      AND (e.case_id IS NULL
           OR (e.outcome = 'withheld' AND c.objects_to IS NULL AND e.at > %(object_since)s
               AND NOT EXISTS (SELECT FROM giving_objection o
                               WHERE o.case_id = c.id AND o.campaign = n.campaign AND o.gift = n.gift)))
    LIMIT 1"""


def hold_up(pool: Pool, now: datetime) -> bool:
    """Whether a pool waits: a case of its gifts is open, or its giver can still object."""
    values = {
        "campaigns": list(pool.campaigns),
        "opens": pool.rules.opens,
        "closes": pool.rules.closes,
        "due": pool.rules.due,
        "object_since": now - rules.OBJECT_WITHIN,
    }
    return row(WAITS, values) is not None


@dataclass(frozen=True, slots=True)
class Count:
    """How many gifts of a pool wait for a case, and how many are withheld."""

    waiting: int
    withheld: int


def of_pool(pool: Pool) -> Count:
    """Of all its gifts, for everybody to see."""
    query = """
        SELECT count(DISTINCT n.gift) FILTER (WHERE e.case_id IS NULL) AS waiting,
               (SELECT count(*) FROM giving_withheld w JOIN giving_gift g ON g.book = w.campaign AND g.id = w.gift
                WHERE w.campaign = ANY(%(campaigns)s) AND g.at >= %(opens)s AND g.at < %(closes)s) AS withheld
        FROM giving_case_gift n
        JOIN giving_gift g ON g.book = n.campaign AND g.id = n.gift
        LEFT JOIN giving_case_end e ON e.case_id = n.case_id
        WHERE n.campaign = ANY(%(campaigns)s) AND g.at >= %(opens)s AND g.at < %(closes)s"""
    values = {"campaigns": list(pool.campaigns), "opens": pool.rules.opens, "closes": pool.rules.closes}
    return Count(**(row(query, values) or {"waiting": 0, "withheld": 0}))
