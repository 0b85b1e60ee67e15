"""Teams of a campaign, with what has been told of their gifts."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.parties import cipher
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.sql import rows

TEAM = """
SELECT t.id, t.sealed, t.founder, s.people, s.amount, s.at AS told_at
FROM giving_team t
LEFT JOIN LATERAL (SELECT people, amount, at FROM giving_team_sum s WHERE s.book = t.book AND s.team = t.id
                   ORDER BY nth DESC LIMIT 1) s ON true
WHERE t.book = %(book)s AND NOT EXISTS (
    SELECT FROM giving_team_hidden h WHERE h.book = t.book AND h.team = t.id)
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

    id: uuid.UUID
    name: str
    people: int | None
    amount: int | None
    told_at: datetime | None


def teams(campaign: uuid.UUID, limit: int = 100) -> list[Team]:
    """The teams of a campaign, the newest first."""
    return _readable(rows(f"{TEAM} ORDER BY t.at DESC, t.id DESC LIMIT %(limit)s", {"book": campaign, "limit": limit}))


def find(campaign: uuid.UUID, team: str) -> Team | None:
    """The team that an address or a form names; None if there is none."""
    try:
        id = uuid.UUID(team)
    except ValueError:
        return None
    return next(iter(_readable(rows(f"{TEAM} AND t.id = %(id)s", {"book": campaign, "id": id}))), None)


def unknown() -> NotFound:
    """No such team."""
    return NotFound("team.unknown", Text("There is no such team in this campaign.", "该项目没有这个小队。"))


def _readable(found: list[dict[str, Any]]) -> list[Team]:
    """Without those whose founders have been forgotten: their names are gone."""
    keys = cipher.keys_of({each["founder"] for each in found})
    return [_team(each, keys[each["founder"]]) for each in found if each["founder"] in keys]


def _team(found: dict[str, Any], key: bytes) -> Team:
    said = json.loads(cipher.decrypt(key, bytes(found["sealed"]), found["founder"].bytes))
    return Team(found["id"], said["name"], found["people"], found["amount"], found["told_at"])
