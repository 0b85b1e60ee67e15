"""Charities and their campaigns, as the stories tell them: published, given to, told of, paid out."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from itertools import pairwise

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.services.giving.actions import (
    campaigns,
    payouts,
)
from commonweal.services.giving.actions.campaigns import Charity, Qualification
from commonweal.services.giving.models import Campaign, Filing, Update
from commonweal.services.giving.queries import payouts as queries
from commonweal.services.giving.rules.campaigns import Custody
from commonweal.services.giving.rules.needs import Need
from commonweal.services.giving.rules.plans import Asking, Plan, Telling
from commonweal.services.giving.seed.cast import DAY, Cast, Story, both, paper
from commonweal.services.giving.seed.gifts import give


def found_charity(cast: Cast, story: Story, at: datetime) -> Party:
    found = Party.objects.filter(registration=story["registration"]).first()
    if found is not None:
        return found
    charity = Charity(both(story["name"]), story["registration"], both(story["about"]), story["contact"])
    with clock.stopped(at):
        party = campaigns.found(cast.officer, charity)
        qualification = Qualification(
            number=f"{charity.registration}-Q",
            issuer="演示主管部门 (made up)",
            valid_from=(at - 30 * DAY).date(),
            valid_until=date(at.year + 4, 3, 1),
            evidence=paper("SAMPLE CERTIFICATE", 6),
        )
        credential = campaigns.claim(cast.officer, party, qualification)
    with clock.stopped(at + DAY):
        for steward in cast.stewards:
            people.attest(credential, steward)
    return party


def publish(cast: Cast, charity: Party, story: Story, number: int, today: datetime) -> Campaign:
    filing = f"DEMO-A26{number:03}"
    known = Filing.objects.select_related("campaign").filter(number=filing).first()
    if known is not None:
        return known.campaign
    opens_at = today - story["opened"] * DAY
    filed_at = opens_at - (DAY / 12 if story["topic"] == "disaster" else 15 * DAY)
    plan = Plan(
        organisation=charity.id,
        title=both(story["title"]),
        summary=both(story["summary"]),
        story=both(story["story"]),
        topic=story["topic"],
        place=both(story["place"]),
        needs=tuple(
            Need(both(need["what"]), need["price"], need["quantity"], both(need["unit"])) for need in story["needs"]
        ),
        opens_at=opens_at,
        closes_at=opens_at + story["days"] * DAY,
        filing_number=filing,
        filed_at=filed_at,
        custody=Custody.CUSTODIAN if story["charity"] == "rivers" else Custody.MIRROR,
        cap=100_000_00,
        drawing=story["drawing"],
        picture_shows=both(story["drawn"]),
    )
    with clock.stopped(filed_at + DAY / 24):
        return campaigns.publish(cast.officer, plan)


def let_live(cast: Cast, campaign: Campaign, story: Story, dice: random.Random) -> None:
    """Gifts, news and payouts, each at its time: what is paid out has come in before."""
    days = min(story["opened"], story["days"])
    moments = sorted(dice.randrange(60, days * 86_400 - 3_600) for _ in range(story["gifts"]))
    times = [campaign.opens_at + timedelta(seconds=moment) for moment in moments]
    due = sorted(story.get("paid", []), key=lambda paid: paid["day"])
    purse = 0
    for number, (at, until) in enumerate(pairwise([*times, clock.now()])):
        purse += give(cast, campaign, dice, number, at)
        while due and due[0]["amount"] <= purse and campaign.opens_at + due[0]["day"] * DAY < until:
            paid = due.pop(0)
            with clock.stopped(max(at, campaign.opens_at + paid["day"] * DAY)):
                _pay(cast, campaign, paid)
            purse -= paid["amount"]
    if due:
        raise ValueError(f"the story pays out more than comes in: {campaign.title.en}")
    for told in story.get("told", []):
        if not Update.objects.filter(campaign=campaign, title_en=told["title"]["en"]).exists():
            with clock.stopped(campaign.opens_at + told["day"] * DAY):
                telling = Telling(both(told["title"]), both(told["body"]), told.get("report", False))
                campaigns.tell(cast.officer, campaign.id, telling)


def _pay(cast: Cast, campaign: Campaign, paid: Story) -> None:
    evidence = paper("SAMPLE INVOICE", 9), paper("SAMPLE DELIVERY NOTE", 5)
    asking = Asking(paid["amount"], both(paid["what"]), evidence)
    request = payouts.ask(cast.officer, campaign.id, asking, f"seed-{paid['day']}")
    stewards = cast.stewards[: paid.get("approvals", len(cast.stewards))]
    known = queries.payout(campaign.id, request).approved_by
    for steward in stewards:
        if steward.id not in known:
            payouts.judge(steward, campaign.id, request, approves=True)
    if len(stewards) == len(cast.stewards):
        payouts.pay(campaign.id, request)
