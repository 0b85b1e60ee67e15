"""Gifts that are paid through the simulator, a ring that is caught, and what the provider settles."""

from __future__ import annotations

import random
import uuid
from datetime import datetime, timedelta

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.services.giving.actions import (
    cases,
    gifts,
    reconciliation,
)
from commonweal.services.giving.models import Campaign
from commonweal.services.giving.payment import Order, providers
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.rules.gifts import Give
from commonweal.services.giving.seed.cast import DAY, Cast

DICE = 20261125
AMOUNTS = (500, 500, 500, 500, 880, 2_000, 2_000, 5_000, 20_000, 50_000)
"""What people give, in fen: most give five yuan."""


def give_paid(campaign: Campaign, wish: Give, payer: str = "") -> uuid.UUID:
    """A gift that is taken and paid now."""
    simulator = providers()["simulator"]
    if not isinstance(simulator, Simulator):
        raise TypeError("a demonstration pays through the simulator")
    taken = gifts.give(wish)
    if not taken.existed:
        order = Order(campaign.id, taken.id, wish.whole, campaign.asset, campaign.title)
        gifts.confirm(simulator.name, *simulator.report(order, clock.now(), payer=payer))
    return taken.id


def give(cast: Cast, campaign: Campaign, dice: random.Random, number: int, at: datetime) -> int:
    """A gift of somebody, of what people give; returns its amount."""
    giver, amount = dice.choice(cast.givers), dice.choice(AMOUNTS)
    with clock.stopped(at):
        give_paid(campaign, Give(campaign.id, giver.id, amount, campaign.asset, "simulator", f"seed-{number}"))
    return amount


def make_ring(cast: Cast, campaign: Campaign, at: datetime) -> None:
    """Eight accounts, one telephone and two cards: a case, with the teacher among those whose match waits."""
    people_of = [cast.givers[2], *(people.register_person() for _ in range(7))]
    for number, giver in enumerate(people_of):
        key = f"seed-ring-{number}"
        with clock.stopped(at + number * timedelta(minutes=1)):
            wish = Give(campaign.id, giver.id, 2_000, campaign.asset, "simulator", key, device="demonstration")
            give_paid(campaign, wish, payer=f"card-{number % 2}")
    cases.watch()


def settle(since: datetime) -> None:
    """Day by day, what the provider has settled into the bank."""
    source = providers()["simulator"]
    day, today = since.astimezone(source.zone).date(), clock.now().astimezone(source.zone).date()
    while day < today:
        reconciliation.reconcile(source, day)
        day += DAY
