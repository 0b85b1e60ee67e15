"""Groves: their members, what each has put in, what they hold."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.parties import cipher
from commonweal.kernel.sql import rows
from commonweal.kernel.text import Text
from commonweal.services.forest.queries import gardens
from commonweal.services.forest.queries.holdings import held
from commonweal.services.forest.rules.groves import shares


@dataclass(frozen=True, slots=True)
class Member:
    """A member with what they have put in, got back, and their share of the trees in per mille."""

    person: uuid.UUID
    name: str
    grams: int
    back: int
    share: int


@dataclass(frozen=True, slots=True)
class Grove:
    """A grove as a member sees it."""

    id: uuid.UUID
    founder: uuid.UUID
    name: str
    at: datetime
    ended_at: datetime | None
    members: tuple[Member, ...]
    held: int

    def has(self, person: uuid.UUID) -> bool:
        """Whether somebody is a member."""
        return any(member.person == person for member in self.members)

    @property
    def put_in(self) -> dict[uuid.UUID, int]:
        """What each has put in."""
        return {member.person: member.grams for member in self.members}


def unknown() -> NotFound:
    """There is no such grove for them."""
    return NotFound("grove.unknown", Text("There is no such grove.", "没有这片合种林。"))


def _grove(found: dict[str, Any]) -> Grove:
    query = "SELECT person, grams, back FROM forest_member WHERE grove = %(grove)s ORDER BY since, person"
    members = rows(query, {"grove": found["id"]})
    parts = shares({each["person"]: each["grams"] for each in members})
    name = ""
    if found["sealed"]:  # what a forgotten founder has called it is gone
        with suppress(cipher.Forgotten):
            name = str(cipher.open_for(found["founder"], bytes(found["sealed"]))["name"])
    return Grove(
        found["id"],
        found["founder"],
        name,
        found["at"],
        found["ended_at"],
        tuple(
            Member(**each, name=gardens.wishes(each["person"]).name, share=parts[each["person"]]) for each in members
        ),
        held(found["id"]),
    )


def grove(id: uuid.UUID) -> Grove:
    """A grove. Raises `NotFound` (`grove.unknown`)."""
    found = rows("SELECT id, founder, sealed, at, ended_at FROM forest_grove WHERE id = %(id)s", {"id": id})
    if not found:
        raise unknown()
    return _grove(found[0])


def grove_of(person: uuid.UUID, id: uuid.UUID) -> Grove:
    """A grove of which somebody is a member. Raises `NotFound` (`grove.unknown`) for everybody else."""
    found = grove(id)
    if not found.has(person):
        raise unknown()
    return found


def groves(person: uuid.UUID) -> list[Grove]:
    """The groves of somebody, newest first."""
    query = """
    SELECT g.id, founder, sealed, at, ended_at FROM forest_grove g JOIN forest_member m ON m.grove = g.id
    WHERE m.person = %(person)s ORDER BY g.at DESC
    """
    return [_grove(each) for each in rows(query, {"person": person})]
