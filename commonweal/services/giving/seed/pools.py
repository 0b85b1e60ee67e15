"""Pools of a sponsor: one by lot that is over, one that is shared after its end, one to come."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

from commonweal.kernel import clock
from commonweal.kernel.parties.models import Party
from commonweal.services.giving.actions import matches
from commonweal.services.giving.matching import SOURCED_TIERS, Caps, Extra, OnePlusX, ProRata, RandomBoost
from commonweal.services.giving.models import Campaign
from commonweal.services.giving.rules.gifts import Give
from commonweal.services.giving.rules.matches import Promise, even_slices
from commonweal.services.giving.seed.cast import DAY, Cast, campaign_of
from commonweal.services.giving.seed.gifts import give_paid


def fund_pools(cast: Cast, today: datetime) -> None:
    sponsor = Party.objects.filter(registration="DEMO-TEA-0001").first()
    campaign = campaign_of("A music teacher")
    if sponsor is None or campaign is None:
        return
    lots, over = RandomBoost(Fraction(3, 4), Fraction(1), SOURCED_TIERS), today - 9 * DAY
    with clock.stopped(over - 3 * DAY):
        drawn = Promise(
            sponsor.id, (campaign.id,), lots, even_slices(over - DAY, over, 500_00, 1), Caps(donor_day=99_00)
        )
        matches.fund(cast.officer, drawn, "seed-lots")
    for number, (giver, amount) in enumerate(zip(cast.givers, (88_00, 30_00, 52_00), strict=True)):
        with clock.stopped(over - DAY / 2 + number * timedelta(minutes=7)):
            give_paid(campaign, Give(campaign.id, giver.id, amount, campaign.asset, "simulator", f"seed-lots-{number}"))
    others = Campaign.objects.filter(
        organisation_id=campaign.organisation_id, kind="campaign", closes_at__gt=today + DAY
    )
    shared = (campaign.id, *others.exclude(id=campaign.id).order_by("opens_at").values_list("id", flat=True)[:1])
    extra, opens = OnePlusX(Fraction(1, 2), (Extra(Fraction(1, 2), team_of=3),)), today + 2 * DAY
    with clock.stopped(today - 2 * DAY):
        slices = even_slices(today - DAY, campaign.closes_at, 400_00, 1)
        promise = Promise(sponsor.id, shared, ProRata(donor_most=500_00), slices, Caps(project=300_00))
        matches.fund(cast.officer, promise, "seed-shared")
        promise = Promise(sponsor.id, (campaign.id,), extra, even_slices(opens, opens + 3 * DAY, 600_00, 3))
        matches.fund(cast.officer, promise, "seed-extra")
