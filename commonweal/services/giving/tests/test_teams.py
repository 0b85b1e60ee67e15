"""Giving together: teams, their gifts, their sums."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from fractions import Fraction

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from commonweal.kernel.ledger import KeyReused
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.services.giving import matching
from commonweal.services.giving.actions import gifts, matches, returns, teams
from commonweal.services.giving.queries import pools
from commonweal.services.giving.queries import teams as queries
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.rules.matches import Promise
from commonweal.services.giving.tests.conftest import DAY, NOW, World, somebody


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def team(world: World) -> uuid.UUID:
    return teams.found(world.giver, world.campaign.id, "Class 3b")


def together(world: World, team: uuid.UUID | None, giver: Party, amount: int = 500, key: str = "k") -> uuid.UUID:
    return gifts.give(Give(world.campaign.id, giver.id, amount, "CNY", COLLECTED, key, team=team)).id


def test_a_sum_is_told_from_three_people_on_and_in_steps(world: World, team: uuid.UUID) -> None:
    others = [somebody(f"friend{n}@test.example") for n in range(3)]
    together(world, team, others[0])
    together(world, team, others[0], key="again")
    together(world, team, others[1])
    assert teams.tell() == 0
    (shown,) = queries.teams(world.campaign.id)
    assert (shown.name, shown.people, shown.amount) == ("Class 3b", None, None)
    last = together(world, team, others[2], 1_000)
    together(world, None, others[2], 7_000, "alone")
    assert teams.tell() == 1
    (shown,) = queries.teams(world.campaign.id)
    assert (shown.people, shown.amount, shown.told_at) == (3, 2_500, NOW)
    with clock.stopped(NOW + DAY):
        returns.refund(world.officer, world.campaign.id, last, 400, "asked for", "refund-1")
        assert teams.tell() == 0
        for n in range(2):
            together(world, team, somebody(f"more{n}@test.example"), key="more")
        assert teams.tell() == 1
    (shown,) = queries.teams(world.campaign.id)
    assert (shown.people, shown.amount) == (5, 3_100)


def test_a_team_of_another_campaign_or_none_takes_nothing(world: World, team: uuid.UUID) -> None:
    for wrong in (uuid.uuid4(), world.campaign.id):
        with pytest.raises(NotFound) as refused:
            together(world, wrong, world.giver)
        assert refused.value.code == "team.unknown"
    assert queries.find(world.campaign.id, "no-id") is None
    first = together(world, team, world.giver)
    assert together(world, team, world.giver) == first  # the same wish again
    with pytest.raises(KeyReused):
        together(world, None, world.giver)


def test_names(world: World, team: uuid.UUID) -> None:
    for name, code in (("", "text.empty"), ("x" * 41, "text.too-long"), ("a\u202eb", "text.characters")):
        with pytest.raises(Invalid) as refused:
            teams.found(world.giver, world.campaign.id, name)
        assert refused.value.code == code
    with pytest.raises(Conflict) as taken:
        teams.found(world.giver, world.campaign.id, "class 3B")
    assert taken.value.code == "team.taken"
    with clock.stopped(NOW + 90 * DAY), pytest.raises(Conflict):
        teams.found(world.giver, world.campaign.id, "too late")
    with pytest.raises(NotFound):
        teams.found(world.giver, uuid.uuid4(), "nowhere")


def test_a_steward_hides_a_team_and_its_gifts_stay(world: World, team: uuid.UUID) -> None:
    gift = together(world, team, world.giver)
    with pytest.raises(NotAllowed):
        teams.hide(world.officer, world.campaign.id, team, "rude")
    with pytest.raises(Invalid):
        teams.hide(world.stewards[0], world.campaign.id, team, "")
    with pytest.raises(NotFound):
        teams.hide(world.stewards[0], world.campaign.id, uuid.uuid4(), "rude")
    teams.hide(world.stewards[0], world.campaign.id, team, "rude")
    teams.hide(world.stewards[1], world.campaign.id, team, "rude")
    assert queries.teams(world.campaign.id) == []
    assert together(world, team, world.giver) == gift  # a repetition is still the first answer
    with pytest.raises(NotFound):
        together(world, team, world.giver, key="new")


def test_a_pool_matches_teams_of_two_more(world: World, team: uuid.UUID) -> None:
    company = people.register_organisation(matching.SCHEMES[0].title, "DEMO-TEAM-0001")
    slices = (matching.Slice(NOW + DAY, NOW + 2 * DAY, 100_000),)
    scheme = matching.OnePlusX(Fraction(1, 2), (matching.Extra(Fraction(1, 2), team_of=2),))
    promise = Promise(company.id, (world.campaign.id,), scheme, slices)
    pool = matches.fund(world.officer, promise, "pool")
    with clock.stopped(NOW + DAY):
        one, two = somebody("one@test.example"), somebody("two@test.example")
        together(world, team, one, 1_000)
        together(world, team, two, 1_000)
        together(world, None, two, 1_000, "alone")
    with connection.cursor() as cursor:
        cursor.execute("SELECT amount FROM giving_reservation WHERE pool = %s ORDER BY transfer", [pool])
        assert [amount for (amount,) in cursor.fetchall()] == [500, 1_000, 500]
    assert pools.one(world.campaign.id, pool).rules.scheme == scheme


def test_raw_sql_cannot_lend_a_gift_to_a_team_of_another_campaign(world: World, team: uuid.UUID) -> None:
    together(world, team, world.giver)
    for statement in (
        "INSERT INTO giving_team_gift SELECT book, gift, gen_random_uuid() FROM giving_team_gift",
        f"UPDATE giving_team_gift SET team = '{uuid.uuid4()}'",
        "DELETE FROM giving_team",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.parametrize(("language", "word"), [("zh", "组队捐"), ("en", "Giving together")])
def test_the_doors(client: Client, world: World, language: str, word: str) -> None:
    page = f"/{language}/giving/{world.campaign.id}/teams/"
    assert word in client.get(page).content.decode()
    client.force_login(world.giver.login)
    assert client.post(page, {"name": ""}).status_code == 422
    assert client.post(page, {"name": "Runners"}).status_code == 303
    (team,) = queries.teams(world.campaign.id)
    form = client.get(f"/{language}/giving/{world.campaign.id}/?team={team.id}").content.decode()
    assert "Runners" in form and f'name="team" value="{team.id}"' in form
    said = client.get(f"/api/v1/giving/campaigns/{world.campaign.id}/teams").json()
    assert [(each["name"], each["people"], each["amount"], each["told_at"]) for each in said] == [
        ("Runners", None, None, None)
    ]
    client.force_login(world.stewards[0].login)
    hide = f"{page}{team.id}/hide/"
    assert hide in client.get(f"{page}{team.id}/").content.decode()
    assert client.post(hide, {"note": ""}).status_code == 422
    assert client.post(hide, {"note": "rude"}).status_code == 303
    assert "Runners" not in client.get(page).content.decode()
