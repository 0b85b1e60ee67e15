"""A small world: a qualified charity with an open campaign, its officer, two stewards, a giver."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from pytest_django import DjangoDbBlocker

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Login, Party
from commonweal.kernel.postgres import Server
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import campaigns
from commonweal.services.giving.actions.campaigns import Charity, Qualification
from commonweal.services.giving.models import Campaign
from commonweal.services.giving.queries import estimates
from commonweal.services.giving.rules.needs import Need
from commonweal.services.giving.rules.plans import Plan
from commonweal.services.giving.seed import paper
from tests import database
from tests.browser.fixtures import Site

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def picture(shade: int = 200) -> bytes:
    """A photograph of an invoice, as far as the platform can tell."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (shade, shade, shade)).save(out, "PNG")
    return out.getvalue()


def somebody(email: str) -> Party:
    """A person who can sign in."""
    login = Login(email=email)
    login.set_unusable_password()
    login.save()
    return login.party


@dataclass(frozen=True)
class World:
    """Who is there."""

    giver: Party
    officer: Party
    stewards: tuple[Party, Party]
    charity: Party
    campaign: Campaign


def plan(charity: Party, **changes: object) -> Plan:
    """A plan that can be published."""
    given: dict[str, object] = {
        "organisation": charity.id,
        "title": Text("A music teacher for the school at Shiba", "给石坝小学请一位音乐老师"),
        "summary": Text("Thirty-two children, one piano, nobody who plays.", "三十二个孩子，一架琴，没有会弹的人。"),
        "story": Text("It has stood under a cloth for a year.", "琴已经盖着布放了一年。"),
        "topic": "education",
        "place": Text("Shiba, Yunnan", "云南 石坝"),
        "needs": (
            Need(Text("a lesson", "音乐课"), 5_000, 32, Text("lessons", "节")),
            Need(Text("a set of sheet music", "乐谱"), 1_800, 32, Text("sets", "套")),
        ),
        "opens_at": NOW - 30 * DAY,
        "closes_at": NOW + 30 * DAY,
        "filing_number": "53329000A26001",
        "filed_at": NOW - 45 * DAY,
        "cap": 1_000_000,
        "drawing": "piano",
    }
    return Plan(**(given | changes))  # type: ignore[arg-type]


def found_charity(officer: Party, stewards: tuple[Party, Party], code: str = "53100000500000001X") -> Party:
    """A charity whose qualification two stewards have attested."""
    charity = campaigns.found(
        officer,
        Charity(
            name=Text("Dali Mountains Foundation", "大理山里公益基金会"),
            registration=code,
            about=Text("We work with village schools.", "我们为乡村学校服务。"),
            contact="office@charity.example",
        ),
    )
    credential = campaigns.claim(
        officer, charity, Qualification("MZ-1", "民政部门", date(2024, 3, 1), date(2028, 3, 1), picture())
    )
    for steward in stewards:
        people.attest(credential, steward)
    return charity


@pytest.fixture(scope="package")
def made_once(postgres: Server, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """The world, made once in a database that the tests of this folder share from then on."""
    with (
        django_db_blocker.unblock(),
        database.clone(postgres) as name,
        database.connected_to(postgres, name),
    ):
        world = make_world()
        with django_db_blocker.block():
            yield world


@pytest.fixture
def world(made_once: World, db: None) -> World:
    """The world, in a transaction that is rolled back."""
    return copy.deepcopy(made_once)


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process keeps of a campaign for a second is not what the next test has made of it."""
    monkeypatch.setattr(estimates, "_entries", type(estimates._entries)())


def make_world() -> World:
    """The world as it is before the first gift; its past is made at the time of the past."""
    with clock.stopped(NOW - 60 * DAY):
        giver, officer = somebody("giver@test.example"), somebody("officer@test.example")
        stewards = somebody("steward@test.example"), somebody("steward2@test.example")
        for steward in stewards:
            people.grant_role(steward, people.STEWARD)
        charity = found_charity(officer, stewards)
    with clock.stopped(NOW - 40 * DAY):
        campaign = campaigns.publish(officer, plan(charity))
    return World(giver, officer, stewards, charity, campaign)


@pytest.fixture(scope="session")
def stages(site: Site) -> dict[str, dict[str, str]]:
    """Where journeys begin, for each language."""
    return dict(site.beside("commonweal.services.giving.tests.stage"))


@pytest.fixture
def stage(stages: dict[str, dict[str, str]], language: str) -> dict[str, str]:
    """The ids of what `tests/stage.py` has made for the language."""
    return stages[language]


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """A drawn sheet, for papers and pictures."""
    file = tmp_path / "sheet.png"
    file.write_bytes(paper("SAMPLE SHEET", 6))
    return file
