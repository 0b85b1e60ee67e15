"""Programs that want to be called: making and ending webhooks, writing deliveries, sending them."""

from __future__ import annotations

import json
import secrets
import uuid
from typing import Any, Literal

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, NotFound
from commonweal.kernel.ids import uuid7
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.parties import cipher
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.giving import webhooks
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import webhooks as queries

MOST = 10
"""Webhooks of one party."""
GIFTS_AT_ONCE = 500
Event = Literal["gifts", "update", "payout", "return"]


@transaction.atomic
def add(party: Party, campaign: uuid.UUID, address: str) -> tuple[uuid.UUID, str]:
    """Ask to be called; returns the id and the secret for checking signatures, which is shown this once.

    Raises `NotFound` (`campaign.unknown`), `Invalid` (`webhook.address`) and `Conflict` (`webhook.many`). What was
    before is not told: gifts count from now.
    """
    campaigns.card(campaign)
    webhooks.check_address(address)
    id, secret = uuid7(), f"cwh_{secrets.token_urlsafe(32)}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"giving:webhook:{party.id}"])
        if len(queries.of(party.id)) >= MOST:
            raise Conflict(
                "webhook.many", Text("At most {n} webhooks each.", "每人最多 {n} 个推送地址。").format(n=MOST)
            )
        cursor.execute(
            """
            INSERT INTO giving_webhook (id, party, campaign, address, secret, seen, at)
            SELECT %s, %s, %s, %s, %s, coalesce(max(nth), 0), %s FROM giving_payment WHERE book = %s
            """,
            [id, party.id, campaign, address, cipher.seal_for(party.id, secret), clock.now(), campaign],
        )
    return id, secret


@transaction.atomic
def end(party: Party, id: uuid.UUID) -> None:
    """Be called no longer. Raises `NotFound` (`webhook.unknown`) also for that of somebody else."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE giving_webhook SET ended_at = %s WHERE id = %s AND party = %s AND ended_at IS NULL RETURNING id",
            [clock.now(), id, party.id],
        )
        if cursor.fetchone() is None:
            raise NotFound("webhook.unknown", Text("There is no such webhook.", "没有这个推送地址。"))


@transaction.atomic
def announce(campaign: uuid.UUID, event: Event, told: dict[str, Any]) -> int:
    """Write a delivery for everybody who wants to hear of a campaign; returns how many."""
    called = queries.to_call(campaign)
    with connection.cursor() as cursor:
        for webhook in called:
            _write(cursor, webhook, campaign, event, told)
    return len(called)


@transaction.atomic
def announce_gifts(webhook: uuid.UUID) -> int:
    """Write a delivery of the gifts that a webhook has not been told yet; returns up to which number it has been."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT campaign, seen FROM giving_webhook WHERE id = %s FOR UPDATE", [webhook])
        campaign, seen = cursor.fetchone()
        found = queries.gifts_event(campaign, seen, GIFTS_AT_ONCE)
        if found is None:
            return int(seen)
        last, told = found
        cursor.execute("UPDATE giving_webhook SET seen = %s WHERE id = %s", [last, webhook])
        _write(cursor, webhook, campaign, "gifts", told)
    return last


def _write(cursor: Cursor, webhook: uuid.UUID, campaign: uuid.UUID, event: Event, told: dict[str, Any]) -> None:
    id = uuid7()
    body = json.dumps({"id": str(id), "event": event, "campaign": str(campaign), **told}, ensure_ascii=False)
    cursor.execute(
        "INSERT INTO giving_delivery (id, webhook, event, body, at) VALUES (%s, %s, %s, %s, %s)",
        [id, webhook, event, body, clock.now()],
    )
    enqueue("giving.deliver", delivery=str(id))


@transaction.atomic
def deliver(delivery: uuid.UUID) -> None:
    """Send a delivery, signed now; done before, ended or forgotten: nothing. Raises `webhooks.Unreachable`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT d.body, w.address, w.secret, w.party FROM giving_delivery d JOIN giving_webhook w ON w.id = d.webhook
            WHERE d.id = %s AND d.delivered_at IS NULL AND w.ended_at IS NULL FOR UPDATE OF d
            """,
            [delivery],
        )
        found = cursor.fetchone()
        if found is None:
            return
        body, address, sealed, party = found
        now = clock.now()
        secret = cipher.open_for(party, bytes(sealed)).encode()
        headers = {webhooks.HEADER: webhooks.sign(secret, body.encode(), now)}
        webhooks.send(address, body.encode(), headers)
        cursor.execute("UPDATE giving_delivery SET delivered_at = %s WHERE id = %s", [now, delivery])


def erase(party: uuid.UUID) -> None:
    """End the webhooks of a person who is being forgotten, and forget their addresses."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE giving_webhook SET ended_at = coalesce(ended_at, %s), address = 'https://forgotten.invalid/'
            WHERE party = %s
            """,
            [clock.now(), party],
        )
