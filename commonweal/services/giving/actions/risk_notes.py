"""A steward writes a note on a charity or one of its campaigns; it stays, sealed under the charity's key."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.models import Party
from commonweal.services.giving.actions import views
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import risk_notes as queries
from commonweal.services.giving.queries.grants import unknown_organisation
from commonweal.services.giving.rules import risk_notes as rules
from commonweal.services.giving.rules.views import What


def check_steward(steward: Party, organisation: uuid.UUID) -> None:
    """Raises `NotAllowed` unless a steward who does not act for the charity, `NotFound` (`organisation.unknown`)."""
    people.require_role(steward, people.STEWARD)
    charity = people.named(organisation)
    if charity is None or charity.kind != Party.Kind.ORGANISATION:
        raise unknown_organisation()
    rules.check_steward(acts_for_charity=people.OFFICER in people.roles(steward, charity))


@transaction.atomic
def add(steward: Party, organisation: uuid.UUID, campaign: uuid.UUID | None, note: str, reason: str) -> uuid.UUID:
    """Write a note, on the charity or one of its campaigns; returns its id.

    Raises what `check_steward` raises, `NotFound` (`campaign.unknown`) and `Invalid` (`text.*`).
    """
    check_steward(steward, organisation)
    note, reason = rules.check(note, reason)
    if campaign is not None and campaigns.card(campaign).organisation_id != organisation:
        raise campaigns.unknown()
    id = uuid7()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO giving_risk_note (id, organisation, campaign, steward, sealed, at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [id, organisation, campaign, steward.id, cipher.seal_for(organisation, [note, reason]), clock.now()],
        )
    return id


@transaction.atomic
def read(steward: Party, organisation: uuid.UUID) -> list[queries.Note]:
    """The notes on a charity, newest first; the look is put on record. Raises what `check_steward` raises."""
    check_steward(steward, organisation)
    views.look(steward, What.RISK, organisation, organisation)
    return queries.of(organisation)
