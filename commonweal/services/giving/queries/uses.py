"""How what payouts bought is used: asked, answered, overdue, idle, passed on."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel import clock
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import uses as rules


@dataclass(frozen=True, slots=True)
class Use:
    """A question, so many days after a payout. `said` is None until it is answered; `pictures` are public files."""

    campaign: uuid.UUID
    request: uuid.UUID
    after: int
    what: Text
    title: Text
    asked_at: datetime
    standing: rules.Standing | None
    said: Text | None
    pictures: tuple[str, ...]
    fact: uuid.UUID | None

    @property
    def due(self) -> datetime:
        """By when an answer is expected."""
        return rules.due(self.asked_at)

    @property
    def overdue(self) -> bool:
        """Whether it has gone unanswered for too long."""
        return rules.overdue(self.asked_at, self.fact is not None, clock.now())

    @property
    def standing_title(self) -> Text | None:
        """How it is used, in words."""
        return rules.TITLES[self.standing] if self.standing else None


USE = """
    SELECT u.book, u.request, u.after, u.asked_at, u.standing, u.said_en, u.said_zh, u.pictures, u.fact,
           r.what_en, r.what_zh, c.title_en, c.title_zh
    FROM giving_use u JOIN giving_request r ON r.book = u.book AND r.id = u.request
    JOIN giving_campaign c ON c.id = u.book"""


def _use(found: dict[str, Any]) -> Use:
    return Use(
        campaign=found["book"],
        request=found["request"],
        after=found["after"],
        what=Text(found["what_en"], found["what_zh"]),
        title=Text(found["title_en"], found["title_zh"]),
        asked_at=found["asked_at"],
        standing=rules.Standing(found["standing"]) if found["standing"] else None,
        said=Text(found["said_en"], found["said_zh"]) if found["said_en"] else None,
        pictures=tuple(found["pictures"]),
        fact=found["fact"],
    )


def of_payout(campaign: uuid.UUID, request: uuid.UUID) -> list[Use]:
    """What was asked and answered about a payout."""
    query = f"{USE} WHERE u.book = %(book)s AND u.request = %(request)s ORDER BY u.after"
    return [_use(found) for found in rows(query, {"book": campaign, "request": request})]


def of_campaign(campaign: uuid.UUID) -> list[Use]:
    """The same about all payouts of a campaign."""
    return [_use(found) for found in rows(f"{USE} WHERE u.book = %(book)s ORDER BY u.asked_at", {"book": campaign})]


def unanswered(organisations: Iterable[uuid.UUID]) -> list[Use]:
    """What some charities owe an answer to, oldest first."""
    query = f"{USE} WHERE c.organisation_id = ANY(%(ids)s) AND u.answered_at IS NULL ORDER BY u.asked_at, u.after"
    return [_use(found) for found in rows(query, {"ids": list(organisations)})]


def to_look_at(limit: int = 100) -> list[Use]:
    """For stewards: what is overdue, and what its receiving side calls idle or partly used and nobody has marked."""
    query = f"""{USE}
        WHERE (u.answered_at IS NULL AND u.asked_at <= %(before)s OR u.standing IN ('idle', 'partly'))
          AND NOT EXISTS (SELECT FROM giving_idle i WHERE i.book = u.book AND i.request = u.request)
        ORDER BY u.asked_at LIMIT %(limit)s"""
    before = clock.now() - rules.ANSWER_WITHIN
    return [_use(found) for found in rows(query, {"before": before, "limit": limit})]


@dataclass(frozen=True, slots=True)
class Idle:
    """What stands unused, and the campaign to which it has gone."""

    campaign: uuid.UUID
    request: uuid.UUID
    what: Text
    note: Text
    fact: uuid.UUID
    target: uuid.UUID | None
    target_title: Text | None
    moved_note: Text | None
    moved_fact: uuid.UUID | None


IDLE = """
    SELECT i.book, i.request, r.what_en, r.what_zh, i.note_en, i.note_zh, i.fact, m.target, c.title_en, c.title_zh,
           m.note_en AS moved_en, m.note_zh AS moved_zh, m.fact AS moved_fact
    FROM giving_idle i JOIN giving_request r ON r.book = i.book AND r.id = i.request
    LEFT JOIN giving_move m ON m.book = i.book AND m.request = i.request
    LEFT JOIN giving_campaign c ON c.id = m.target"""


def _idle(found: dict[str, Any]) -> Idle:
    moved = found["target"] is not None
    return Idle(
        campaign=found["book"],
        request=found["request"],
        what=Text(found["what_en"], found["what_zh"]),
        note=Text(found["note_en"], found["note_zh"]),
        fact=found["fact"],
        target=found["target"],
        target_title=Text(found["title_en"], found["title_zh"]) if moved else None,
        moved_note=Text(found["moved_en"], found["moved_zh"]) if moved else None,
        moved_fact=found["moved_fact"],
    )


def idle(campaign: uuid.UUID, request: uuid.UUID) -> Idle | None:
    """Whether what a payout bought was found idle."""
    query = f"{IDLE} WHERE i.book = %(book)s AND i.request = %(request)s"
    found = row(query, {"book": campaign, "request": request})
    return _idle(found) if found else None


def passed_on_to(campaign: uuid.UUID) -> list[Idle]:
    """The things that a campaign has got from others."""
    return [_idle(found) for found in rows(f"{IDLE} WHERE m.target = %(target)s ORDER BY m.at", {"target": campaign})]


def stands_idle(limit: int = 100) -> list[Idle]:
    """What is idle and has not been passed on, oldest first."""
    query = f"{IDLE} WHERE m.request IS NULL ORDER BY i.at LIMIT %(limit)s"
    return [_idle(found) for found in rows(query, {"limit": limit})]
