"""Surveys: the seed before the field trip, the draw that anybody repeats, the interval, the duty that follows."""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.errors import Busy, Conflict, Invalid, NotAllowed
from commonweal.kernel.jobs import run_due
from commonweal.kernel.notices.inbox import inbox
from commonweal.kernel.parties import people
from commonweal.kernel.proof import SignerKey, sequence
from commonweal.kernel.proof.log import placed
from commonweal.services.forest import jobs  # noqa: F401 (declares its tasks)
from commonweal.services.forest.actions import certificates, plantings
from commonweal.services.forest.actions import plots as plot_actions
from commonweal.services.forest.actions import surveys as actions
from commonweal.services.forest.queries import certificates as trees
from commonweal.services.forest.queries import numbers, plots, stock
from commonweal.services.forest.queries import surveys as queries
from commonweal.services.forest.queries.record import chain, record
from commonweal.services.forest.queries.subplots import subplots
from commonweal.services.forest.rules import surveys as rules
from commonweal.services.forest.rules.trees import State
from commonweal.services.forest.survey import Count, estimate
from commonweal.services.forest.tests.grove import DAY, NOW, Grove, give_energy
from commonweal.services.forest.tests.test_field import refused
from commonweal.services.forest.tests.test_ground import raw_refused

TODAY = NOW.date()


def into_the_log() -> None:
    """What the clerk does every 200 ms."""
    connection.ensure_connection()
    sequence(connection.connection, SignerKey("test.example/log", b"s" * 32), clock.now())


@pytest.fixture
def standing(grove: Grove) -> Iterator[Grove]:
    """300 trees in CF1, of which one is promised to a person."""
    grove.contract()
    grove.fund()
    give_energy(grove.person.id, 17_900)
    certificates.ask(grove.person, grove.season, "a")
    plantings.plant(grove.officer, "CF1", 1, 300, TODAY)
    yield grove


def drawn(grove: Grove, wanted: int = 5) -> queries.Survey:
    id = actions.commit(grove.steward, "CF1", wanted)
    into_the_log()
    actions.draw_subplots(grove.steward, id)
    return queries.survey(id)


def counted(grove: Grove, share: float, wanted: int = 5, diameters: str = "") -> queries.Survey:
    """A survey that finds about this share alive, not the same everywhere."""
    survey = drawn(grove, wanted)
    parts = {part.number: part.planted for part in subplots(1)}
    for n, subplot in enumerate(survey.draw.chosen):  # type: ignore[union-attr]
        alive = round(parts[subplot] * min(1.0, share + (0.02, -0.02)[n % 2]))
        actions.count(grove.surveyor, survey.id, subplot, alive, diameters)
    actions.finish(grove.surveyor, survey.id)
    return queries.survey(survey.id)


def test_the_seed_is_committed_before_and_stays_closed_until_the_draw(standing: Grove) -> None:
    id = actions.commit(standing.steward, "CF1", 4)
    with pytest.raises(Conflict, match=r"survey\.open"):
        actions.commit(standing.steward, "CF1", 4)
    with pytest.raises(Busy, match=r"survey\.waits"):
        actions.draw_subplots(standing.steward, id)
    assert queries.survey(id).draw is None
    with refused("survey.undrawn"):
        actions.count(standing.surveyor, id, 1, 1)
    into_the_log()
    actions.draw_subplots(standing.steward, id)
    actions.draw_subplots(standing.steward, id)
    found = queries.survey(id)
    assert found.draw is not None and hashlib.sha256(found.draw.seed).digest() == found.commitment
    with connection.cursor() as cursor:
        entry = placed(cursor, id).entry.decode()  # type: ignore[union-attr]
    assert found.commitment.hex() in entry and found.draw.seed.hex() not in entry


def test_anybody_can_draw_again_from_the_public_fact(standing: Grove) -> None:
    found = drawn(standing)
    assert found.draw is not None
    with connection.cursor() as cursor:
        fact = json.loads(placed(cursor, found.draw.fact).entry)  # type: ignore[union-attr]
        cursor.execute("SELECT root FROM proof_head WHERE size = %s", [fact["size"]])
        assert bytes(cursor.fetchone()[0]).hex() == fact["root"]
    # In a stranger's words, without our engine.
    seed = hashlib.sha256(bytes.fromhex(fact["seed"]) + bytes.fromhex(fact["root"])).digest()
    names = [str(part.number) for part in subplots(1)]
    order = sorted(names, key=lambda name: hashlib.sha256(seed + b"\0" + name.encode()).digest())
    assert [int(name) for name in order[:5]] == fact["chosen"] == found.draw.chosen
    assert [int(name) for name in order[5:10]] == fact["substitutes"]


