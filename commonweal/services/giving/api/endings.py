"""The end of a campaign: stopping it, passing on what is left over, money back."""

from __future__ import annotations

import uuid

from django.http import HttpRequest
from ninja import Router, Status

from commonweal.kernel.doors import Amount, Body, IdempotencyKey
from commonweal.kernel.parties import session
from commonweal.services.giving.actions import endings as actions
from commonweal.services.giving.actions import receivables, returns
from commonweal.services.giving.api.shapes import Documents, Made, Words
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.rules.plans import Asking

router = Router()


class Why(Body):
    """The reason; everybody can read it."""

    why: Words


class NewLeftover(Amount):
    """Left-over property and the campaign to which it goes."""

    target: uuid.UUID
    what: Words
    evidence: Documents


class NewRefund(Amount):
    """What of a gift goes back, and why."""

    reason: str


@router.post("/campaigns/{uuid:campaign}/stop", response={204: None}, summary="Stop a campaign")
def stop(request: HttpRequest, campaign: uuid.UUID, why: Why) -> Status[None]:
    """For stewards: from now on it takes no gift."""
    actions.stop(session.signed_in(request), campaign, why.why.text)
    return Status(204, None)


@router.post("/campaigns/{uuid:campaign}/leftovers", response={201: Made}, summary="Pass on what is left over")
def pass_on(request: HttpRequest, campaign: uuid.UUID, leftover: NewLeftover, key: IdempotencyKey) -> Status[Made]:
    """A request like a payout: two stewards approve it, then the money goes to the other campaign at once."""
    party, asset = session.signed_in(request), campaigns.card(campaign).asset
    asking = Asking(leftover.read(asset), leftover.what.text, tuple(leftover.evidence))
    return Status(201, Made(id=actions.pass_on(party, campaign, leftover.target, asking, key)))


@router.post("/campaigns/{uuid:campaign}/repayments", response={201: Made}, summary="Repay what is owed")
def repay(request: HttpRequest, campaign: uuid.UUID, repayment: Amount, key: IdempotencyKey) -> Status[Made]:
    """For spent gifts that were charged back."""
    party, asset = session.signed_in(request), campaigns.card(campaign).asset
    return Status(201, Made(id=receivables.repay(party, campaign, repayment.read(asset), key)))


@router.post("/campaigns/{uuid:campaign}/gifts/{uuid:gift}/refunds", response={201: Made}, summary="Refund a gift")
def refund(
    request: HttpRequest, campaign: uuid.UUID, gift: uuid.UUID, refund: NewRefund, key: IdempotencyKey
) -> Status[Made]:
    """For the charity and for stewards: only what has not been spent can go back."""
    party, amount = session.signed_in(request), refund.read(campaigns.card(campaign).asset)
    return Status(201, Made(id=returns.refund(party, campaign, gift, amount, refund.reason, key)))
