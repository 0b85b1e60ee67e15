from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel.errors import Invalid
from commonweal.services.forest.survey import Count, commitment, draw, estimate, opens, plan, read_counts
from commonweal.services.forest.survey.estimate import wilson
from commonweal.services.forest.survey.students import quantile

SEED = 20260504


def site(rng: random.Random, survival: float, correlation: float, subplots: int = 400, trees: int = 50) -> list[Count]:
    """A simulated plantation: the chance of a sub-plot is beta distributed, so that its trees share their fate."""
    counts = []
    for name in range(subplots):
        chance = survival
        if correlation:
            spread = 1 / correlation - 1
            chance = rng.betavariate(survival * spread, (1 - survival) * spread)
        counts.append(Count(str(name), trees, sum(rng.random() < chance for _ in range(trees))))
    return counts


@pytest.mark.parametrize(
    ("confidence", "df", "t"), [(0.95, 1, 12.7062), (0.95, 29, 2.04523), (0.90, 10, 1.81246), (0.95, 5000, 1.95996)]
)
def test_student(confidence: float, df: int, t: float) -> None:
    assert quantile(confidence, df) == pytest.approx(t, abs=1e-5)


@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.3])
def test_the_interval_covers_what_it_says(correlation: float) -> None:
    rng = random.Random(SEED)
    hits = naive = trials = 0
    for _ in range(6):
        trees = site(rng, 0.85, correlation)
        true = sum(c.alive for c in trees) / (400 * 50)
        for _ in range(100):
            found = estimate(rng.sample(trees, 30), population={"": 400})
            low, high = wilson(found.alive, found.planted)
            hits += found.low <= true <= found.high
            naive += low <= true <= high
            trials += 1
    assert 0.925 <= hits / trials <= 0.975  # 0.95 +- 2.8 standard errors of 600 trials
    if correlation >= 0.1:
        assert naive / trials < 0.75


def test_everything_counted_leaves_no_doubt() -> None:
    found = estimate([Count("a", 10, 10), Count("b", 10, 10), Count("c", 10, 10)], population={"": 3})
    assert (found.low, found.survival, found.high) == (1, 1, 1)


def test_a_survey_without_a_death_still_has_an_interval() -> None:
    found = estimate([Count(str(i), 50, 50) for i in range(30)])
    assert found.survival == found.high == 1 and 0.85 < found.low < 0.9
    dead = estimate([Count(str(i), 50, 0) for i in range(30)])
    assert dead.survival == dead.low == 0 < dead.high


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 1)), min_size=3, max_size=40))
def test_an_estimate_lies_within_its_interval(found: list[tuple[int, float]]) -> None:
    counts = [Count(str(i), planted, int(planted * share)) for i, (planted, share) in enumerate(found)]
    result = estimate(counts)
    assert 0 <= result.low <= result.survival <= result.high <= 1
    assert 0 <= result.correlation <= 1
    assert result.alive_of(1000) <= 1000 * result.survival + 1e-9


def test_strata_weigh_by_what_was_planted() -> None:
    good = [Count(f"g{i}", 50, 45 + i % 2, "good") for i in range(10)]
    bad = [Count(f"b{i}", 50, 10 + i % 2, "bad") for i in range(10)]
    found = estimate(good + bad, population={"good": 300, "bad": 100})
    assert found.survival == pytest.approx(0.75 * 0.91 + 0.25 * 0.21)


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        ([], "survey.few"),
        ([Count("a", 5, 5), Count("b", 5, 5)], "survey.few"),
        ([Count("a", 5, 6), Count("b", 5, 5), Count("c", 5, 5)], "survey.count"),
        ([Count("a", 0, 0), Count("b", 5, 5), Count("c", 5, 5)], "survey.count"),
        ([Count("a", 5, 5), Count("a", 5, 5), Count("c", 5, 5)], "survey.twice"),
        ([Count("a", 5, -1), Count("b", 5, 5), Count("c", 5, 5)], "survey.count"),
    ],
)
def test_impossible_counts_are_refused(counts: list[Count], code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        estimate(counts)
    assert refusal.value.code == code


def test_more_sub_plots_than_there_are() -> None:
    with pytest.raises(Invalid, match=r"survey\.population"):
        estimate([Count(str(i), 5, 4) for i in range(4)], population={"": 3})


def test_nobody_chooses_the_nice_sub_plots() -> None:
    names, seed = [f"S{i}" for i in range(400)], b"sixteen bytes or more"
    drawn = draw(names, 30, seed)
    assert drawn == draw(list(reversed(names)), 30, seed)
    assert len({*drawn.chosen, *drawn.substitutes}) == 35
    assert opens(commitment(seed), seed) and not opens(commitment(seed), b"sixteen bytes of another")
    with pytest.raises(ValueError, match="16 bytes"):
        commitment(b"short")
    with pytest.raises(ValueError, match="twice"):
        draw(["a", "a"], 1, seed)
    with pytest.raises(ValueError, match="cannot be drawn"):
        draw(["a"], 2, seed)


def test_every_sub_plot_is_as_likely() -> None:
    names = [str(i) for i in range(20)]
    times = dict.fromkeys(names, 0)
    for i in range(2000):
        for name in draw(names, 5, i.to_bytes(16, "big")).chosen:
            times[name] += 1
    assert all(400 < count < 600 for count in times.values())  # 500 expected, standard deviation 19


def test_the_planner_is_right() -> None:
    """Sites surveyed as planned reach 20 % at 90 % confidence in at least 88 of 100."""
    rng = random.Random(SEED)
    right = 0
    for _ in range(100):
        trees = site(rng, 0.6, 0.2, subplots=200, trees=30)
        wanted = plan(survival=0.6, correlation=0.2, trees=30, population=200).subplots
        right += estimate(rng.sample(trees, wanted), population={"": 200}).relative_error <= 0.20
    assert right >= 88


def test_the_planner_takes_all_if_it_must() -> None:
    assert plan(survival=0.01, correlation=1, trees=10, population=8).subplots == 8
    with pytest.raises(ValueError, match="survival"):
        plan(survival=0, correlation=0.1, trees=10)
    assert math.isclose(plan(survival=1, correlation=0, trees=10).relative_error, 0)


def test_reading_counts() -> None:
    assert read_counts("\ufeffsubplot,planted,alive\nA,50,40\n") == [Count("A", 50, 40)]
    for text in ("", "a,b\n", "subplot,planted,alive\nA,50\n", "subplot,planted,alive\nA,many,3\n"):
        with pytest.raises(Invalid, match=r"survey\.file"):
            read_counts(text)
