"""The demonstration's trees: two species, four seasons, plots in Minqin and Yan'an; made up but for the places."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Login, Party
from commonweal.kernel.proof import load_signer, sequence
from commonweal.kernel.text import Text
from commonweal.services.forest.actions import captures, certificates, days, deeds, gardens, plantings, plots, surveys
from commonweal.services.forest.actions import sources as source_actions
from commonweal.services.forest.actions.deeds import Report
from commonweal.services.forest.queries import captures as captures_known
from commonweal.services.forest.queries import certificates as certificate_queries
from commonweal.services.forest.queries import plots as plot_queries
from commonweal.services.forest.queries import seasons, sources
from commonweal.services.forest.queries import surveys as survey_queries
from commonweal.services.forest.queries.seasons import Species
from commonweal.services.forest.queries.subplots import subplots
from commonweal.services.forest.rules.field import Shot
from commonweal.services.forest.seed.snapshot import snapshot

DAY = timedelta(days=1)
SPECIES = (
    Species(
        "saxaul",
        "Haloxylon ammodendron",
        Text("saxaul", "梭梭"),
        17_900,
        5.0,
        3.0,
        700,
        "",
        "The price of the largest programme of this kind; 3 x 5 m is what it plants (45 per mu).",
    ),
    Species(
        "pine",
        "Pinus sylvestris var. mongolica",
        Text("Mongolian Scots pine", "樟子松"),
        146_210,
        4.0,
        3.0,
        800,
        "pinus-sylvestris-mongolica",
        "The price of the largest programme of this kind; spacing of sand-fixing plantations.",
    ),
)
PLOTS = (
    # code, season, south-west corner and sides in degrees, capacity, funded
    ("MQ1", "2026S-saxaul", (103.0912, 38.6203, 0.0028, 0.0020), 3_000, 3_000),
    ("MQ2", "2027S-saxaul", (103.0940, 38.6203, 0.0024, 0.0014), 2_000, 1_500),
    ("YA1", "2024S-pine", (109.4710, 36.7402, 0.0021, 0.0016), 2_000, 2_000),
    ("YA2", "2027S-pine", (109.4731, 36.7402, 0.0016, 0.0012), 900, 400),
)


def outline(x: float, y: float, east: float, north: float) -> str:
    """A field with one corner cut off."""
    ring = [(x, y), (x + east, y), (x + east, y + north * 0.7), (x + east * 0.8, y + north), (x, y + north), (x, y)]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


def of(email: str) -> Party:
    """A sign-in of the demonstration."""
    return Login.objects.select_related("party").get(email=email).party


def ground() -> None:
    """Species, seasons, sites, plots and who paid for them."""
    steward = of("steward@demo.example")
    if plot_queries.sites():
        return
    today = clock.now().replace(hour=2, minute=0, second=0, microsecond=0)
    name = Text("Minqin Green Co-operative (made up)", "民勤绿洲合作社（虚构）")
    planter = people.register_organisation(name, "DEMO-PLANT-1")
    funder = people.register_organisation(Text("Hexi Tea (made up)", "河西茶业（虚构）"), "DEMO-FUND-1")
    people.grant_role(of("charity@demo.example"), people.OFFICER, planter)
    for species in SPECIES:
        plots.add_species(steward, species)
    for half, kind, ago in (("2024S", "pine", 900), ("2026S", "saxaul", 300)):
        with clock.stopped(today - ago * DAY):
            plots.open_season(steward, half, kind, clock.now(), today - (ago - 100) * DAY)
    for kind in ("saxaul", "pine"):
        with clock.stopped(today - 40 * DAY):
            plots.open_season(steward, "2027S", kind, today - 30 * DAY, today + 120 * DAY)
    minqin = plots.open_site(steward, planter, Text("Laohukou", "老虎口"), Text("Minqin, Gansu", "甘肃 民勤"))
    yanan = plots.open_site(steward, planter, Text("Baota hills", "宝塔山场"), Text("Yan'an, Shaanxi", "陕西 延安"))
    for number, (code, season, sides, capacity, funded) in enumerate(PLOTS):
        with clock.stopped(seasons.season(season).opens_at + DAY):
            site = minqin if code.startswith("MQ") else yanan
            plots.contract(steward, plots.Contract(site, season, code, outline(*sides), capacity))
            paid = plots.Funding(funder.id, funded, funded * 550, f"DEMO-{number + 1}")
            plots.fund(steward, code, paid)


def grow() -> None:
    """Two people ride for sixteen days and plant a saxaul each; the plots are planted, photographed and surveyed."""
    people_here = [of("giver@demo.example"), of("teacher@demo.example")]
    if len(certificate_queries.Trees([people_here[0].id])):
        return
    today = clock.now().replace(hour=2, minute=0, second=0, microsecond=0)
    _ride(people_here, today - 295 * DAY)
    with clock.stopped(today - 275 * DAY):
        for person in people_here:
            certificates.ask(person, "2026S-saxaul", "seed")
    planter = of("charity@demo.example")
    for code, last, ago in (("MQ1", 2_800, 195), ("YA1", 2_000, 790)):
        with clock.stopped(today - ago * DAY):
            plantings.plant(planter, code, 1, last, clock.now().date())
    with clock.stopped(today - 190 * DAY):
        for number, seq in enumerate((1, 2, 640, 1_777)):
            captures.capture(planter, _shot(seq, number))
    _survey("MQ1", 30, 0.84, today - 30 * DAY)
    _survey("YA1", 24, 0.66, today - 20 * DAY, "2.1 2.6")


def _ride(people_here: list[Party], first: datetime) -> None:
    """Sixteen days of metro and bicycle, each day's energy gathered on the next but one."""
    metro, bicycles = sources.source("demo-metro"), sources.source("demo-bicycles")
    for day in range(18):
        at = first + day * DAY
        with clock.stopped(at):
            days.close_days()
            for person in people_here:
                gardens.harvest(person)
        for source, kind, metres in ((metro, "metro", 20_000), (bicycles, "cycling", 17_000)):
            if day < 16:
                names = [source_actions.connect(person, source) for person in people_here]
                with clock.stopped(at):
                    reports = [Report(f"then-{kind}-{day}-{name.hex[:8]}", name, kind, metres, at) for name in names]
                    deeds.take(source, reports)