def test_only_what_was_drawn_is_counted_once_and_in_order(standing: Grove) -> None:
    found = drawn(standing, 3)
    assert found.draw is not None
    first, substitutes = found.draw.chosen[0], found.draw.substitutes
    actions.count(standing.surveyor, found.id, first, 0)
    with refused("survey.counted"):
        actions.count(standing.surveyor, found.id, first, 0)
    with refused("survey.order"):
        actions.count(standing.surveyor, found.id, substitutes[1], 0)
    with refused("survey.not-drawn"):
        actions.count(standing.surveyor, found.id, 99, 0)
    with refused("survey.alive"):
        actions.count(standing.surveyor, found.id, found.draw.chosen[1], 99)
    for wrong in ("thick", "1 2 3", "-1", "1e9", "inf"):
        with refused("survey.diameters"):
            actions.count(standing.surveyor, found.id, found.draw.chosen[1], 2, wrong)
    with refused("survey.incomplete"):
        actions.finish(standing.surveyor, found.id)
    actions.count(standing.surveyor, found.id, substitutes[0], 1)
    actions.count(standing.surveyor, found.id, found.draw.chosen[1], 1)
    with refused("survey.enough"):
        actions.count(standing.surveyor, found.id, found.draw.chosen[2], 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM forest_count")
        assert cursor.fetchone() == (3,)


def test_whoever_planted_does_not_count(standing: Grove) -> None:
    found = drawn(standing)
    people.grant_role(standing.officer, people.STEWARD)
    with pytest.raises(NotAllowed, match=r"survey\.own"):
        actions.count(standing.officer, found.id, found.draw.chosen[0], 1)  # type: ignore[union-attr]
    with pytest.raises(NotAllowed):
        actions.count(standing.person, found.id, found.draw.chosen[0], 1)  # type: ignore[union-attr]


@pytest.mark.parametrize(("wanted", "code"), [(2, "survey.wanted"), (99, "survey.wanted")])
def test_a_survey_is_refused(standing: Grove, wanted: int, code: str) -> None:
    with pytest.raises(Invalid, match=code.replace(".", r"\.")):
        actions.commit(standing.steward, "CF1", wanted)


def test_nothing_planted_is_nothing_to_survey(grove: Grove) -> None:
    grove.contract()
    with refused("survey.unplanted"):
        actions.commit(grove.steward, "CF1", 3)


def test_a_kept_promise_owes_nothing(standing: Grove) -> None:
    found = counted(standing, 0.9)
    outcome = found.outcome
    assert outcome is not None and (outcome.replant, outcome.counted, outcome.due) == (0, 1000, None)
    by_engine = estimate(
        [Count(str(c.subplot), c.planted, c.alive) for c in found.counts],
        population={"": found.draw.population},  # type: ignore[union-attr]
    )
    assert outcome.low == int(by_engine.low * 10**6) and outcome.survival == int(by_engine.survival * 10**6)
    five = numbers.of_plot(1)
    assert (five.planted, five.verified, five.alive) == (300, 300, 300 * outcome.low // 10**6)
    with refused("survey.over"):
        actions.finish(standing.surveyor, found.id)
    run_due()
    assert not inbox(standing.officer) and not inbox(standing.person)


def test_too_few_alive_is_a_duty_and_certificates_count_in_part_until_it_is_met(standing: Grove) -> None:
    found = counted(standing, 0.5)
    outcome = found.outcome
    assert outcome is not None and 55 <= outcome.replant <= 65 and outcome.counted < 1000
    assert outcome.due == (NOW + rules.REPLANT_WITHIN).date()
    tree = trees.Trees([standing.person.id])[0]
    assert (tree.state, tree.counted) == (State.DISCOUNTED, outcome.counted)
    run_due()
    assert [m.kind for m in inbox(standing.officer)] == ["forest.replanting"]
    assert [m.kind for m in inbox(standing.person)] == ["forest.discounted"]
    plantings.replant(standing.officer, "CF1", 1, 30, TODAY)
    assert plots.plot("CF1").standing.owed == outcome.replant - 30
    with refused("planting.known"):
        plantings.replant(standing.officer, "CF1", 30, 40, TODAY)
    assert trees.Trees([standing.person.id])[0].state is State.DISCOUNTED
    plantings.replant(standing.officer, "CF1", 31, outcome.replant, TODAY)
    after = trees.Trees([standing.person.id])[0]
    assert (after.state, after.counted) == (State.VERIFIED, 1000)
    assert numbers.of_plot(1).planted == 300  # a replanted tree is no second tree
    assert numbers.of_plot(1).alive == outcome.alive  # and alive only when counted again
    kinds = [each.kind for each in record(1)]
    assert kinds.count("owed") == 1 and kinds.count("replanted") == 2
    assert [step.done for step in chain(after, 1)][-1] is False  # this very place has no photograph


def test_a_duty_that_is_not_met_becomes_overdue_once(standing: Grove) -> None:
    counted(standing, 0.5)
    with clock.stopped(NOW + rules.REPLANT_WITHIN):
        assert actions.note_overdue() == []
    with clock.stopped(NOW + rules.REPLANT_WITHIN + DAY):
        (late,) = actions.note_overdue()
        assert late.plot == "CF1" and actions.note_overdue() == []
    assert [each.kind for each in record(1)][-1] == "overdue"


def test_the_newest_survey_speaks(standing: Grove) -> None:
    counted(standing, 0.5)
    with clock.stopped(NOW + 30 * DAY):
        better = counted(standing, 0.95)
    assert better.outcome is not None and plots.plot("CF1").standing.owed == 0
    assert numbers.of_plot(1).alive == better.outcome.alive


def test_what_is_stored_is_apart_from_what_is_promised(grove: Grove) -> None:
    season = "2026A-pine"
    plot_actions.open_season(grove.steward, "2026A", "pine", NOW - DAY, NOW + DAY)
    grove.contract(season=season)
    grove.fund()
    give_energy(grove.person.id, 146_210)
    certificates.ask(grove.person, season, "a")
    plantings.plant(grove.officer, "CF1", 1, 300, TODAY)
    assert stock.stock(plots.plot("CF1")).stored is None
    counted(grove, 0.9, 4, diameters="2.0 10.0")
    found = stock.stock(plots.plot("CF1"))
    alive = numbers.of_plot(1).alive
    assert (found.measured, found.unsaid) == (8, 4)  # 2 cm lies below the equation's range
    assert found.per_tree == pytest.approx(35.34 / 2, abs=0.01) and found.stored == int(35.343 / 2 * alive)
    assert found.promised == 146 and found.grown_at == pytest.approx(17.3, abs=0.05)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO forest_count SELECT survey, 99, 1, 1, '{}', by, at FROM forest_count LIMIT 1",
        "INSERT INTO forest_count SELECT survey, 1, 1, 2, '{}', by, at FROM forest_count LIMIT 1",
        "UPDATE forest_count SET alive = planted",
        "UPDATE forest_survey SET wanted = 3",
        "UPDATE forest_draw SET chosen = '{1,2,3}'",
        "UPDATE forest_outcome SET low = survival",
        "DELETE FROM forest_outcome",
        "INSERT INTO forest_survey SELECT gen_random_uuid(), plot, sha256('x'), sha256('y'), 3, by, at"
        " FROM forest_survey",
    ],
)
def test_the_database_keeps_surveys(standing: Grove, statement: str) -> None:
    counted(standing, 0.5)
    raw_refused(statement)


