"""Appeals of persons: what is public of them, and what waits for a steward."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.parties import cipher
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import appeals as rules
from commonweal.services.giving.rules import topics

APPEAL = """
    SELECT a.id, a.asker, a.amount, a.topic, a.sealed, a.fact, a.at, a.withdrawn_at, w.shows, w.note, d.campaign,
           c.title_en, c.title_zh
    FROM giving_appeal a
    LEFT JOIN giving_appeal_word w ON w.appeal = a.id
    LEFT JOIN giving_adoption d ON d.appeal = a.id
    LEFT JOIN giving_campaign c ON c.id = d.campaign"""


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal as it is read. `evidence` are digests of files that are not for everybody."""

    id: uuid.UUID
    title: Text
    story: Text
    topic: Text
    amount: int
    evidence: tuple[str, ...]
    fact: uuid.UUID
    at: datetime
    note: str
    campaign: uuid.UUID | None
    campaign_title: Text | None
    standing: rules.Standing

    @property
    def state(self) -> rules.State:
        """How far it has come."""
        return rules.state(self.standing)

    @property
    def state_title(self) -> Text:
        """The same, in words."""
        return rules.TITLES[self.state]


def unknown() -> NotFound:
    """There is no such appeal, or it is not for this reader, or its asker has been forgotten."""
    return NotFound("appeal.unknown", Text("There is no such appeal.", "没有这个求助。"))


def _appeal(found: dict[str, Any]) -> Appeal:
    said = cipher.open_for(found["asker"], bytes(found["sealed"]))
    return Appeal(
        id=found["id"],
        title=Text(*said["title"]),
        story=Text(*said["story"]),
        topic=topics.TITLES[found["topic"]],
        amount=found["amount"],
        evidence=tuple(said["evidence"]),
        fact=found["fact"],
        at=found["at"],
        note=found["note"] or "",
        campaign=found["campaign"],
        campaign_title=Text(found["title_en"], found["title_zh"]) if found["campaign"] else None,
        standing=rules.Standing(found["asker"], found["shows"], found["campaign"] is not None, found["withdrawn_at"]),
    )


def _readable(found: list[dict[str, Any]]) -> list[Appeal]:
    """Without those whose askers have been forgotten."""
    appeals = []
    for each in found:
        with suppress(cipher.Forgotten):
            appeals.append(_appeal(each))
    return appeals


def appeal(id: uuid.UUID) -> Appeal:
    """One appeal. Raises `NotFound` (`appeal.unknown`)."""
    found = row(f"{APPEAL} WHERE a.id = %(id)s", {"id": id})
    if found is None:
        raise unknown()
    try:
        return _appeal(found)
    except cipher.Forgotten as error:
        raise unknown() from error


def public(limit: int = 100) -> list[Appeal]:
    """What everybody may see, newest first."""
    query = f"{APPEAL} WHERE w.shows AND a.withdrawn_at IS NULL ORDER BY a.at DESC LIMIT %(limit)s"
    return _readable(rows(query, {"limit": limit}))


def waiting(limit: int = 100) -> list[Appeal]:
    """What waits for a steward, oldest first."""
    query = f"{APPEAL} WHERE w.appeal IS NULL AND a.withdrawn_at IS NULL ORDER BY a.at LIMIT %(limit)s"
    return _readable(rows(query, {"limit": limit}))


def of(asker: uuid.UUID) -> list[Appeal]:
    """Somebody's own, newest first."""
    return _readable(rows(f"{APPEAL} WHERE a.asker = %(asker)s ORDER BY a.at DESC", {"asker": asker}))


def adopted_by(campaign: uuid.UUID) -> list[Appeal]:
    """The appeals that a campaign has adopted."""
    query = f"{APPEAL} WHERE d.campaign = %(campaign)s AND a.withdrawn_at IS NULL ORDER BY d.at"
    return _readable(rows(query, {"campaign": campaign}))
