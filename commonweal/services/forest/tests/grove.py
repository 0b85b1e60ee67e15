"""A small forest: a steward, a planting partner with its officer, a person with energy, a season, and a funder."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Login, Party
from commonweal.kernel.text import Text
from commonweal.services.forest.actions import plots
from commonweal.services.forest.queries.seasons import Species

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
DAY = timedelta(days=1)
SAXAUL = Species(
    "saxaul", "Haloxylon ammodendron", Text("saxaul", "梭梭"), 17_900, 5.0, 3.0, 700, "", "a made-up source"
)
PINE = Species(
    "pine",
    "Pinus sylvestris var. mongolica",
    Text("Scots pine", "樟子松"),
    146_210,
    4.0,
    3.0,
    800,
    "pinus-sylvestris-mongolica",
    "a made-up source",
)


def somebody(email: str) -> Party:
    """A person who can sign in."""
    login = Login(email=email)
    login.set_unusable_password()
    login.save()
    return login.party


def give_energy(owner: uuid.UUID, grams: int) -> None:
    """Grams in hand, from nowhere: what deeds earn is tested elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO forest_holding AS h VALUES (%s, %s) ON CONFLICT (owner) DO UPDATE SET grams = h.grams + %s",
            [owner, grams, grams],
        )


@dataclass(frozen=True)
class Grove:
    """Who is there, and what is open."""

    steward: Party
    officer: Party
    surveyor: Party
    person: Party
    partner: Party
    funder: Party
    site: uuid.UUID
    season: str

    def contract(self, code: str = "CF1", *, east: float = 0.0, capacity: int = 300, season: str = "") -> str:
        """A plot of 120 by 111 m at so many degrees east of the first one: 22 x 40 places for saxaul."""
        outline = square(103.0 + east, 38.0, 0.001_37, 0.001)
        plots.contract(self.steward, plots.Contract(self.site, season or self.season, code, outline, capacity))
        return code

    def fund(self, code: str = "CF1", positions: int = 300, reference: str = "") -> None:
        """A payment for some of its positions."""
        reference = reference or f"{code} {positions}"
        plots.fund(self.steward, code, plots.Funding(self.funder.id, positions, positions * 550, reference))


@pytest.fixture
def grove(db: None) -> Grove:
    """The forest, in a transaction that is rolled back."""
    return make_grove()


def make_grove() -> Grove:
    """The forest before the first plot."""
    with clock.stopped(NOW - 60 * DAY):
        steward, officer, surveyor, person = (
            somebody(f"{name}@test.example") for name in ("steward", "officer", "surveyor", "person")
        )
        people.grant_role(steward, people.STEWARD)
        people.grant_role(surveyor, people.STEWARD)
        partner = people.register_organisation(Text("Oasis Co-operative", "绿洲合作社"), "PLANT-1")
        funder = people.register_organisation(Text("Hexi Tea", "河西茶业"), "FUND-1")
        people.grant_role(officer, people.OFFICER, partner)
        for species in (SAXAUL, PINE):
            plots.add_species(steward, species)
        season = plots.open_season(steward, "2027S", "saxaul", NOW - 30 * DAY, NOW + 30 * DAY)
        site = plots.open_site(steward, partner, Text("Laohukou", "老虎口"), Text("Minqin", "民勤"))
    return Grove(steward, officer, surveyor, person, partner, funder, site, season)


@pytest.fixture(autouse=True)
def stopped(request: pytest.FixtureRequest) -> object:
    """In tests with a forest it is noon of one day."""
    if "grove" not in request.fixturenames:
        yield
        return
    with clock.stopped(NOW):
        yield


def geojson(*corners: tuple[float, float]) -> str:
    """A polygon."""
    return json.dumps({"type": "Polygon", "coordinates": [[*corners, corners[0]]]})


def square(longitude: float, latitude: float, east: float, north: float) -> str:
    """GeoJSON of a rectangle from its south-west corner, sides in degrees."""
    x, y = longitude, latitude
    return geojson((x, y), (x + east, y), (x + east, y + north), (x, y + north))
