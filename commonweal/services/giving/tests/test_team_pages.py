"""The page of a team: what is told, its end, greetings; who may, and what is never shown."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from commonweal.kernel.parties import erasure, people
from commonweal.kernel.parties.models import Party
from commonweal.services.giving.actions import gifts, recurring, team_pages, teams
from commonweal.services.giving.payment import Order
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import teams as queries
from commonweal.services.giving.rules import teams as rules
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.rules.teams import Page
from commonweal.services.giving.tests.conftest import DAY, NOW, World, somebody
from commonweal.services.giving.tests.test_team_faults import agreed, simulator, team_of, together

assert simulator, "a fixture"

TOLD = Page("For the piano.\nAll of 3b.", 100_000, NOW + 5 * DAY, "Wang Li", named=True)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def team(world: World) -> uuid.UUID:
    return teams.found(world.giver, world.campaign.id, "Class 3b", TOLD)


# Rules


@given(st.timedeltas(), st.integers(-5, 5), st.booleans(), st.sampled_from(["", " ", "Wang"]))
def test_a_team_ends_within_its_campaign(later: Any, goal: int, named: bool, organiser: str) -> None:
    closes = NOW + 30 * DAY
    try:
        ends = NOW + later
    except OverflowError:
        return
    fits = NOW < ends <= closes and goal > 0 and (not named or bool(organiser.strip()))
    try:
        kept = rules.check_page(Page("", goal, ends, organiser, named), closes, NOW)
        assert fits and kept.organised_by == (organiser.strip() if named else "")
    except Invalid as refused:
        assert not fits and refused.code in ("team.end", "team.goal", "team.organiser")


# What is told


def test_what_is_told_is_sealed_and_the_newest_counts(world: World, team: uuid.UUID) -> None:
    found = queries.one(world.campaign.id, team)
    assert found.page == TOLD and found.page.organised_by == "Wang Li" and found.is_open
    with connection.cursor() as cursor:
        cursor.execute("SELECT p::text || t::text FROM giving_team_page p, giving_team t")
        (kept,) = cursor.fetchone()
    assert not [word for word in ("Wang", "piano", "Class") if word in kept]
    with pytest.raises(NotAllowed, match=r"team\.not-yours"):
        team_pages.rewrite(world.officer, world.campaign.id, team, Page())
    with pytest.raises(Invalid, match=r"team\.end"):
        team_pages.rewrite(world.giver, world.campaign.id, team, Page(ends_at=world.campaign.closes_at + DAY))
    team_pages.rewrite(world.giver, world.campaign.id, team, Page("Shorter.", organiser="Wang Li"))
    found = queries.one(world.campaign.id, team)
    assert (found.page.story, found.page.goal, found.page.organised_by, found.closes_at) == ("Shorter.", None, "", None)
    assert queries.founded(world.giver.id) == [found] and queries.founded(world.officer.id) == []
    erasure.forget(world.giver.id)
    with pytest.raises(NotFound, match=r"team\.unknown"):
        queries.one(world.campaign.id, team)


# Its end


def test_after_its_end_a_gift_goes_without_it_or_not_at_all(world: World, team: uuid.UUID) -> None:
    early = together(world, team, world.officer)
    with clock.stopped(NOW + 5 * DAY):
        with pytest.raises(Conflict, match=r"team\.closed"):
            together(world, team, world.officer, key="late")
        assert together(world, team, world.officer) == early, "the same wish is the stored gift"
        alone = together(world, None, world.officer, key="late")
        assert team_of(world, alone) is None
        with pytest.raises(Conflict, match=r"team\.closed"):
            team_pages.rewrite(world.giver, world.campaign.id, team, Page())
        team_pages.close(world.giver, world.campaign.id, team)
        assert queries.one(world.campaign.id, team).closes_at == NOW + 5 * DAY, "what has ended does not end again"
    statement = "INSERT INTO giving_team_gift VALUES (%s, %s, %s)"
    with pytest.raises(IntegrityError, match="had closed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [world.campaign.id, alone, team])


def test_its_founder_closes_it_and_nobody_else(world: World, team: uuid.UUID) -> None:
    with pytest.raises(NotAllowed, match=r"team\.not-yours"):
        team_pages.close(world.officer, world.campaign.id, team)
    for _ in range(2):
        team_pages.close(world.giver, world.campaign.id, team)
    with pytest.raises(Conflict, match=r"team\.closed"):
        together(world, team, world.officer)


def test_what_was_promised_before_the_end_is_the_teams_when_it_is_paid(
    world: World, simulator: Simulator, team: uuid.UUID
) -> None:
    wish = Give(world.campaign.id, world.officer.id, 700, "CNY", "simulator", "k", team=team)
    taken = gifts.give(wish)
    team_pages.close(world.giver, world.campaign.id, team)
    order = Order(world.campaign.id, taken.id, 700, "CNY", world.campaign.title)
    gifts.confirm("simulator", *simulator.report(order, NOW))
    assert team_of(world, taken.id) == team


def test_what_recurs_goes_on_without_a_closed_team(world: World, simulator: Simulator, team: uuid.UUID) -> None:
    id = agreed(world, simulator, team)
    first = recurring.renew(world.campaign.id, id)
    assert first and team_of(world, first) == team
    with clock.stopped(NOW + 7 * DAY):
        second = recurring.renew(world.campaign.id, id)
        assert second and team_of(world, second) is None


# Greetings


def test_a_greeting_is_of_a_giver_once_and_without_name_amount_or_time(world: World, team: uuid.UUID) -> None:
    friend = somebody("friend@test.example")
    gift = together(world, team, friend)
    alone = together(world, None, friend, key="alone")
    for giver, id, error, code in (
        (world.officer, gift, NotFound, "gift.unknown"),
        (friend, alone, NotFound, "team.unknown"),
    ):
        with pytest.raises(error) as refused:
            team_pages.greet(giver, world.campaign.id, id, "Hello")
        assert refused.value.code == code
    for words, code in (("", "text.empty"), ("x" * 201, "text.too-long"), ("a\nb", "text.characters")):
        with pytest.raises(Invalid) as wrong:
            team_pages.greet(friend, world.campaign.id, gift, words)
        assert wrong.value.code == code
    assert team_pages.greet(friend, world.campaign.id, gift, "Play it loud!") == team
    with pytest.raises(Conflict, match=r"greeting\.once"):
        team_pages.greet(friend, world.campaign.id, gift, "Again")
    (said,) = queries.greetings(queries.one(world.campaign.id, team))
    assert said.words == "Play it loud!"
    with connection.cursor() as cursor:
        cursor.execute("SELECT w::text FROM giving_greeting w")
        assert "loud" not in cursor.fetchone()[0]
    erasure.forget(friend.id)
    assert queries.greetings(queries.one(world.campaign.id, team)) == []


def test_an_unpaid_gift_greets_nobody(world: World, simulator: Simulator, team: uuid.UUID) -> None:
    wish = Give(world.campaign.id, world.officer.id, 700, "CNY", "simulator", "k", team=team)
    with pytest.raises(Conflict, match=r"greeting\.unpaid"):
        team_pages.greet(world.officer, world.campaign.id, gifts.give(wish).id, "Hello")
    statement = "INSERT INTO giving_greeting SELECT book, gen_random_uuid(), gift, %s, 'x', now() FROM giving_team_gift"
    with pytest.raises(IntegrityError, match="somebody who gave"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [world.officer.id])


def test_a_greeting_is_hidden_by_its_writer_the_founder_or_a_steward(world: World, team: uuid.UUID) -> None:
    friends = [somebody(f"friend{n}@test.example") for n in range(3)]
    for friend in friends:
        team_pages.greet(friend, world.campaign.id, together(world, team, friend), f"From {friend.id}")
    shown = {each.giver: each.id for each in queries.greetings(queries.one(world.campaign.id, team))}
    hide, campaign = team_pages.hide_greeting, world.campaign.id
    with pytest.raises(NotAllowed, match=r"greeting\.not-yours"):
        hide(world.officer, campaign, shown[friends[0].id], "no")
    with pytest.raises(NotFound, match=r"team\.unknown"):
        hide(world.giver, campaign, uuid.uuid4(), "no")
    for who, note in ((world.giver, ""), (world.stewards[0], " ")):
        with pytest.raises(Invalid, match=r"text\.empty"):
            hide(who, campaign, shown[friends[0].id], note)
    hide(world.giver, campaign, shown[friends[0].id], "too long")
    hide(world.stewards[0], campaign, shown[friends[1].id], "rude")
    hide(friends[2], campaign, shown[friends[2].id], "")
    hide(friends[2], campaign, shown[friends[2].id], "")
    assert queries.greetings(queries.one(campaign, team)) == []


# Doors


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_from_founding_to_closing(client: Client, world: World, language: str) -> None:
    base = f"/{language}/giving/{world.campaign.id}/teams/"
    client.force_login(world.giver.login)
    form = {"name": "Runners", "story": "We run.<script>", "goal": "100", "ends": "2026-12-01", "organiser": "Li",
            "named": "on"}  # fmt: skip
    for wrong in ({"goal": "x"}, {"ends": "soon"}, {"ends": "2020-01-01"}, {"organiser": " "}, {"name": ""}):
        assert client.post(base, form | wrong).status_code == 422
    sent = client.post(base, form)
    assert sent.status_code == 303
    (team,) = queries.teams(world.campaign.id)
    page = client.get(sent["Location"]).content.decode()
    assert "Runners" in page and "&lt;script&gt;" in page and "Li" in page and f"?team={team.id}#give" in page
    assert team.closes_at and team.closes_at.isoformat() == "2026-12-01T16:00:00+00:00", "the day ends at midnight here"
    poster = client.get(f"{sent['Location']}poster/").content.decode()
    assert "<svg" in poster and "Runners" in poster
    edited = client.get(f"{sent['Location']}edit/").content.decode()
    assert 'value="2026-12-01"' in edited and 'value="100.00"' in edited
    assert client.post(f"{sent['Location']}edit/", form | {"goal": "0"}).status_code == 422
    assert client.post(f"{sent['Location']}edit/", form | {"named": ""}).status_code == 303
    client.force_login(world.officer.login)
    assert client.get(f"{sent['Location']}edit/").status_code == 303
    assert client.post(f"{sent['Location']}close/").status_code == 403
    gift = together(world, team.id, world.officer)
    greet = f"/{language}/giving/{world.campaign.id}/gifts/{gift}/greeting/"
    assert greet in client.get(f"/{language}/giving/{world.campaign.id}/gifts/{gift}/").content.decode()
    assert client.get(greet).status_code == 200
    assert client.post(greet, {"greeting": ""}).status_code == 422
    assert client.post(greet, {"greeting": "加油！"}).status_code == 303
    (said,) = queries.greetings(team)
    client.force_login(world.giver.login)
    assert "加油！" in client.get(sent["Location"]).content.decode()
    hide = f"/{language}/giving/{world.campaign.id}/greetings/{said.id}/hide/"
    assert client.post(hide, {"note": ""}).status_code == 422
    assert client.post(hide, {"note": "x"}).status_code == 303
    assert client.get(greet).status_code == 404
    assert client.post(f"{sent['Location']}close/").status_code == 303
    assert "?team=" not in client.get(sent["Location"]).content.decode()
    give = {"choice": "5", "channel": "simulator", "key": "k", "team": str(team.id)}
    refused = client.post(f"/{language}/giving/{world.campaign.id}/give/", give)
    assert refused.status_code == 409 and 'name="team"' not in refused.content.decode()
    assert f"{base}{team.id}/" in client.get(f"/{language}/giving/mine/").content.decode()


def test_programs_found_greet_and_close(client: Client, world: World) -> None:
    def call(by: Party, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {people.make_token(by, 'test')}"}
        send = getattr(client, method)
        where = f"/api/v1/giving/campaigns/{world.campaign.id}{path}"
        return send(where, json.dumps(body or {}), content_type="application/json", headers=headers)

    told = {"story": "We run.", "goal": {"amount": "100.00", "asset": "CNY"}, "organiser": "Li", "named": False}
    made = call(world.giver, "post", "/teams", told | {"name": "Runners"})
    assert made.status_code == 201
    team = made.json()["id"]
    gift = gifts.give(Give(world.campaign.id, world.officer.id, 500, "CNY", COLLECTED, "k", team=uuid.UUID(team))).id
    assert call(world.officer, "post", f"/gifts/{gift}/greeting", {"greeting": "Hello"}).status_code == 204
    said = client.get(f"/api/v1/giving/campaigns/{world.campaign.id}/teams/{team}").json()
    assert (said["name"], said["organiser"], said["goal"]["amount"]) == ("Runners", "", "100.00")
    assert [each["words"] for each in said["greetings"]] == ["Hello"] and said["people"] is None
    hide = f"/greetings/{said['greetings'][0]['id']}/hide"
    assert call(world.giver, "post", hide).json()["code"] == "text.empty"
    assert call(world.giver, "post", hide, {"note": "x"}).status_code == 204
    assert call(world.officer, "put", f"/teams/{team}", told).json()["code"] == "team.not-yours"
    assert call(world.giver, "put", f"/teams/{team}", told | {"named": True}).status_code == 204
    assert call(world.giver, "post", f"/teams/{team}/end").status_code == 204
    said = client.get(f"/api/v1/giving/campaigns/{world.campaign.id}/teams/{team}").json()
    assert (said["organiser"], said["open"]) == ("Li", False)
