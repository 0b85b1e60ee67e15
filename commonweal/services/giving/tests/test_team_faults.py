"""Teams: no gift loses its team, no sum tells on a giver, no name outlives its founder."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.kernel.parties import erasure
from commonweal.kernel.parties.models import Party
from commonweal.services.giving import matching, pages
from commonweal.services.giving.actions import gifts, matches, recurring, returns, teams
from commonweal.services.giving.matching import pool_file
from commonweal.services.giving.payment import Agreeing, Order
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import pools
from commonweal.services.giving.queries import teams as queries
from commonweal.services.giving.rules.gifts import COLLECTED, Give, Outcome
from commonweal.services.giving.rules.matches import Promise
from commonweal.services.giving.rules.recurring import Every
from commonweal.services.giving.tests.conftest import DAY, NOW, World, make_world, somebody
from commonweal.services.giving.tests.test_matches import tea
from commonweal.services.giving.tests.test_won import dispute

assert pages.urlpatterns, "loaded before a fixture puts other providers in place"


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    made = Simulator(tmp_path)
    monkeypatch.setattr("commonweal.services.giving.payment.providers", lambda: {"simulator": made})
    return made


@pytest.fixture
def team(world: World) -> uuid.UUID:
    return teams.found(world.giver, world.campaign.id, "Class 3b")


def together(world: World, team: uuid.UUID | None, giver: Party, amount: int = 500, key: str = "k") -> uuid.UUID:
    return gifts.give(Give(world.campaign.id, giver.id, amount, "CNY", COLLECTED, key, team=team)).id


def friends(number: int, word: str = "friend") -> list[Party]:
    return [somebody(f"{word}{n}@test.example") for n in range(number)]


def shown(world: World) -> tuple[int | None, int | None]:
    teams.tell()
    (found,) = queries.teams(world.campaign.id)
    return found.people, found.amount


def team_of(world: World, gift: uuid.UUID) -> uuid.UUID | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT team FROM giving_team_gift WHERE book = %s AND gift = %s", [world.campaign.id, gift])
        found = cursor.fetchone()
    return found[0] if found else None


# The page


def test_a_gift_never_loses_its_team_silently(client: Client, world: World, team: uuid.UUID) -> None:
    client.force_login(world.giver.login)
    page = f"/en/giving/{world.campaign.id}/give/"
    form = {"choice": "5", "channel": "simulator", "key": "k"}
    for wrong in (str(uuid.uuid4()), "no-id"):
        refused = client.post(page, form | {"team": wrong})
        assert refused.status_code == 404
        assert "There is no such team" in refused.content.decode()
        assert 'name="team"' not in refused.content.decode(), "whoever sends the form again gives without it"
    assert client.post(page, form | {"team": str(team)}).status_code == 303
    teams.hide(world.stewards[0], world.campaign.id, team, "rude")
    again = client.post(page, form | {"team": str(team)})
    assert again.status_code == 303, "the same wish is the stored gift, also when the team is hidden by now"
    assert client.post(page, form | {"team": str(team), "key": "new"}).status_code == 404


# Recurring gifts


def agreed(world: World, simulator: Simulator, team: uuid.UUID | None) -> uuid.UUID:
    wish = recurring.Wish(world.campaign.id, 2_000, "CNY", Every.WEEK, "simulator", team=team)
    id = recurring.begin(world.giver, wish, "r")
    assert recurring.begin(world.giver, wish, "r") == id
    agreeing = Agreeing(world.campaign.id, id, 2_000, "CNY", Every.WEEK, world.campaign.title)
    gifts.confirm("simulator", *simulator.report_agreement(agreeing, clock.now()))
    return id


def test_each_renewal_is_given_with_the_team_while_it_is_there(
    world: World, simulator: Simulator, team: uuid.UUID
) -> None:
    id = agreed(world, simulator, team)
    first = recurring.renew(world.campaign.id, id)
    assert first and team_of(world, first) == team
    teams.hide(world.stewards[0], world.campaign.id, team, "rude")
    with clock.stopped(NOW + 7 * DAY):
        second = recurring.renew(world.campaign.id, id)
        assert second and team_of(world, second) is None, "a hidden team does not stop what was agreed"


def test_no_recurring_gift_begins_with_an_unknown_team(world: World, simulator: Simulator) -> None:
    wish = recurring.Wish(world.campaign.id, 2_000, "CNY", Every.WEEK, "simulator", team=uuid.uuid4())
    with pytest.raises(NotFound, match=r"team\.unknown"):
        recurring.begin(world.giver, wish, "r")


# Sums


def test_a_won_chargeback_is_the_teams_again(world: World, simulator: Simulator, team: uuid.UUID) -> None:
    taken = gifts.give(Give(world.campaign.id, world.giver.id, 1_000, "CNY", "simulator", "k", team=team))
    order = Order(world.campaign.id, taken.id, 1_000, "CNY", world.campaign.title)
    assert gifts.confirm("simulator", *simulator.report(order, NOW)) is Outcome.PAID
    one, two = friends(2)
    together(world, team, one)
    together(world, team, two)
    assert shown(world) == (3, 2_000)
    assert dispute(world, simulator, taken.id, 1_000) is Outcome.CHARGED_BACK
    teams.hide(world.stewards[0], world.campaign.id, team, "rude")
    assert dispute(world, simulator, taken.id, 1_000, lost=False) is Outcome.CHARGEBACK_WON
    with connection.cursor() as cursor:
        cursor.execute(queries.SUM, {"book": world.campaign.id, "team": team, "until": NOW})
        assert cursor.fetchone() == (3, 2_000)


def test_no_step_shows_the_gifts_of_fewer_than_three(world: World, team: uuid.UUID) -> None:
    first, more = friends(3), friends(6, "more")
    for giver in first[:2]:
        together(world, team, giver)
    assert shown(world) == (None, None)
    together(world, team, first[2])
    assert shown(world) == (3, 1_500)
    with clock.stopped(NOW + DAY):
        together(world, team, more[0], 77_00)
        together(world, team, more[0], 1_00, "again")
        together(world, team, more[1], 12_34)
        assert shown(world) == (3, 1_500), "two people's gifts wait for a third"
        together(world, team, more[2])
        assert shown(world) == (6, 1_500 + 78_00 + 12_34 + 500)
        gone = together(world, team, more[3], 9_00)
    with clock.stopped(NOW + 2 * DAY):
        returns.refund(world.officer, world.campaign.id, gone, 9_00, "asked for", "refund-1")
        assert shown(world)[0] == 6
        together(world, team, more[4])
        together(world, team, more[5])
        assert shown(world) == (8, 1_500 + 78_00 + 12_34 + 500 + 1_000), "whoever got all of it back is no giver of it"


def test_raw_sql_cannot_tell_on_anybody(world: World, team: uuid.UUID) -> None:
    for giver in friends(2):
        together(world, team, giver)
    with pytest.raises(IntegrityError, match="fewer than three"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO giving_team_sum (book, team, nth, people, amount, at) VALUES (%s, %s, 1, 2, 1000, %s)",
            [world.campaign.id, team, NOW],
        )
    for giver in friends(3, "other"):
        together(world, team, giver)
    teams.tell()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE giving_team_sum SET amount = 1")


def test_the_published_file_of_a_pool_names_no_team(world: World, team: uuid.UUID) -> None:
    company, opens, until = tea().id, NOW + DAY, NOW + 2 * DAY
    slices = (matching.Slice(opens, until, 100_000),)
    plain = matches.fund(world.officer, Promise(company, (world.campaign.id,), matching.ProRata(), slices), "plain")
    scheme = matching.OnePlusX(Fraction(1, 2), (matching.Extra(Fraction(1, 2), team_of=2),))
    of_two = matches.fund(world.officer, Promise(company, (world.campaign.id,), scheme, slices), "teams")
    with clock.stopped(opens):
        for giver in friends(2):
            together(world, team, giver, 1_000)
        files = {pool: pools.file(pools.one(world.campaign.id, pool), clock.now()) for pool in (plain, of_two)}
    assert {gift.team for gift in files[plain].gifts} == {""}, "the shares do not depend on teams"
    (name,) = {gift.team for gift in files[of_two].gifts}
    assert name and str(team) not in pool_file.write(files[of_two]).decode()
    assert sorted((files[of_two].matches or {}).values()) == [1_000, 1_000]


# Names


def test_a_name_goes_with_its_founder(world: World, team: uuid.UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM giving_team t")
        assert "Class" not in cursor.fetchone()[0]
    together(world, team, world.officer)
    erasure.forget(world.giver.id)
    assert queries.teams(world.campaign.id) == [] and queries.find(world.campaign.id, str(team)) is None
    with pytest.raises(NotFound, match=r"team\.unknown"):
        together(world, team, world.officer, key="new")
    assert teams.found(world.officer, world.campaign.id, "Class 3b"), "nothing of the name is kept"


# A steward hides a team while a gift is on its way


def test_hiding_waits_for_a_gift_that_is_being_taken(fresh_database: str) -> None:
    world = make_world()
    team = teams.found(world.giver, world.campaign.id, "Class 3b")
    hidden = threading.Event()

    def hide() -> None:
        with clock.stopped(NOW):
            teams.hide(world.stewards[0], world.campaign.id, team, "rude")
        connection.close()
        hidden.set()

    hiding = threading.Thread(target=hide)
    with transaction.atomic(), connection.cursor() as cursor:
        assert teams.there(cursor, {(world.campaign.id, team)}) == {(world.campaign.id, team): None}
        hiding.start()
        assert not hidden.wait(0.3), "the steward waits until the gift is in"
        together(world, team, world.giver)
    hiding.join(30)
    assert hidden.is_set()
    with pytest.raises(NotFound, match=r"team\.unknown"):
        together(world, team, world.giver, key="new")
    together(world, None, world.giver, key="alone")
    with psycopg.connect(fresh_database) as session, pytest.raises(psycopg.IntegrityError, match="hidden"):
        session.execute(
            "INSERT INTO giving_team_gift SELECT g.book, g.id, %s FROM giving_gift g WHERE NOT EXISTS "
            "(SELECT FROM giving_team_gift m WHERE m.book = g.book AND m.gift = g.id)", [team],
        )  # fmt: skip
