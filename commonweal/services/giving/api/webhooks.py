"""Programs that want to be called."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from commonweal.kernel.doors import Body
from commonweal.kernel.parties import session
from commonweal.services.giving.actions import webhooks as actions
from commonweal.services.giving.queries import webhooks as queries

router = Router()


class NewWebhook(Body):
    """Where to call: an https address of the open internet."""

    campaign: uuid.UUID
    address: Annotated[str, Field(max_length=500)]


class Webhook(Schema):
    """A webhook. `waiting` deliveries have not arrived, or never will."""

    id: uuid.UUID
    campaign: uuid.UUID
    address: str
    at: datetime
    delivered: int
    waiting: int


class MadeWebhook(Schema):
    """A new webhook with its secret, shown this once."""

    id: uuid.UUID
    secret: str


@router.get("/webhooks", response=list[Webhook], summary="One's own webhooks")
def own_webhooks(request: HttpRequest) -> list[Webhook]:
    """The webhooks that are called, oldest first."""
    return [
        Webhook(
            id=each.id,
            campaign=each.campaign,
            address=each.address,
            at=each.at,
            delivered=each.delivered,
            waiting=each.waiting,
        )
        for each in queries.of(session.signed_in(request).id)
    ]


@router.post("/webhooks", response={201: MadeWebhook}, summary="Be called")
def add_webhook(request: HttpRequest, webhook: NewWebhook) -> Status[MadeWebhook]:
    """From now on, gifts, updates and payouts of a campaign are posted to the address.

    Each call has the header `Commonweal-Signature: t=<Unix time>,v1=<hex>`: HMAC-SHA256 under the secret over the
    time, a full stop and the body. Answer 2xx within ten seconds; anything else is tried again, eight times.
    """
    id, secret = actions.add(session.signed_in(request), webhook.campaign, webhook.address)
    return Status(201, MadeWebhook(id=id, secret=secret))


@router.delete("/webhooks/{uuid:webhook}", response={204: None}, summary="Be called no longer")
def end_webhook(request: HttpRequest, webhook: uuid.UUID) -> Status[None]:
    """The webhook is called no longer."""
    actions.end(session.signed_in(request), webhook)
    return Status(204, None)
