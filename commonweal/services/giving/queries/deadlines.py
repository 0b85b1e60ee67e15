"""What a charity has to do next, and by when."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time

from commonweal.kernel import clock
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import campaigns, uses


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something that is due: of a campaign, or (None) of the charity itself."""

    organisation: uuid.UUID
    campaign: uuid.UUID | None
    title: Text
    what: Text
    due: datetime
    late: bool


REPORT = Text("public report", "公开进展报告")
USE = Text("how is it used: {what}", "说明使用情况：{what}")
QUALIFICATION = Text("qualification for public fundraising ends", "公开募捐资格到期")


def of_organisations(organisations: Iterable[uuid.UUID]) -> list[Deadline]:
    """What some charities owe, next first: the reports of their campaigns, the ends of their qualifications,
    and how what was bought is used."""
    now, known = clock.now(), list(organisations)
    found, qualified = [], {}
    for card in campaigns.of_organisations(known):
        if due := card.standing.report_due:
            found.append(Deadline(card.organisation_id, card.id, card.title, REPORT, due, due <= now))
        if card.is_open and card.organisation_id not in qualified:
            qualified[card.organisation_id] = card.organisation, campaigns.page(card.id).qualified_until
    for organisation, (name, until) in qualified.items():
        if until:
            ends = datetime.combine(until, time.max, UTC)
            found.append(Deadline(organisation, None, name, QUALIFICATION, ends, ends <= now))
    for use in uses.unanswered(known):
        organisation = campaigns.card(use.campaign).organisation_id
        what = USE.format(what=use.what)
        found.append(Deadline(organisation, use.campaign, use.title, what, use.due, use.overdue))
    return sorted(found, key=lambda each: each.due)
