"""Teams of a campaign: what is told of each, what has been told of their gifts, and the greetings of their givers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.kernel.parties import cipher
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import teams as rules

TEAM = """
SELECT t.book, t.id, t.sealed, t.founder, s.people, s.amount, s.at AS told_at, p.sealed AS page, p.goal, p.ends_at,
       giving_team_ends(t.book, t.id) AS closes_at
FROM giving_team t
LEFT JOIN LATERAL (SELECT people, amount, at FROM giving_team_sum s WHERE s.book = t.book AND s.team = t.id
                   ORDER BY nth DESC LIMIT 1) s ON true
LEFT JOIN LATERAL (SELECT sealed, goal, ends_at FROM giving_team_page p WHERE p.book = t.book AND p.team = t.id
                   ORDER BY nth DESC LIMIT 1) p ON true
WHERE NOT EXISTS (SELECT FROM giving_team_hidden h WHERE h.book = t.book AND h.team = t.id)
"""

SUM = """
SELECT count(DISTINCT g.giver) FILTER (WHERE p.amount > r.back)::integer, coalesce(sum(p.amount - r.back), 0)::bigint
FROM giving_team_gift m
JOIN giving_gift g ON g.book = m.book AND g.id = m.gift
JOIN giving_payment p ON p.book = m.book AND p.gift = m.gift AND p.at <= %(until)s
CROSS JOIN LATERAL (
    SELECT coalesce(sum(r.amount - r.tip), 0) AS back FROM giving_return r JOIN giving_return_end e
    ON e.book = r.book AND e.id = r.id AND e.outcome = 'done' AND e.at <= %(until)s
    WHERE r.book = p.book AND r.gift = p.gift) r
WHERE m.book = %(book)s AND m.team = %(team)s
"""
"""Of how many people a team has a gift, and how much, without what has gone back. Told only in steps."""


@dataclass(frozen=True, slots=True)
class Team:
    """A team. `people` and `amount` (in smallest units) as they were told last, at `told_at`; None before that."""

    campaign: uuid.UUID
    id: uuid.UUID
    founder: uuid.UUID
    name: str
    page: rules.Page
    people: int | None
    amount: int | None
    told_at: datetime | None
    closes_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether gifts are given through it now, as long as its campaign takes any."""
        return self.closes_at is None or clock.now() < self.closes_at


@dataclass(frozen=True, slots=True)
class Greeting:
    """What somebody who gave with a team has written."""

    id: uuid.UUID
    giver: uuid.UUID
    words: str


def teams(campaign: uuid.UUID, limit: int = 100) -> list[Team]:
    """The teams of a campaign, the newest first."""
    query = f"{TEAM} AND t.book = %(book)s ORDER BY t.at DESC, t.id DESC LIMIT %(limit)s"
    return _readable(rows(query, {"book": campaign, "limit": limit}))


def founded(party: uuid.UUID) -> list[Team]:
    """The teams that somebody has founded, the newest first."""
    return _readable(rows(f"{TEAM} AND t.founder = %(party)s ORDER BY t.at DESC, t.id DESC", {"party": party}))


def find(campaign: uuid.UUID, team: str) -> Team | None:
    """The team that an address or a form names; None if there is none."""
    try:
        id = uuid.UUID(team)
    except ValueError:
        return None
    found = _readable(rows(f"{TEAM} AND t.book = %(book)s AND t.id = %(id)s", {"book": campaign, "id": id}))
    return next(iter(found), None)


def one(campaign: uuid.UUID, team: uuid.UUID) -> Team:
    """One team. Raises `NotFound` (`team.unknown`)."""
    found = find(campaign, str(team))
    if found is None:
        raise unknown()
    return found


def of_gift(campaign: uuid.UUID, gift: uuid.UUID) -> Team | None:
    """The team with which a gift was given, if it is still shown."""
    query = "SELECT team FROM giving_team_gift WHERE book = %(book)s AND gift = %(gift)s"
    found = row(query, {"book": campaign, "gift": gift})
    return find(campaign, str(found["team"])) if found else None


def greetings(team: Team, limit: int = 100) -> list[Greeting]:
    """The greetings of a team that are shown, the newest first: without a time, which would tell the gift."""
    query = """
        SELECT w.id, w.giver, w.sealed
        FROM giving_team_gift m JOIN giving_greeting w ON w.book = m.book AND w.gift = m.gift
        WHERE m.book = %(book)s AND m.team = %(team)s
          AND NOT EXISTS (SELECT FROM giving_greeting_hidden h WHERE h.book = w.book AND h.greeting = w.id)
        ORDER BY w.at DESC, w.id LIMIT %(limit)s"""
    found = rows(query, {"book": team.campaign, "team": team.id, "limit": limit})
    keys = cipher.keys_of({each["giver"] for each in found})
    return [
        Greeting(each["id"], each["giver"], _opened(keys, each["giver"], each["sealed"]))
        for each in found
        if each["giver"] in keys
    ]


def of_greeting(campaign: uuid.UUID, greeting: uuid.UUID) -> uuid.UUID:
    """The team to which a greeting was written. Raises `NotFound` (`team.unknown`)."""
    query = """
        SELECT m.team FROM giving_greeting w JOIN giving_team_gift m ON m.book = w.book AND m.gift = w.gift
        WHERE w.book = %(book)s AND w.id = %(id)s"""
    found = row(query, {"book": campaign, "id": greeting})
    if found is None:
        raise unknown()
    return uuid.UUID(str(found["team"]))


def has_greeted(campaign: uuid.UUID, gift: uuid.UUID) -> bool:
    """Whether a gift's giver has written already, shown or not."""
    query = "SELECT FROM giving_greeting WHERE book = %(book)s AND gift = %(gift)s"
    return row(query, {"book": campaign, "gift": gift}) is not None


def unknown() -> NotFound:
    """No such team."""
    return NotFound("team.unknown", Text("There is no such team in this campaign.", "该项目没有这个小队。"))


def _readable(found: list[dict[str, Any]]) -> list[Team]:
    """Without those whose founders have been forgotten: their words are gone."""
    keys = cipher.keys_of({each["founder"] for each in found})
    return [_team(each, keys) for each in found if each["founder"] in keys]


def _opened(keys: Mapping[uuid.UUID, bytes], party: uuid.UUID, sealed: bytes) -> Any:
    return json.loads(cipher.decrypt(keys[party], bytes(sealed), party.bytes))


def _team(found: dict[str, Any], keys: Mapping[uuid.UUID, bytes]) -> Team:
    told = _opened(keys, found["founder"], found["page"]) if found["page"] else {}
    return Team(
        campaign=found["book"],
        id=found["id"],
        founder=found["founder"],
        name=_opened(keys, found["founder"], found["sealed"])["name"],
        page=rules.Page(goal=found["goal"], ends_at=found["ends_at"], **told),
        people=found["people"],
        amount=found["amount"],
        told_at=found["told_at"],
        closes_at=found["closes_at"],
    )
