"""Teams: people who give together."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from commonweal.kernel.doors import Amount, Body
from commonweal.kernel.parties import session
from commonweal.services.giving.actions import teams as actions
from commonweal.services.giving.api.shapes import Made
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import teams as queries
from commonweal.services.giving.rules import teams as rules

router = Router()


class Team(Schema):
    """A team. `people` and `amount` as they were told at `told_at`, in steps of three people or more; null before."""

    id: uuid.UUID
    name: str
    people: int | None
    amount: Amount | None
    told_at: datetime | None


class NewTeam(Body):
    """The name is public."""

    name: Annotated[str, Field(max_length=rules.LONGEST)]


@router.get("/campaigns/{uuid:campaign}/teams", response=list[Team], auth=None, summary="Teams of a campaign")
def teams(request: HttpRequest, campaign: uuid.UUID) -> list[Team]:
    """The newest hundred."""
    asset = campaigns.card(campaign).asset
    return [
        Team(
            id=each.id,
            name=each.name,
            people=each.people,
            amount=None if each.amount is None else Amount.of(each.amount, asset),
            told_at=each.told_at,
        )
        for each in queries.teams(campaign)
    ]


@router.post("/campaigns/{uuid:campaign}/teams", response={201: Made}, summary="Found a team")
def found(request: HttpRequest, campaign: uuid.UUID, team: NewTeam) -> Status[Made]:
    """Gifts name it with `team`."""
    return Status(201, Made(id=actions.found(session.signed_in(request), campaign, team.name)))
