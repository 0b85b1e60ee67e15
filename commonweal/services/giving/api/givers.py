"""One's own account: what one follows, and the statement of a year."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest
from ninja import Path, Router, Schema, Status

from commonweal.kernel.doors import Amount
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.services.giving.actions import givers as actions
from commonweal.services.giving.api.shapes import Both
from commonweal.services.giving.queries import givers

router = Router()


class StatementRow(Schema):
    """A gift of one's own, and how much of it is spent."""

    campaign: uuid.UUID
    gift: uuid.UUID
    at: datetime
    title: Both
    organisation: Both
    amount: Amount
    spent: Amount


@router.put("/campaigns/{uuid:campaign}/follow", response={204: None}, summary="Follow a campaign")
def follow(request: HttpRequest, campaign: uuid.UUID, reminds: bool = False) -> Status[None]:
    """Be told what it tells; with `reminds` have a word a month."""
    actions.follow(session.signed_in(request), campaign, reminds=reminds)
    return Status(204, None)


@router.delete("/campaigns/{uuid:campaign}/follow", response={204: None}, summary="Follow no longer")
def unfollow(request: HttpRequest, campaign: uuid.UUID) -> Status[None]:
    """Hear no more of it."""
    actions.unfollow(session.signed_in(request), campaign)
    return Status(204, None)


@router.get("/statement/{year}", response=list[StatementRow], summary="One's own gifts of a year")
def statement(request: HttpRequest, year: Annotated[int, Path(ge=2000, le=2200)]) -> list[StatementRow]:
    """The gifts that arrived in a year of the local calendar, oldest first."""
    return _statement(session.signed_in(request).id, year)


@router.get(
    "/companies/{uuid:company}/statement/{year}", response=list[StatementRow], summary="A company's own gifts of a year"
)
def of_company(
    request: HttpRequest, company: Annotated[uuid.UUID, Path()], year: Annotated[int, Path(ge=2000, le=2200)]
) -> list[StatementRow]:
    """For its officers: the gifts that it has paid for itself, oldest first."""
    people.require_role(session.signed_in(request), people.OFFICER, Party(id=company))
    return _statement(company, year)


def _statement(giver: uuid.UUID, year: int) -> list[StatementRow]:
    zone = ZoneInfo(settings.LOCAL_ZONE)
    made = givers.statement(giver, datetime(year, 1, 1, tzinfo=zone), datetime(year + 1, 1, 1, tzinfo=zone))
    return [
        StatementRow(
            campaign=each.campaign,
            gift=each.gift,
            at=each.at,
            title=Both.of(each.title),
            organisation=Both.of(each.organisation),
            amount=Amount.of(each.amount, each.asset),
            spent=Amount.of(each.spent, each.asset),
        )
        for each in made.rows
    ]
