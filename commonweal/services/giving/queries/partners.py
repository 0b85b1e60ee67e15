"""Which companies have made which campaigns their own."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from commonweal.kernel.errors import NotFound
from commonweal.kernel.sql import rows
from commonweal.kernel.text import Text
from commonweal.services.giving.rules import partners as rules

PARTNER = """
    SELECT p.campaign, p.company, o.name_en, o.name_zh, w.accepts, w.fact FROM giving_partner p
    JOIN parties_party o ON o.id = p.company
    LEFT JOIN giving_partner_word w ON w.campaign = p.campaign AND w.company = p.company"""


@dataclass(frozen=True, slots=True)
class Partner:
    """A company beside a campaign; `fact` once the charity has answered."""

    campaign: uuid.UUID
    company: uuid.UUID
    name: Text
    state: rules.State
    fact: uuid.UUID | None

    @property
    def state_title(self) -> Text:
        """How far it has come, in words."""
        return rules.TITLES[self.state]


def _partner(found: dict[str, Any]) -> Partner:
    name = Text(found["name_en"], found["name_zh"])
    return Partner(found["campaign"], found["company"], name, rules.state(found["accepts"]), found["fact"])


def of_campaign(campaign: uuid.UUID) -> list[Partner]:
    """Those of a campaign, in the order in which they proposed it."""
    return [_partner(each) for each in rows(f"{PARTNER} WHERE p.campaign = %(of)s ORDER BY p.at", {"of": campaign})]


def accepted(campaign: uuid.UUID) -> list[Partner]:
    """Those that its page names."""
    return [each for each in of_campaign(campaign) if each.state is rules.State.ACCEPTED]


def of_company(company: uuid.UUID) -> list[Partner]:
    """The campaigns of a company, newest first."""
    return [_partner(each) for each in rows(f"{PARTNER} WHERE p.company = %(of)s ORDER BY p.at DESC", {"of": company})]


def one(campaign: uuid.UUID, company: uuid.UUID) -> Partner:
    """One of them. Raises `NotFound` (`partner.unknown`)."""
    found = next((each for each in of_campaign(campaign) if each.company == company), None)
    if found is None:
        raise NotFound("partner.unknown", Text("The company has not proposed this.", "该企业没有提出共同开展。"))
    return found
