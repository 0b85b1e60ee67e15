"""Teams of a campaign, with what follows from their gifts."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.queries.returns import GONE
from commonweal.services.giving.rules import teams as rules

TEAM = f"""
SELECT t.id, t.name, t.founder, t.at, count(DISTINCT g.giver) AS people,
       coalesce(sum(p.amount - {GONE}), 0)::bigint AS amount
FROM giving_team t
LEFT JOIN giving_team_gift m ON m.book = t.book AND m.team = t.id
LEFT JOIN giving_payment p ON p.book = m.book AND p.gift = m.gift
LEFT JOIN giving_gift g ON g.book = p.book AND g.id = p.gift
WHERE t.book = %(book)s AND NOT EXISTS (
    SELECT FROM giving_team_hidden h WHERE h.book = t.book AND h.team = t.id)
"""
GROUPED = " GROUP BY t.book, t.id, t.name, t.founder, t.at"


@dataclass(frozen=True, slots=True)
class Team:
    """A team: `people` have given through it; `amount` in smallest units, None while that would tell on somebody."""

    id: uuid.UUID
    name: str
    people: int
    amount: int | None


def teams(campaign: uuid.UUID, limit: int = 100) -> list[Team]:
    """The teams of a campaign, the newest first."""
    query = f"{TEAM}{GROUPED} ORDER BY t.at DESC, t.id DESC LIMIT %(limit)s"
    return [_team(found) for found in rows(query, {"book": campaign, "limit": limit})]


def find(campaign: uuid.UUID, team: str) -> Team | None:
    """The team that an address or a form names; None if there is none."""
    try:
        id = uuid.UUID(team)
    except ValueError:
        return None
    found = row(f"{TEAM} AND t.id = %(id)s{GROUPED}", {"book": campaign, "id": id})
    return _team(found) if found else None


def there(pairs: Collection[tuple[uuid.UUID, uuid.UUID]]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Those pairs of campaign and team that gifts can be given through."""
    query = """
        SELECT t.book, t.id FROM unnest(%(books)s::uuid[], %(teams)s::uuid[]) AS asked (book, team)
        JOIN giving_team t ON t.book = asked.book AND t.id = asked.team
        WHERE NOT EXISTS (SELECT FROM giving_team_hidden h WHERE h.book = t.book AND h.team = t.id)"""
    values = {"books": [book for book, _ in pairs], "teams": [team for _, team in pairs]}
    return {(found["book"], found["id"]) for found in rows(query, values)} if pairs else set()


def unknown() -> NotFound:
    """No such team."""
    return NotFound("team.unknown", Text("There is no such team in this campaign.", "该项目没有这个小队。"))


def _team(found: dict[str, Any]) -> Team:
    return Team(found["id"], found["name"], found["people"], rules.told(found["people"], found["amount"]))
