"""Payouts: where the money went."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema

from commonweal.kernel.doors import Amount
from commonweal.services.giving.api.shapes import Both
from commonweal.services.giving.queries import campaigns, payouts

router = Router()


class Payout(Schema):
    """A payout; `fact` is its leaf in the public log once it is paid."""

    id: uuid.UUID
    amount: Amount
    what: Both
    state: str
    asked_at: datetime
    paid_at: datetime | None
    fact: uuid.UUID | None


@router.get("/campaigns/{uuid:campaign}/payouts", response=list[Payout], auth=None, summary="Where the money went")
def paid(request: HttpRequest, campaign: uuid.UUID) -> list[Payout]:
    """The payouts of a campaign, oldest first."""
    campaigns.card(campaign)
    return [
        Payout(
            id=each.id,
            amount=Amount.of(each.amount, each.asset),
            what=Both.of(each.what),
            state=each.state.value,
            asked_at=each.asked_at,
            paid_at=each.paid_at,
            fact=each.paid_fact,
        )
        for each in payouts.payouts_of(campaign)
    ]
