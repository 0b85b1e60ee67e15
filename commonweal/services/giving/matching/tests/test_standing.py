"""What a form says of the next gift: the engine itself, counting with and without it, is the judge."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.services.giving.matching import (
    Caps,
    Crowd,
    Estimate,
    Extra,
    Gift,
    OnePlusX,
    PairwiseButerin,
    PairwiseGitcoin,
    Pool,
    Proportional,
    ProRata,
    Quadratic,
    Standing,
    in_line,
    match,
)
from commonweal.services.giving.matching.shares import Apart
from commonweal.services.giving.matching.tests.pools import (
    AFTER_CLOSE,
    CHARITY,
    LOTS,
    NINE,
    caps_for,
    gift,
    gifts,
    pool,
)
from commonweal.services.giving.matching.tests.test_schemes import by_project


def standing(made: Pool, given_: list[Gift], at: Any) -> Standing:
    """As `queries.estimates` makes it: sums of givers by slice and project."""
    last = made.slice_at(at) or 0
    totals: Any = [defaultdict(Counter) for _ in range(last + 1)]
    for each in given_:
        number = made.slice_at(each.at)
        if number is not None and number <= last and each.counts > 0:
            totals[number][each.project][each.donor] += each.counts
    scheme: Any = made.scheme
    crowds = []
    for of in totals:
        people = {project: Counter(theirs.values()) for project, theirs in of.items()}
        weights = (
            scheme.scaled({project: scheme.weight(theirs) for project, theirs in people.items()})
            if isinstance(scheme, Apart)
            else scheme.weigh(of)
        )
        crowds.append(Crowd(weights, people))
    return Standing(made, scheme, crowds, CHARITY)


def counted(made: Pool, given_: list[Gift], project: str) -> int:
    return by_project(match(made, given_)).get(project, 0)


@given(st.sampled_from(AFTER_CLOSE), gifts(), st.data())
def test_what_is_said_is_what_comes_if_nobody_follows(scheme: Any, rows: list[Gift], data: Any) -> None:
    made = pool(scheme, data.draw(st.integers(5, 500_000)), hours=3, caps=data.draw(caps_for(scheme)))
    at = NINE + timedelta(minutes=data.draw(st.integers(0, 179)))
    rows = [each for each in rows if each.at <= at]
    donor, project = data.draw(st.sampled_from("tuvwxyz")), data.draw(st.sampled_from("abcd"))
    if isinstance(scheme, PairwiseButerin | PairwiseGitcoin):
        rows = [each for each in rows if each.donor != donor]  # what they share elsewhere is not looked up
    before = sum(
        each.counts
        for each in rows
        if (each.donor, each.project) == (donor, project)
        and made.slice_at(each.at) == made.slice_at(at)
        and each.counts > 0
    )
    amount = data.draw(st.one_of(st.integers(1, 50), st.integers(1, 50_000)))
    said = standing(made, rows, at).estimate(project, before, amount)
    added = counted(made, [*rows, gift(999, amount, project, donor, at=at)], project) - counted(made, rows, project)
    assert said.now == max(added, 0)
    assert said.most is not None and said.least <= said.now <= said.most


@given(st.sampled_from(AFTER_CLOSE), gifts(), gifts(8), st.data())
def test_no_gift_of_others_lifts_it_above_the_bound(
    scheme: Any, rows: list[Gift], later: list[Gift], data: Any
) -> None:
    cap = data.draw(st.none() | st.integers(1, 100_000))
    made = pool(scheme, data.draw(st.integers(5, 500_000)), caps=Caps(project=cap))
    rows = [each for each in rows if made.slice_at(each.at) == 0 and each.counts > 0]
    mine = gift(999, data.draw(st.integers(1, 50_000)), data.draw(st.sampled_from("abcd")), "somebody new")
    said = standing(made, rows, made.opens).estimate(mine.project, 0, mine.amount)
    follow = [gift(2_000 + n, each.amount, each.project, f"later {each.donor}") for n, each in enumerate(later)]
    added = counted(made, [*rows, mine, *follow], mine.project) - counted(made, [*rows, *follow], mine.project)
    assert said.most is not None and added <= said.most


def test_a_campaign_that_has_its_pool_for_itself_is_told_that_a_gift_adds_nothing() -> None:
    """It gets the whole pool whatever is given; only what others get can make a gift count."""
    made = pool(ProRata(), 10_000)
    assert standing(made, [gift(1, 500)], NINE).estimate("a", 0, 500).now == 0
    assert standing(made, [], NINE).estimate("a", 0, 500).now == 10_000


def test_what_one_giver_counts_for_is_full_before_the_gift() -> None:
    made = pool(ProRata(donor_most=1_000), 10_000)
    rows = [gift(1, 1_000, donor="t"), gift(2, 1_000, "c")]
    assert standing(made, rows, NINE).estimate("a", 1_000, 500) == Estimate(0, 0, 0, ProRata.note)
    assert standing(made, rows, NINE).estimate("a", 0, 500).now == 1_000


@pytest.mark.parametrize("scheme", [Quadratic(), PairwiseButerin(2500, "to-pool")])
def test_the_second_giver_is_the_first_who_counts(scheme: Any) -> None:
    made = pool(scheme, 10_000, caps=Caps(project=4_000))
    said = standing(made, [gift(1, 500)], NINE).estimate("a", 0, 500)
    assert (said.now, said.least, said.most) == (4_000, 0, 4_000)
    assert standing(made, [], NINE).estimate("a", 0, 500).now == 0


def test_in_line_the_room_is_what_the_caps_leave() -> None:
    half = Proportional(Fraction(1, 2))
    assert in_line(pool(half), half, gift(1, 1_000), 0, 300) == Estimate(300, 0, 300, half.note)
    assert in_line(pool(half), half, gift(1, 1_000), 0, 10_000) == Estimate(500, 0, 500, half.note)


def test_a_team_may_still_grow() -> None:
    scheme = OnePlusX(Fraction(1), (Extra(Fraction(1, 2), team_of=3),))
    alone, together = gift(1, 1_000), gift(1, 1_000, team="m")
    assert in_line(pool(scheme), scheme, alone, 0, 10**6).most == 1_000
    said = in_line(pool(scheme), scheme, together, 2, 10**6)
    assert (said.now, said.most) == (1_000, 1_500)
    assert in_line(pool(scheme), scheme, together, 3, 10**6).now == 1_500


def test_of_lots_only_the_bounds_are_known() -> None:
    secret = pool(LOTS, seed=None)
    said = in_line(secret, LOTS, gift(1, 10_000, flowers=99), 0, 10**6)
    assert (said.now, said.least, said.most) == (None, 0, 13_000)
    assert in_line(secret, LOTS, gift(1, 99), 0, 10**6).most == 0
