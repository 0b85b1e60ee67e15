"""The demonstration: three made-up charities, thirteen campaigns, their gifts and what became of them.

Everything goes through the real actions, with the clock stopped in the past. Making it twice is making it once.
"""

from __future__ import annotations

import io
import random
import tomllib
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Login, Party
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import (
    alliances,
    appeals,
    banks,
    campaigns,
    card_returns,
    card_uses,
    cards,
    cases,
    clearings,
    clocks,
    deeds,
    exchanges,
    gifts,
    givers,
    invoices,
    matches,
    members,
    orders,
    partners,
    payouts,
    reconciliation,
    recurring,
    team_pages,
    teams,
    thanks,
    threads,
    uses,
    vendors,
)
from commonweal.services.giving.actions.campaigns import Charity, Qualification
from commonweal.services.giving.matching import Caps, Slice
from commonweal.services.giving.models import Campaign, Filing, Update
from commonweal.services.giving.payment import Agreeing, Order, providers
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import appeals as appeal_queries
from commonweal.services.giving.queries import banks as bank_queries
from commonweal.services.giving.queries import cards as card_queries
from commonweal.services.giving.queries import deeds as deed_queries
from commonweal.services.giving.queries import exchanges as exchange_queries
from commonweal.services.giving.queries import orders as order_queries
from commonweal.services.giving.queries import payouts as queries
from commonweal.services.giving.queries import recurring as recurring_queries
from commonweal.services.giving.queries import teams as team_queries
from commonweal.services.giving.queries import threads as thread_queries
from commonweal.services.giving.queries import uses as use_queries
from commonweal.services.giving.queries import vendors as vendor_queries
from commonweal.services.giving.rules.appeals import Appeal
from commonweal.services.giving.rules.banks import Asking as Help
from commonweal.services.giving.rules.banks import Part, Side, Terms
from commonweal.services.giving.rules.campaigns import Custody
from commonweal.services.giving.rules.deeds import Shift, Sponsorship
from commonweal.services.giving.rules.gifts import Give
from commonweal.services.giving.rules.invoices import Account
from commonweal.services.giving.rules.matches import proportional
from commonweal.services.giving.rules.needs import Need
from commonweal.services.giving.rules.orders import Billed, Wanted
from commonweal.services.giving.rules.plans import Asking, Plan, Telling
from commonweal.services.giving.rules.recurring import Every
from commonweal.services.giving.rules.teams import Page
from commonweal.services.giving.rules.uses import Answer as UseAnswer
from commonweal.services.giving.rules.uses import Standing
from commonweal.services.giving.seed.banks import exchange_time
from commonweal.services.giving.seed.campaigns import found_charity, let_live, publish
from commonweal.services.giving.seed.cast import DAY, Cast, paper, party_of
from commonweal.services.giving.seed.gifts import DICE, settle
from commonweal.services.giving.seed.givers import begin_recurring, give_by_card, give_together, promise_by_invoice
from commonweal.services.giving.seed.things import act, buy_from_vendor
from commonweal.services.giving.seed.words import ask_for_help, write_threads

__all__ = ["paper", "seed"]

STORIES = Path(__file__).parent.with_name("stories.toml")


def seed() -> None:
    """Make the demonstration."""
    cast = Cast(
        officer=party_of("charity@demo.example"),
        stewards=(party_of("steward@demo.example"), party_of("steward2@demo.example")),
        givers=tuple(party_of(f"{name}@demo.example") for name in ("giver", "company", "teacher")),
    )
    stories = tomllib.loads(STORIES.read_text())
    today = clock.now().replace(hour=2, minute=0, second=0, microsecond=0)
    charities = {name: found_charity(cast, story, today - 400 * DAY) for name, story in stories["charity"].items()}
    for number, story in enumerate(stories["campaign"], 1):
        campaign = publish(cast, charities[story["charity"]], story, number, today)
        let_live(cast, campaign, story, random.Random(DICE + number))  # noqa: S311 (nothing here is secret)
    ask_for_help(cast, today)
    act(cast, today)
    buy_from_vendor(cast, today)
    begin_recurring(cast, today)
    give_together(cast, today)
    give_by_card(cast, today)
    promise_by_invoice(cast, today)
    exchange_time(cast, today)
    write_threads(cast, today)
    settle(min(opened for opened in Campaign.objects.filter(kind="campaign").values_list("opens_at", flat=True)))
    clocks.ask_for_use()
    first, *others = use_queries.unanswered([charity.id for charity in charities.values()])
    if others:
        said = Text("It stands where it should, and is used every week.", "已在该在的地方，每周都在用。")
        shown = UseAnswer(Standing.IN_USE, said, (paper("SAMPLE PHOTOGRAPH", 4),))
        uses.answer(cast.officer, first.campaign, first.request, first.after, shown)
