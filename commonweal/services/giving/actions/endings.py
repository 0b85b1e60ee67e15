"""The end of a campaign: a steward stops it, and what is left over is used as the law says."""

from __future__ import annotations

import uuid

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import payouts
from commonweal.services.giving.models import Campaign
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import payouts as payout_queries
from commonweal.services.giving.rules import leftovers as rules
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.campaigns import state
from commonweal.services.giving.rules.plans import Asking


def stop(steward: Party, campaign: uuid.UUID, why: Text) -> None:
    """Stop a campaign: from now on it takes no gift; what it has stays for refunds, payouts and its left-over use.

    Raises `NotAllowed` unless a steward asks, `NotFound` (`campaign.unknown`), `Invalid` for the words, `Conflict`
    (`campaign.stopped`) if it is stopped already.
    """
    people.require_role(steward, people.STEWARD)
    said, now = texts.both(why.en, why.zh, "why", 400), clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        found = Campaign.objects.select_for_update().filter(pk=campaign, kind="campaign").first()
        if found is None:
            raise campaigns.unknown()
        if found.stopped_at is not None:
            raise Conflict("campaign.stopped", Text("This campaign is stopped already.", "本项目已经停止。"))
        found.stopped_at, found.stopped_for_en, found.stopped_for_zh = now, said.en, said.zh
        found.save(update_fields=["stopped_at", "stopped_for_en", "stopped_for_zh"])
        append(cursor, Fact("giving.stop", now, {"campaign": str(campaign), "steward": str(steward.id)}))


def pass_on(officer: Party, campaign: uuid.UUID, target: uuid.UUID, asking: Asking, key: str) -> uuid.UUID:
    """Ask that left-over property goes to another campaign: a request like any other, approved by two people.

    When it is paid, the same transaction gives the money to the target. Raises what `payouts.ask` and
    `rules.leftovers.check` raise.
    """
    rules.check(_end(campaign), _end(target))
    with transaction.atomic(), connection.cursor() as cursor:
        request = payouts.ask(officer, campaign, asking, key)
        cursor.execute(
            "INSERT INTO giving_leftover (book, request, target) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [campaign, request, target],
        )
        if payout_queries.target(campaign, request) != target:
            raise Conflict(
                "key.reused", Text("This key was used for another target.", "这个幂等键已用于其他项目。"), field="key"
            )
    return request


def _end(campaign: uuid.UUID) -> rules.End:
    card, found = campaigns.card(campaign), Campaign.objects.get(pk=campaign)
    return rules.End(campaign, state(card.standing, clock.now()), found.topic, found.asset)
