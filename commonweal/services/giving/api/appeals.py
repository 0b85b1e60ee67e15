"""Persons who ask for help."""

from __future__ import annotations

import uuid

from django.http import HttpRequest
from ninja import Router, Schema

from commonweal.kernel.doors import Amount
from commonweal.kernel.quantity import CNY
from commonweal.services.giving.api.shapes import Both
from commonweal.services.giving.queries import appeals
from commonweal.services.giving.rules import appeals as rules

router = Router()


class Appeal(Schema):
    """A person's appeal: no fundraising by a charity, see `warning`. `campaign` is the one that has adopted it."""

    id: uuid.UUID
    title: Both
    state: str
    amount: Amount
    campaign: uuid.UUID | None
    warning: Both


@router.get("/appeals", response=list[Appeal], auth=None, summary="Persons who ask for help")
def public_appeals(request: HttpRequest) -> list[Appeal]:
    """What is public, newest first. None of them takes money."""
    return [
        Appeal(
            id=each.id,
            title=Both.of(each.title),
            state=each.state.value,
            amount=Amount.of(each.amount, CNY),
            campaign=each.campaign,
            warning=Both.of(rules.WARNING),
        )
        for each in appeals.public()
    ]
