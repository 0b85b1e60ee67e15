"""Recurring gifts: beginning, renewing once a period, charging."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Refusal
from commonweal.kernel.ids import derived
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.ledger.books import check_key
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.sql import prepared
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import gifts, teams
from commonweal.services.giving.actions.agreements import halted, locked, write
from commonweal.services.giving.payment import Order, recurring
from commonweal.services.giving.queries import recurring as queries
from commonweal.services.giving.queries.campaigns import taking, unknown
from commonweal.services.giving.rules import campaigns as campaign_rules
from commonweal.services.giving.rules import gifts as gift_rules
from commonweal.services.giving.rules import recurring as rules
from commonweal.services.giving.rules.gifts import Give
from commonweal.services.giving.rules.recurring import Cause, Charge, Every, Said, Standing, Word


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wishes to give again and again, `amount` in smallest units of `asset`; `foretold`: to be told
    before each renewal."""

    campaign: uuid.UUID
    amount: int
    asset: str
    every: Every
    channel: str
    foretold: bool = False
    team: uuid.UUID | None = None
    """With whom each of them is given."""


def begin(giver: Party, wish: Wish, key: str) -> uuid.UUID:
    """Write a wish down; it runs once its giver has agreed with the provider. The same key again is the same wish.

    Raises `NotFound` (`campaign.unknown`, `team.unknown`), what `rules.gifts.check` raises, `Invalid`
    (`channel.unknown`, `channel.not-recurring`) and `Conflict` (`team.closed`, `key.reused`).
    """
    now, provider = clock.now(), recurring(wish.channel)
    found = taking([wish.campaign], now).get(wish.campaign)
    if found is None:
        raise unknown()
    give = Give(wish.campaign, giver.id, wish.amount, wish.asset, provider.name, key)
    gift_rules.check(give, found.standing, found.asset, found.cap, now)
    id = derived(wish.campaign, f"recurring:{giver.id}:{check_key(key)}")
    asked = (wish.amount, wish.every, wish.channel, wish.foretold, wish.team)
    with transaction.atomic(), prepared() as cursor:
        if wish.team and queries.find(wish.campaign, id) is None:
            teams.check(teams.there(cursor, {(wish.campaign, wish.team)}), wish.campaign, wish.team, now)
        cursor.execute(
            """
            INSERT INTO giving_recurring (book, id, giver, amount, every, channel, foretold, team, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            [wish.campaign, id, giver.id, *asked, now],
        )
        cursor.execute(
            "SELECT amount, every, channel, foretold, team FROM giving_recurring WHERE book = %s AND id = %s",
            [wish.campaign, id],
        )
        if cursor.fetchone() != asked:
            raise Conflict(
                "key.reused",
                Text("This key was used for another gift.", "这个幂等键已用于另一项捐赠。"),
                field="key",
            )
    return id


def renew(campaign: uuid.UUID, id: uuid.UUID) -> uuid.UUID | None:
    """Make the gift of the period that is due, once; None if there is nothing to do.

    The gift, that it is this period's, and the errand to charge it are written together: after a crash either all of
    it is there or nothing. A team that is not there any more does not stop what was agreed: the gift goes without it.
    """
    now, zone = clock.now(), queries.zone()
    with transaction.atomic(), prepared() as cursor:
        found = locked(cursor, campaign, id)
        if found is None or found.standing is not Standing.ACTIVE:
            return None
        there = taking([campaign], now)[campaign]
        if halted(cursor, found, campaign_rules.state(there.standing, now), now):
            return None
        period = rules.to_charge(found.rule, found.every, now, zone)
        if period is None or found.rule.first is None or queries.renewal(campaign, id, period):
            return None
        key = f"renewal-{id}-{period}"
        team = _still_there(cursor, found, now)
        give = Give(campaign, found.giver, found.amount, there.asset.code, found.channel, key, team=team)
        (taken,) = gifts.take(cursor, [give], now)
        if isinstance(taken, Refusal):  # the campaign takes less at once than before
            write(cursor, found, Said(Word.PAUSED, Cause.CAMPAIGN, now))
            return None
        due = rules.due(found.rule.first, found.every, period, zone)
        cursor.execute(
            "INSERT INTO giving_renewal (book, recurring, period, gift, due, at) VALUES (%s, %s, %s, %s, %s, %s)",
            [campaign, id, period, taken.id, due, now],
        )
        enqueue("giving.charge", campaign=str(campaign), recurring=str(id), period=period, attempt=1)
        if found.foretold:
            following = rules.due(found.rule.first, found.every, period + 1, zone)
            enqueue(
                "giving.foretell", run_after=following - rules.TOLD_BEFORE[found.every], campaign=str(campaign),
                recurring=str(id), period=period + 1,
            )  # fmt: skip
        return taken.id


def _still_there(cursor: Cursor, found: queries.Recurring, now: datetime) -> uuid.UUID | None:
    if found.team is None:
        return None
    try:
        teams.check(teams.there(cursor, {(found.campaign, found.team)}), found.campaign, found.team, now)
    except Refusal:
        return None
    return found.team


def charge(campaign: uuid.UUID, id: uuid.UUID, period: int, attempt: int) -> None:
    """Charge the gift of a period. Asking again with the same attempt charges once: the provider knows both by key.

    Raises `Busy` while the provider does not say how it ended; the errand is then repeated.
    """
    found, renewal = queries.find(campaign, id), queries.renewal(campaign, id, period)
    if found is None or renewal is None or renewal.paid or renewal.failed >= attempt:
        return
    now = clock.now()
    if found.standing is not Standing.ACTIVE or period != rules.to_charge(found.rule, found.every, now, queries.zone()):
        return
    there = taking([campaign], now)[campaign]
    state = campaign_rules.state(there.standing, now)
    if state is not campaign_rules.State.OPEN:
        with transaction.atomic(), prepared() as cursor:
            if again := locked(cursor, campaign, id):
                halted(cursor, again, state, now)
        return
    provider = recurring(found.channel)
    order = Order(campaign, renewal.gift, renewal.amount, found.asset.code, found.title)
    outcome = provider.charge(found.rule.agreement, order, attempt)
    if outcome is not Charge.PAID:
        _failed(found, period, attempt, outcome, now)
    elif paid := provider.query(order):
        gifts.take_in(paid)


def _failed(found: queries.Recurring, period: int, attempt: int, outcome: Charge, now: datetime) -> None:
    """Try again later, pause or end, as `rules.recurring` says."""
    with transaction.atomic(), prepared() as cursor:
        current = locked(cursor, found.campaign, found.id)
        cursor.execute(
            """
            INSERT INTO giving_attempt (book, recurring, period, attempt, outcome, at) VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT DO NOTHING
            """,
            [found.campaign, found.id, period, attempt, outcome, now],
        )
        if not cursor.rowcount or current is None or current.standing is not Standing.ACTIVE:
            return
        if outcome is Charge.REVOKED:
            write(cursor, current, Said(Word.ENDED, Cause.REVOKED, now))
            return
        following = current.next_due
        again = rules.retry_at(attempt, now, following) if outcome is Charge.INSUFFICIENT and following else None
        if again is None:
            cause = Cause.GONE if outcome is Charge.GONE else Cause.FAILED
            write(cursor, current, Said(Word.PAUSED, cause, now))
        else:
            enqueue(
                "giving.charge", run_after=again, campaign=str(found.campaign), recurring=str(found.id), period=period,
                attempt=attempt + 1,
            )  # fmt: skip
