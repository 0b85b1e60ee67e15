"""Deeds and energy of the demonstration: a made-up metro and a made-up bicycle scheme report for its people."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Login, Party
from commonweal.kernel.text import Text
from commonweal.services.forest.actions import days, deeds, sources
from commonweal.services.forest.actions.deeds import Report
from commonweal.services.forest.queries import sources as source_queries
from commonweal.services.forest.queries.sources import Source

DICE = 20261125
DAY = timedelta(days=1)
LIVED = 6
"""Days of deeds before today."""
PARTNERS = (
    ("demo-metro", Text("River City Metro (made up)", "江城地铁（虚构）"), "DEMO-METRO-0001"),
    ("demo-bicycles", Text("Plane Tree Bicycles (made up)", "梧桐单车（虚构）"), "DEMO-BIKES-0001"),
)


def of(name: str) -> Party:
    """Who plays this part in the demonstration."""
    return Login.objects.get(email=f"{name}@demo.example").party


def seed() -> None:
    """Partners, six days of rides, and the closes of the days that are over."""
    today = clock.now().replace(hour=0, minute=30, second=0, microsecond=0)
    with clock.stopped(today - LIVED * DAY):
        days.open_forest()
        metro, bicycles = (_partner(*partner) for partner in PARTNERS)
    cast = [of(name) for name in ("giver", "teacher", "company")]
    dice = random.Random(DICE)  # noqa: S311 (nothing here is secret)
    for back in range(LIVED, -1, -1):
        for source, kind in ((metro, "metro"), (bicycles, "cycling")):
            reports = list(_rides(source, kind, cast, today - back * DAY, dice))
            with clock.stopped(min(clock.now(), today - back * DAY + timedelta(hours=13))):
                deeds.take(source, reports)
    days.close_days()


def _partner(key: str, title: Text, registration: str) -> Source:
    known = {source.key: source for source in source_queries.partners()}
    if key in known:
        return known[key]
    organisation = people.register_organisation(title, registration)
    people.grant_role(of("company"), people.OFFICER, organisation)
    return sources.admit(of("steward"), organisation, key, "A", title)


def _rides(source: Source, kind: str, cast: list[Party], day: datetime, dice: random.Random) -> Iterator[Report]:
    """Rides of a day, in the morning and in the evening; those still to come are left out."""
    for person in cast:
        name = sources.connect(person, source)
        for hour in (0, 10):
            at = day + timedelta(hours=hour, minutes=dice.randrange(100))
            metres = dice.randrange(3_000, 14_000) if kind == "metro" else dice.randrange(800, 5_000)
            goes = dice.random() < 0.7
            if goes and at <= clock.now():
                yield Report(f"{kind}-{at:%Y%m%d%H}-{name.hex[:8]}", name, kind, metres, at)
