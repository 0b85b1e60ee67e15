from __future__ import annotations

import json
import random
import statistics
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Refusal
from commonweal.kernel.parties import people
from commonweal.services.forest.actions import gardens, study
from commonweal.services.forest.queries import gardens as garden_queries
from commonweal.services.forest.queries import study as queries
from commonweal.services.forest.queries.holdings import held
from commonweal.services.forest.rules.study import Design, arm, commitment, effect
from commonweal.services.forest.tests.conftest import DAY, NOW, Forest, signed_in, somebody

DESIGN = Design("test-2026", NOW + DAY, NOW + 8 * DAY, 2, 500, 2)


@given(st.binary(min_size=32, max_size=32), st.integers(1, 500))
def test_assignment_is_by_the_seed_and_of_the_stated_share(seed: bytes, waiting: int) -> None:
    people_ = [uuid.UUID(int=n) for n in range(400)]
    share = sum(arm(seed, each, waiting) == "waiting" for each in people_) / len(people_)
    assert abs(share - waiting / 1000) < 0.14  # more than five standard deviations
    assert [arm(seed, each, waiting) for each in people_] == [arm(seed, each, waiting) for each in people_]


def test_the_interval_is_welchs() -> None:
    """Against a worked example: two samples, their Welch interval reckoned by hand from the textbook's formula."""
    opened, waiting = [8, 10, 12, 14, 9, 11], [6, 7, 9, 5, 8, 7]
    found = effect(Design("x", NOW, NOW + DAY, 1, 500, 2), opened, waiting)
    assert found is not None
    a, b = statistics.variance(opened) / 6, statistics.variance(waiting) / 6
    freedom = (a + b) ** 2 / (a**2 / 5 + b**2 / 5)
    assert int(freedom) == 8
    half = 2.306 * (a + b) ** 0.5  # t(0.975, 8)
    assert found.difference == pytest.approx(statistics.mean(opened) - statistics.mean(waiting))
    assert found.low == pytest.approx(found.difference - half, abs=1e-3)
    assert found.high == pytest.approx(found.difference + half, abs=1e-3)
    assert found.clear


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    dice, design, covered = random.Random(5), Design("x", NOW, NOW + DAY, 1, 500, 2), 0
    for _ in range(600):
        opened = [sum(dice.random() < 0.45 for _ in range(7)) for _ in range(60)]
        waiting = [sum(dice.random() < 0.40 for _ in range(7)) for _ in range(25)]
        found = effect(design, opened, waiting)
        covered += found is not None and found.low <= 0.35 <= found.high
    assert 0.92 <= covered / 600 <= 0.98


@pytest.mark.parametrize(("opened", "waiting"), [([], []), ([1, 2, 3], [4]), ([1], [2, 3, 4])])
def test_too_few_people_are_no_result(opened: list[int], waiting: list[int]) -> None:
    assert effect(DESIGN, opened, waiting) is None


def test_a_study_from_its_registration_to_its_result(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    study.register(f.steward, DESIGN)
    found = queries.study(DESIGN.key)
    assert found is not None
    for wrong, code in (
        (Design("late", NOW - DAY, NOW + DAY, 2, 500, 2), "study.begun"),
        (DESIGN, "study.known"),
    ):
        with pytest.raises(Refusal) as refusal:
            study.register(f.steward, wrong)
        assert refusal.value.code == code
    with pytest.raises(Refusal, match=r"study\.none"):
        study.join(f.li)
    crowd = [somebody(f"p{n}@forest.example") for n in range(12)]
    with clock.stopped(NOW + 2 * DAY):
        groups = {person.id: study.join(person) for person in crowd}
        assert {person.id: study.join(person) for person in crowd} == groups
        assert groups == {person.id: arm(found.seed, person.id, 500) for person in crowd}
        assert people.consented(crowd[0], "forest.study", DESIGN.key)
        study.leave(crowd[0])
        assert sum(queries.counts(DESIGN.key).values()) == 11
        page = signed_in(crowd[1]).get("/en/forest/effect/").content.decode()
        assert "Not yet enough data" in page and commitment(found.seed) in page and found.seed.hex() not in page
        with pytest.raises(Refusal, match=r"study\.running"):
            study.conclude(DESIGN.key)
    with clock.stopped(NOW + 30 * DAY):
        assert (study.conclude(DESIGN.key), study.conclude(DESIGN.key)) == (True, False)
        after = queries.study(DESIGN.key)
        assert after is not None and after.result is not None
        assert after.result["seed"] == found.seed.hex() and after.result["difference_per_mille"] == 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT entry FROM proof_staged WHERE id = %s", [after.result_fact])
            assert json.loads(bytes(cursor.fetchone()[0]))["word"] == "concluded"
        assert "no effect has been shown" in signed_in(f.li).get("/en/forest/effect/").content.decode()


def test_only_what_operators_recorded_in_the_window_counts(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    study.register(f.steward, DESIGN)
    joined = NOW + 2 * DAY
    with clock.stopped(joined):
        group = study.join(f.li)
    at = [joined - timedelta(seconds=1), joined, joined + 13 * DAY, joined + 14 * DAY]
    f.partner.send([f.ride(f"e{n}", f.li, at=moment) for n, moment in enumerate(at)], joined + 15 * DAY)
    f.partner.send([f.ride("paper", f.li, at=at[1], kind="paperless")], joined + 15 * DAY)
    assert queries.trips(DESIGN.key)[group == "waiting"] == [2]


def test_who_waits_loses_nothing(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    study.register(f.steward, DESIGN)
    found = queries.study(DESIGN.key)
    assert found is not None
    with clock.stopped(NOW + 2 * DAY), connection.cursor() as cursor:
        cursor.execute("INSERT INTO forest_participant VALUES (%s, %s, %s, true)", [DESIGN.key, f.li.id, clock.now()])
        f.partner.send([f.ride("a", f.li, at=NOW + 2 * DAY)], NOW + 2 * DAY)
    with clock.stopped(NOW + 3 * DAY + timedelta(minutes=1)):
        assert not garden_queries.garden(f.li.id).lets_in(clock.now())
        page = signed_in(f.li).get("/en/forest/energy/").content.decode()
        assert "the lot said: wait" in page and 'name="bubble"' not in page
        assert study.keep_for_waiting() == 1
        assert held(f.li.id) == 418
        study.leave(f.li)
        assert garden_queries.garden(f.li.id).lets_in(clock.now())
        assert gardens.harvest(f.li) == 0
