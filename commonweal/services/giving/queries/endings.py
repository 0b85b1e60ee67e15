"""Where the left-over property of a campaign may go, and has gone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from commonweal.kernel.sql import row
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.rules.campaigns import State


def targets(campaign: uuid.UUID, limit: int = 50) -> list[campaigns.Card]:
    """Open campaigns of the same purpose and currency, newest first."""
    ended = campaigns.card(campaign)
    found = campaigns.Search(topic=topic(campaign), only_open=True)[:limit]
    return [each for each in found if each.id != campaign and each.asset == ended.asset and each.state is State.OPEN]


def open_beside(campaign: uuid.UUID, limit: int = 50) -> list[campaigns.Card]:
    """Open campaigns beside this one, newest first."""
    return [each for each in campaigns.Search(only_open=True)[:limit] if each.id != campaign]


def topic(campaign: uuid.UUID) -> str:
    """What a campaign is about, by its code."""
    found = row("SELECT topic FROM giving_campaign WHERE id = %(id)s", {"id": campaign})
    return str(found["topic"]) if found else ""


@dataclass(frozen=True, slots=True)
class Target:
    """The campaign to which left-over property goes."""

    id: uuid.UUID
    title: Text


def target(campaign: uuid.UUID, request: uuid.UUID) -> Target | None:
    """Where a request passes left-over property on to, None for an ordinary payout."""
    query = """
        SELECT c.id, c.title_en, c.title_zh FROM giving_leftover l JOIN giving_campaign c ON c.id = l.target
        WHERE l.book = %(book)s AND l.request = %(request)s"""
    found = row(query, {"book": campaign, "request": request})
    return Target(found["id"], Text(found["title_en"], found["title_zh"])) if found else None
