"""What givers do with their account: follow, be reminded, be named on receipts, count for a company."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from datetime import timedelta

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Invalid
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import links
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.rules.companies import EMPLOYEE
from commonweal.services.giving.rules.receipts import Taxpayer

REMIND_EVERY = timedelta(days=30)


@transaction.atomic
def follow(party: Party, campaign: uuid.UUID, *, reminds: bool = False) -> None:
    """Be told what a campaign tells, and with `reminds` have a word a month. Raises `NotFound` (`campaign.unknown`)."""
    campaigns.card(campaign)
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO giving_follow (campaign, party, reminds, reminded_at, at) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (campaign, party) DO UPDATE SET reminds = excluded.reminds, reminded_at = excluded.reminded_at
            """,
            [campaign, party.id, reminds, now, now],
        )


@transaction.atomic
def unfollow(party: Party, campaign: uuid.UUID) -> None:
    """Hear no more of it."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM giving_follow WHERE campaign = %s AND party = %s", [campaign, party.id])


@transaction.atomic
def due_reminders(limit: int = 1000) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Take the reminders that are due, so that each is sent once: `(campaign, party)`. Closed campaigns have none."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH due AS (
                SELECT f.campaign, f.party FROM giving_follow f JOIN giving_campaign c ON c.id = f.campaign
                WHERE f.reminds AND f.reminded_at <= %(before)s AND c.opens_at <= %(now)s AND c.closes_at > %(now)s
                  AND (c.stopped_at IS NULL OR c.stopped_at > %(now)s)
                ORDER BY f.reminded_at LIMIT %(limit)s FOR UPDATE OF f SKIP LOCKED
            )
            UPDATE giving_follow f SET reminded_at = %(now)s FROM due
            WHERE f.campaign = due.campaign AND f.party = due.party RETURNING f.campaign, f.party
            """,
            {"before": now - REMIND_EVERY, "now": now, "limit": limit},
        )
        return [(campaign, party) for campaign, party in cursor.fetchall()]


@transaction.atomic
def name_on_receipts(party: Party, taxpayer: Taxpayer) -> None:
    """How receipts name somebody; sealed under their key. Raises `cipher.Forgotten`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO giving_taxpayer (party, sealed) VALUES (%s, %s)
            ON CONFLICT (party) DO UPDATE SET sealed = excluded.sealed
            """,
            [party.id, cipher.seal_for(party.id, asdict(taxpayer))],
        )


def name_company(officer: Party, company: Party, taxpayer: Taxpayer) -> None:
    """How receipts name an organisation. Raises `NotAllowed` unless an officer of it says so."""
    people.require_role(officer, people.OFFICER, company)
    name_on_receipts(company, taxpayer)


def company_link(officer: Party, company: Party) -> str:
    """What an employee opens to join: signed, good for 30 days. Raises `NotAllowed`."""
    people.require_role(officer, people.OFFICER, company)
    return links.JOIN.sign(str(company.id))


def company_of(link: str) -> Party:
    """The company that a link is for. Raises `Invalid` (`link.form`, `company.unknown`) and `Gone` (`link.over`)."""
    (company,) = links.JOIN.read(link)
    found = people.named(uuid.UUID(company))
    if found is None:
        raise Invalid("company.unknown", Text("There is no such company here.", "本站没有这家企业。"))
    return found


@transaction.atomic
def join(party: Party, link: str) -> Party:
    """Let one's gifts from now on count, in sums, in a company's report. Raises what `company_of` raises."""
    company = company_of(link)
    people.grant_role(party, EMPLOYEE, company)
    return company


@transaction.atomic
def leave(party: Party, company: Party) -> None:
    """No longer count."""
    people.revoke_role(party, EMPLOYEE, company)


def erase(party: uuid.UUID) -> None:
    """Remove what is kept here of a person who is being forgotten."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM giving_follow WHERE party = %s", [party])
        cursor.execute("DELETE FROM giving_taxpayer WHERE party = %s", [party])
