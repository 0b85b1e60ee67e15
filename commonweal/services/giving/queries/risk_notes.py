"""Stewards' notes on charities."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel.parties import cipher
from commonweal.kernel.sql import rows
from commonweal.kernel.text import Text


@dataclass(frozen=True, slots=True)
class Note:
    """What a steward has noted, and why; on one campaign or on the charity."""

    steward: uuid.UUID
    note: str
    reason: str
    campaign: uuid.UUID | None
    title: Text | None
    at: datetime


def of(organisation: uuid.UUID) -> list[Note]:
    """Those on a charity and its campaigns, newest first."""
    query = """
        SELECT n.steward, n.sealed, n.campaign, c.title_en, c.title_zh, n.at FROM giving_risk_note n
        LEFT JOIN giving_campaign c ON c.id = n.campaign
        WHERE n.organisation = %(organisation)s ORDER BY n.at DESC, n.id DESC"""
    return [_note(organisation, each) for each in rows(query, {"organisation": organisation})]


def _note(organisation: uuid.UUID, found: dict[str, Any]) -> Note:
    note, reason = cipher.open_for(organisation, bytes(found["sealed"]))
    title = Text(found["title_en"], found["title_zh"]) if found["campaign"] else None
    return Note(found["steward"], note, reason, found["campaign"], title, found["at"])


@dataclass(frozen=True, slots=True)
class Watched:
    """A charity and how many notes there are on it."""

    organisation: uuid.UUID
    name: Text
    notes: int


def charities() -> list[Watched]:
    """Every charity with a campaign, those with notes first. Not what the notes say."""
    query = """
        SELECT o.id, o.name_en, o.name_zh, count(n.id) AS notes FROM parties_party o
        LEFT JOIN giving_risk_note n ON n.organisation = o.id
        WHERE EXISTS (SELECT FROM giving_campaign c WHERE c.organisation_id = o.id AND c.kind = 'campaign')
        GROUP BY o.id, o.name_en, o.name_zh ORDER BY notes DESC, o.name_en"""
    return [Watched(each["id"], Text(each["name_en"], each["name_zh"]), each["notes"]) for each in rows(query, {})]
