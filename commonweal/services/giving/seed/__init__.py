"""The demonstration: three made-up charities, thirteen campaigns, their gifts and what became of them.

Everything goes through the real actions, with the clock stopped in the past. Making it twice is making it once.
"""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

from commonweal.kernel import clock
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import clocks, uses
from commonweal.services.giving.models import Campaign
from commonweal.services.giving.queries import uses as use_queries
from commonweal.services.giving.rules.uses import Answer, Standing
from commonweal.services.giving.seed.banks import exchange_time
from commonweal.services.giving.seed.campaigns import found_charity, let_live, publish
from commonweal.services.giving.seed.cast import DAY, Cast, paper, party_of
from commonweal.services.giving.seed.gifts import DICE, settle
from commonweal.services.giving.seed.givers import begin_recurring, give_by_card, give_together, promise_by_invoice
from commonweal.services.giving.seed.pools import fund_pools
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
    fund_pools(cast, today)
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
        shown = Answer(Standing.IN_USE, said, (paper("SAMPLE PHOTOGRAPH", 4),))
        uses.answer(cast.officer, first.campaign, first.request, first.after, shown)
