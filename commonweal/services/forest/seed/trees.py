"""The demonstration's trees: two species, four seasons, plots in Minqin and Yan'an; made up but for the places."""

from __future__ import annotations

import json
from datetime import timedelta

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Login, Party
from commonweal.kernel.text import Text
from commonweal.services.forest.actions import plots
from commonweal.services.forest.queries import plots as plot_queries
from commonweal.services.forest.queries import seasons
from commonweal.services.forest.queries.seasons import Species

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
    ("MQ1", "2025S-saxaul", (103.0912, 38.6203, 0.0028, 0.0020), 3_000, 3_000),
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
    for half, kind, years in (("2024S", "pine", 2), ("2025S", "saxaul", 1)):
        with clock.stopped(today - (365 * years + 300) * DAY):
            plots.open_season(steward, half, kind, clock.now(), today - (365 * years) * DAY)
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