def _shot(seq: int, number: int) -> Shot:
    """A drawn photograph at a position of MQ1."""
    place = captures_known.place("MQ1", seq)
    wobble = (0.0, 2e-6, -2e-6, 3e-6, -1e-6)
    fixes = tuple((place.lat + each, place.lon - each) for each in wobble)
    return Shot("MQ1", "saxaul", fixes, clock.now() - timedelta(hours=2), snapshot(number))


def _survey(code: str, wanted: int, share: float, at: datetime, diameters: str = "") -> None:
    """A survey that finds about this share alive; its commitment is put into the log as the clerk would."""
    committer, surveyor = of("steward@demo.example"), of("steward2@demo.example")
    dice = random.Random(wanted)  # noqa: S311 (nothing here is secret)
    with clock.stopped(at):
        id = surveys.commit(committer, code, wanted)
    sequence(connection.connection, load_signer(settings.HOME, settings.LOG_NAME), clock.now())
    with clock.stopped(at + DAY):
        surveys.draw_subplots(committer, id)
        found = survey_queries.survey(id)
        planted = {part.number: part.planted for part in subplots(found.plot)}
        for subplot in found.to_count[:wanted]:
            chance = dice.betavariate(share * 9, (1 - share) * 9)
            alive = sum(dice.random() < chance for _ in range(planted[subplot]))
            surveys.count(surveyor, id, subplot, alive, diameters if alive > 2 else "")
        surveys.finish(surveyor, id)
