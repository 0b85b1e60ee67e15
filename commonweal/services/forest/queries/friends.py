"""Friends: who they are to one another, and what one may gather at theirs."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from commonweal.kernel.errors import NotFound
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.forest.queries import gardens
from commonweal.services.forest.rules.bubbles import day_of


@dataclass(frozen=True, slots=True)
class Friend:
    """A friendship seen from one side: the other one, and the name that they have chosen ('' if none)."""

    id: uuid.UUID
    party: uuid.UUID
    name: str
    ripe: int


FRIENDS = """
SELECT f.id, CASE WHEN f.one = %(person)s THEN f.other ELSE f.one END AS party,
       (SELECT count(*) FROM forest_bubble b
        WHERE b.owner = CASE WHEN f.one = %(person)s THEN f.other ELSE f.one END
          AND b.day BETWEEN %(today)s - 5 AND %(today)s
          AND b.ripe_at <= %(at)s AND %(at)s < b.ripe_at + interval '72 hours' AND b.left_g > 0) AS ripe
FROM forest_friendship f WHERE %(person)s IN (f.one, f.other) ORDER BY f.since
"""


def friends(person: uuid.UUID, at: datetime) -> list[Friend]:
    """Somebody's friends, in the order in which they became friends."""
    found = rows(FRIENDS, {"person": person, "at": at, "today": day_of(at)})
    return [Friend(each["id"], each["party"], gardens.wishes(each["party"]).name, each["ripe"]) for each in found]


def friend(person: uuid.UUID, id: uuid.UUID) -> Friend:
    """One friend by the friendship's id. Raises `NotFound` (`friend.unknown`) for anybody else's friendship."""
    query = """
    SELECT id, CASE WHEN one = %(person)s THEN other ELSE one END AS party
    FROM forest_friendship WHERE id = %(id)s AND %(person)s IN (one, other)
    """
    found = row(query, {"person": person, "id": id})
    if found is None:
        raise NotFound("friend.unknown", Text("There is no such friend.", "没有这位好友。"))
    return Friend(found["id"], found["party"], gardens.wishes(found["party"]).name, 0)


def are_friends(one: uuid.UUID, other: uuid.UUID) -> bool:
    """Whether two people are friends."""
    low, high = sorted((one, other))
    query = "SELECT 1 AS yes FROM forest_friendship WHERE one = %(low)s AND other = %(high)s"
    return row(query, {"low": low, "high": high}) is not None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A code that still counts: who gave it, and to which grove, if it is one."""

    owner: uuid.UUID
    grove: uuid.UUID | None


def invitation(digest: bytes, at: datetime) -> Invitation | None:
    """The invitation behind a code, if it still counts."""
    query = """
    SELECT owner, grove FROM forest_invitation
    WHERE digest = %(digest)s AND used_at IS NULL AND expires_at > %(at)s
    """
    found = row(query, {"digest": digest, "at": at})
    return Invitation(**found) if found else None


def waterings_today(giver: uuid.UUID, receiver: uuid.UUID, at: datetime) -> int:
    """How often one has watered the other today."""
    query = "SELECT count(*) AS n FROM forest_watering WHERE giver = %(g)s AND receiver = %(r)s AND day = %(day)s"
    found = row(query, {"g": giver, "r": receiver, "day": day_of(at)})
    return int(found["n"]) if found else 0
