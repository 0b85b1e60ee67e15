"""Deeds and their sponsor, a pool and its ring, a shift; a vendor and an order."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from fractions import Fraction

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import (
    deeds,
    givers,
    matches,
    orders,
    partners,
    payouts,
    vendors,
)
from commonweal.services.giving.matching import Caps, Slice
from commonweal.services.giving.queries import deeds as deed_queries
from commonweal.services.giving.queries import orders as order_queries
from commonweal.services.giving.queries import vendors as vendor_queries
from commonweal.services.giving.rules.deeds import Shift, Sponsorship
from commonweal.services.giving.rules.matches import proportional
from commonweal.services.giving.rules.orders import Billed, Wanted
from commonweal.services.giving.seed.cast import DAY, Cast, campaign_of, paper
from commonweal.services.giving.seed.gifts import DICE, give, make_ring


def act(cast: Cast, today: datetime) -> None:
    """Steps and flowers, a sponsor's contract for the steps, and a shift to sign up for."""
    campaign = campaign_of("A music teacher")
    if campaign is None or deed_queries.shifts(campaign.id):
        return
    giver, company, _ = cast.givers
    sponsor = people.register_organisation(Text("Dianchi Tea (made up)", "滇池茶业（虚构）"), "DEMO-TEA-0001")
    with clock.stopped(today - 200 * DAY):
        people.grant_role(company, people.OFFICER, sponsor)
        for one in cast.givers:
            givers.join(one, givers.company_link(company, sponsor))
    with clock.stopped(today - 3 * DAY):
        partners.propose(company, sponsor, campaign.id)
        partners.answer(cast.officer, campaign.id, sponsor.id, accepts=True)
        terms = Sponsorship("STEPS", 5_000, 100, 2_000_00, today - 3 * DAY, campaign.closes_at - DAY)
        deeds.accept(cast.officer, deeds.sponsor(company, sponsor, campaign.id, terms))
        deeds.act(giver, campaign.id, "STEPS", 12_400, "seed-steps")
        deeds.act(giver, campaign.id, "FLOWERS", 3, "seed-flowers")
        slice = Slice(today - 3 * DAY + timedelta(minutes=1), campaign.closes_at, 300_00)
        caps = Caps(gift=50_00, donor_day=200_00)
        matches.fund(cast.officer, proportional(sponsor.id, campaign.id, Fraction(1, 2), slice, caps), "seed-pool")
        give(cast, campaign, random.Random(DICE), 900, today - 2 * DAY)  # noqa: S311
    make_ring(cast, campaign, today - 2 * DAY)
    shift = Shift(clock.now() + 3 * DAY, clock.now() + 3 * DAY + timedelta(hours=2), 6)
    deeds.call(cast.officer, campaign.id, Text("Teach a song by video", "视频教唱一首歌"), shift)
    givers.follow(giver, campaign.id, reminds=True)


def buy_from_vendor(cast: Cast, today: datetime) -> None:
    """A vendor, its list, and an order that has arrived and was cheaper than approved."""
    if vendor_queries.vendors():
        return
    campaign = campaign_of("A music teacher")
    if campaign is None:
        return
    shop = people.register_organisation(Text("Erhai Music (made up)", "洱海乐器（虚构）"), "DEMO-MUSIC-0001")
    _, company, teacher = cast.givers
    people.grant_role(company, people.OFFICER, shop)
    with clock.stopped(today - 5 * DAY):
        vendors.admit(cast.stewards[0], shop.id, Text("Sheet music and strings", "乐谱与琴弦"), "shop@demo.example")
        item = vendors.offer(company, shop.id, Text("Song book", "歌本"), Text("copies", "册"), 15_00)
        need = order_queries.needs(campaign.id)[1]
        wanted = [Wanted(need.id, item, 4)]
        what = Text("Four song books", "歌本四册")
        quote, bill = paper("SAMPLE QUOTATION", 3), paper("SAMPLE INVOICE", 3)
        request = orders.order(cast.officer, campaign.id, shop.id, wanted, what, quote, "seed-order")
        for steward in cast.stewards:
            payouts.judge(steward, campaign.id, request, approves=True)
    with clock.stopped(today - 2 * DAY):
        link = orders.receiver_link(cast.officer, campaign.id, request)
        orders.arrive(teacher, link, {1: 4}, [paper("SAMPLE PHOTOGRAPH", 2)])
        orders.invoice(cast.officer, campaign.id, request, [Billed(1, 14_00, 4)], bill)
        payouts.pay(campaign.id, request)
