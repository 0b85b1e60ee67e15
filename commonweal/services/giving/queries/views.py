"""The log of stewards' looks."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from commonweal.kernel.sql import Found, row, rows
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import views as rules
from commonweal.services.giving.rules.views import What


@dataclass(frozen=True, slots=True)
class View:
    """One look. `name` is that of the organisation that it concerns; a person is a pseudonym, `subject`."""

    steward: uuid.UUID
    what: What
    thing: uuid.UUID
    subject: uuid.UUID
    name: Text | None
    fact: uuid.UUID
    at: datetime

    @property
    def title(self) -> Text:
        """What was looked at."""
        return rules.TITLES[self.what]

    @property
    def why(self) -> Text:
        """Why."""
        return rules.WHY[self.what]


class Views(Found[View]):
    """All of them, newest first."""

    def __len__(self) -> int:
        found = row("SELECT count(*) AS number FROM giving_view", {})
        return int(found["number"]) if found else 0

    def part(self, skip: int, most: int) -> list[View]:
        """Some of them."""
        query = """
            SELECT v.steward, v.what, v.thing, v.subject, nullif(p.name_en, '') AS name_en, p.name_zh, v.fact, v.at
            FROM giving_view v LEFT JOIN parties_party p ON p.id = v.subject
            ORDER BY v.at DESC, v.id DESC OFFSET %(skip)s LIMIT %(most)s"""
        return [
            View(
                steward=each["steward"],
                what=What(each["what"]),
                thing=each["thing"],
                subject=each["subject"],
                name=Text(each["name_en"], each["name_zh"]) if each["name_en"] else None,
                fact=each["fact"],
                at=each["at"],
            )
            for each in rows(query, {"skip": skip, "most": most})
        ]
