"""Two studies of the demonstration: one of made-up people that is over, and one that anybody here can join."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.services.forest.actions import balances, deeds, sources, study
from commonweal.services.forest.actions.deeds import Report
from commonweal.services.forest.queries import sources as source_queries
from commonweal.services.forest.queries import study as queries
from commonweal.services.forest.rules.study import Design
from commonweal.services.forest.seed.energy import DAY, DICE, of

PAST, OPEN = "demo-made-up-2026", "demo-open-2026"
PEOPLE = 80
WEEKS = 4


def seed() -> None:
    """Register both; let the made-up people of the first ride, some a little more than others."""
    if queries.study(PAST) is not None:
        return
    today = clock.now().replace(hour=0, minute=30, second=0, microsecond=0)
    begins = today - 50 * DAY
    with clock.stopped(begins - DAY):
        study.register(of("steward"), Design(PAST, begins, begins + 10 * DAY, WEEKS, 400, 20), synthetic=True)
    _ride(begins)
    study.conclude(PAST)
    balances.state()
    study.register(of("steward"), Design(OPEN, clock.now() + timedelta(minutes=1), today + 60 * DAY, WEEKS, 200, 100))


def _ride(begins: datetime) -> None:
    """Everything is reported at once, late: the operator's word counts whenever it comes."""
    registered = queries.study(PAST)
    if registered is None:
        raise LookupError(PAST)
    dice, source, reports = random.Random(DICE), source_queries.source("demo-metro"), []  # noqa: S311 (no secret)
    for number in range(PEOPLE):
        person, joined = people.register_person(), begins + timedelta(hours=2 * number)
        with clock.stopped(joined):
            group = study.enrol(registered, person.id)
        name = sources.connect(person, source)
        for day in range(7 * WEEKS):
            if dice.random() < (0.46 if group == "open" else 0.36):
                at = joined + timedelta(days=day, hours=1)
                reports.append(Report(f"study-{number}-{day}", name, "metro", dice.randrange(3_000, 9_000), at))
    deeds.take(source, reports)
