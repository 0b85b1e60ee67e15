"""A company proposes to make a campaign its own; the charity accepts or declines, in public."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.services.giving.queries import partners as queries
from commonweal.services.giving.queries.campaigns import taking, unknown
from commonweal.services.giving.rules import partners as rules
from commonweal.services.giving.rules.campaigns import check_open


@transaction.atomic
def propose(officer: Party, company: Party, campaign: uuid.UUID) -> None:
    """Propose it for a campaign that takes gifts; twice is once.

    Raises `NotAllowed`, `NotFound` (`campaign.unknown`) and `Conflict` (`campaign.<state>`).
    """
    people.require_role(officer, people.OFFICER, company)
    now = clock.now()
    found = taking([campaign], now).get(campaign)
    if found is None or found.organisation == company.id:
        raise unknown()
    check_open(found.standing, now)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO giving_partner (campaign, company, by, at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [campaign, company.id, officer.id, now],
        )


@transaction.atomic
def answer(officer: Party, campaign: uuid.UUID, company: uuid.UUID, *, accepts: bool) -> None:
    """The charity's word, once.

    Raises `NotFound` (`campaign.unknown`, `partner.unknown`), `NotAllowed` and what `rules.partners.check_word` raises.
    """
    now = clock.now()
    found = taking([campaign], now).get(campaign)
    if found is None:
        raise unknown()
    people.require_role(officer, people.OFFICER, Party(id=found.organisation))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM giving_partner WHERE campaign = %s AND company = %s FOR UPDATE", [campaign, company]
        )
        acts_for_both = people.OFFICER in people.roles(officer, Party(id=company))
        rules.check_word(queries.one(campaign, company).state, acts_for_both=acts_for_both)
        word = "accepted" if accepts else "declined"
        fact = Fact("giving.partner", now, {"campaign": str(campaign), "company": str(company), "word": word})
        cursor.execute(
            "INSERT INTO giving_partner_word (campaign, company, by, accepts, fact, at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [campaign, company, officer.id, accepts, fact.id, now],
        )
        append(cursor, fact)
