"""Founding a team, and hiding one whose name must not be shown."""

from __future__ import annotations

import uuid

from django.db import IntegrityError, connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving.queries import teams as queries
from commonweal.services.giving.queries.campaigns import taking, unknown
from commonweal.services.giving.rules import teams as rules
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.campaigns import check_open


def found(founder: Party, campaign: uuid.UUID, name: str) -> uuid.UUID:
    """Found a team for a campaign that takes gifts; returns its id.

    Raises `NotFound` (`campaign.unknown`), `Conflict` (`campaign.<state>`, `team.taken`) and `Invalid` for the name.
    """
    now, name, id = clock.now(), rules.check_name(name), uuid7()
    there = taking([campaign], now).get(campaign)
    if there is None:
        raise unknown()
    check_open(there.standing, now)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO giving_team (book, id, name, founder, at) VALUES (%s, %s, %s, %s, %s)",
                [campaign, id, name, founder.id, now],
            )
    except IntegrityError as error:
        raise Conflict(
            "team.taken", Text("Another team has this name.", "已有小队使用该名称。"), field="name"
        ) from error
    return id


def hide(steward: Party, campaign: uuid.UUID, team: uuid.UUID, note: str) -> None:
    """Show a team no more, with a reason; gifts given through it stay. Doing it again changes nothing.

    Raises `NotAllowed`, `NotFound` (`team.unknown`) and `Invalid` without a reason.
    """
    people.require_role(steward, people.STEWARD)
    note = texts.check(note, "note", 1000, lines=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM giving_team WHERE book = %s AND id = %s FOR SHARE", [campaign, team])
        if cursor.fetchone() is None:
            raise queries.unknown()
        cursor.execute(
            "INSERT INTO giving_team_hidden (book, team, steward, note, at) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            [campaign, team, steward.id, note, clock.now()],
        )