def test_the_doors_of_a_survey(client: Client, standing: Grove) -> None:
    client.force_login(standing.steward.login)
    begun = client.post("/zh/forest/plots/CF1/survey/", {"wanted": "3"})
    assert begun.status_code == 303
    page = begun["Location"]
    assert page in client.get("/zh/forest/console/").content.decode()
    assert client.post(page, {"word": "draw"}).status_code == 503
    into_the_log()
    assert client.post(page, {"word": "draw"}).status_code == 303
    id = uuid.UUID(page.rstrip("/").rpartition("/")[2])
    for n, subplot in enumerate(queries.survey(id).draw.chosen):  # type: ignore[union-attr]
        form = {"word": "count", "subplot": str(subplot), "alive": str(5 + n), "diameters": "5.5"}
        assert client.post(page, form | {"alive": "-1"}).status_code == 422
        assert client.post(page, form).status_code == 303
    assert client.post(page, {"word": "else"}).status_code == 422
    assert client.post(page, {"word": "finish"}).status_code == 303
    client.logout()
    assert client.post(page, {"word": "finish"}).status_code in (303, 401)
    for language in ("en", "zh"):
        shown = client.get(page.replace("/zh/", f"/{language}/")).content.decode()
        assert shown.count("<h1") == 1 and queries.survey(id).draw.seed.hex() in shown  # type: ignore[union-attr]
        assert client.get(f"/{language}/forest/plots/CF1/").status_code == 200
    said = client.get(f"/api/v1/forest/surveys/{id}").json()
    assert said["outcome"]["planted"] == 300 and len(said["counts"]) == 3
    assert client.get(f"/api/v1/forest/surveys/{uuid.uuid4()}").status_code == 404


def test_the_planner_answers(client: Client, db: None) -> None:
    page = client.get("/en/forest/planner/?survival=80&correlation=0.1&trees=49&error=10&population=61")
    assert page.status_code == 200 and "sub-plots</strong>" in page.content.decode()
    assert client.get("/zh/forest/planner/").status_code == 200
    for wrong in ("survival=nan", "survival=0", "trees=x", "correlation=7", "error=-1", "survival=1e999"):
        assert client.get(f"/en/forest/planner/?{wrong}").status_code == 422


def test_the_draw_follows_the_root_that_nobody_chose() -> None:
    dice = random.Random(1)
    seed = dice.randbytes(32)
    seeds = {rules.drawing_seed(seed, dice.randbytes(32)) for _ in range(100)}
    assert len(seeds) == 100 and timedelta(days=365) == rules.REPLANT_WITHIN
