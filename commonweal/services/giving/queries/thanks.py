"""Thanks that a charity has sent to everyone who gave to a campaign."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text


@dataclass(frozen=True, slots=True)
class Thanks:
    """One text, and how many have been sent it by now."""

    id: uuid.UUID
    said: Text
    at: datetime
    people: int


def of_campaign(campaign: uuid.UUID) -> list[Thanks]:
    """The newest first."""
    query = """
        SELECT t.id, t.said_en, t.said_zh, t.at,
               (SELECT count(*) FROM giving_thanks_to g WHERE g.book = t.book AND g.thanks = t.id) AS people
        FROM giving_thanks t WHERE t.book = %(book)s ORDER BY t.at DESC"""
    return [
        Thanks(each["id"], Text(each["said_en"], each["said_zh"]), each["at"], each["people"])
        for each in rows(query, {"book": campaign})
    ]


KEPT = """
    SELECT g.giver FROM giving_gift g
    JOIN giving_payment p ON p.book = g.book AND p.gift = g.id
    JOIN giving_campaign c ON c.id = g.book
    JOIN parties_party who ON who.id = g.giver AND who.id <> c.organisation_id AND who.erased_at IS NULL
    LEFT JOIN LATERAL (
        SELECT sum(r.amount - r.tip) AS amount FROM giving_return r
        WHERE r.book = g.book AND r.gift = g.id AND NOT EXISTS (
            SELECT FROM giving_return_end e
            WHERE e.book = r.book AND e.id = r.id AND e.outcome = 'failed')) back ON true
    WHERE g.book = %(book)s
    GROUP BY g.giver HAVING sum(p.amount - coalesce(back.amount, 0)) > 0"""
"""The people and organisations of whose gifts something has stayed with the campaign; not its own charity."""


def people(campaign: uuid.UUID) -> int:
    """How many people and organisations would be thanked now."""
    found = row(f"SELECT count(*) AS number FROM ({KEPT}) kept", {"book": campaign})
    return int(found["number"]) if found else 0


def last(campaign: uuid.UUID) -> datetime | None:
    """When everyone was thanked last."""
    found = row("SELECT max(at) AS at FROM giving_thanks WHERE book = %(book)s", {"book": campaign})
    return found["at"] if found else None


def said(campaign: uuid.UUID, id: uuid.UUID) -> Text:
    """One text. Raises `LookupError` if there is none."""
    query = "SELECT said_en, said_zh FROM giving_thanks WHERE book = %(book)s AND id = %(id)s"
    found = row(query, {"book": campaign, "id": id})
    if found is None:
        raise LookupError(f"no thanks {id}")
    return Text(found["said_en"], found["said_zh"])
