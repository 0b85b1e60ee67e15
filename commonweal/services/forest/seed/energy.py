"""Deeds and energy of the demonstration: a made-up metro and a made-up bicycle scheme report for its people."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Login, Party
from commonweal.kernel.text import Text
from commonweal.services.forest.actions import balances, days, deeds, friends, gardens, groves, sources
from commonweal.services.forest.actions.deeds import Report
from commonweal.services.forest.queries import deeds as deed_queries
from commonweal.services.forest.queries import friends as friend_queries
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
    if not deed_queries.closed(limit=1):
        _live(metro, bicycles, cast, today)
    _together(*cast)
    balances.settle()
    balances.expire_days()


def _live(metro: Source, bicycles: Source, cast: list[Party], today: datetime) -> None:
    """Six days of rides and today's, and a ticket that is ripe now; then the days that are over are closed."""
    dice = random.Random(DICE)  # noqa: S311 (nothing here is secret)
    for back in range(LIVED, -1, -1):
        for source, kind in ((metro, "metro"), (bicycles, "cycling")):
            reports = list(_rides(source, kind, cast, today - back * DAY, dice))
            with clock.stopped(min(clock.now(), today - back * DAY + timedelta(hours=13))):
                deeds.take(source, reports)
    with clock.stopped(clock.now() - timedelta(hours=26)):
        deeds.take(metro, list(_tickets(metro, cast)))
    days.close_days()


def _together(giver: Party, teacher: Party, company: Party) -> None:
    """Three friends who gather, water and have a grove."""
    if friend_queries.friends(giver.id, clock.now()):
        return
    for person, name in ((giver, "小林"), (teacher, "岩老师"), (company, "阿青")):
        gardens.wish(person, open_to_friends=True, notices=False, name=name)
    for other in (teacher, company):
        friends.accept(other, friends.invite(giver))
    today = clock.now().replace(hour=1, minute=0, second=0, microsecond=0)
    for back in (3, 2, 1):
        with clock.stopped(today - back * DAY + timedelta(hours=2)):
            for person in (giver, teacher, company):
                gardens.harvest(person)
    gardens.water(teacher, giver.id, 18)
    grove = groves.found(giver, "河西小树林")
    groves.join(teacher, groves.invite(giver, grove))
    groves.put_in(giver, grove, 300, "seed-grove-giver")
    groves.put_in(teacher, grove, 150, "seed-grove-teacher")


def _partner(key: str, title: Text, registration: str) -> Source:
    known = {source.key: source for source in source_queries.partners()}
    if key in known:
        return known[key]
    organisation = people.register_organisation(title, registration)
    people.grant_role(of("company"), people.OFFICER, organisation)
    return sources.admit(of("steward"), organisation, key, "A", title)


def _tickets(source: Source, cast: list[Party]) -> Iterator[Report]:
    """Monthly tickets without paper, a day ago: whoever looks first finds something ripe."""
    for person in cast:
        name = sources.connect(person, source)
        yield Report(f"ticket-{name.hex[:8]}", name, "paperless", 10, clock.now())


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
