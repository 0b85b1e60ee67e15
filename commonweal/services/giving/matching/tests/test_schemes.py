"""What every scheme promises, and the oracle values that others have published or measured."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel.errors import Conflict, Invalid
from commonweal.services.giving.matching import (
    SCHEMES,
    Caps,
    Extra,
    Gift,
    OnePlusX,
    PairwiseButerin,
    PairwiseGitcoin,
    Proportional,
    ProRata,
    Quadratic,
    RandomBoost,
    Tally,
    check_opening,
    clawed_back,
    match,
    pool_file,
    reveal,
    teams,
)
from commonweal.services.giving.matching.tests.checker import checked
from commonweal.services.giving.matching.tests.pools import (
    AFTER_CLOSE,
    IN_ORDER,
    LOTS,
    NINE,
    SEED,
    TIERS,
    caps_for,
    gift,
    gifts,
    pool,
)

SCHEMES_TRIED = (*IN_ORDER, *AFTER_CLOSE)
any_scheme = st.sampled_from(SCHEMES_TRIED)
amounts = st.one_of(st.integers(5, 300), st.integers(5, 500_000))


@st.composite
def settled(draw: st.DrawFn, schemes: Any = any_scheme) -> Any:
    scheme = draw(schemes)
    made = pool(scheme, draw(amounts), hours=draw(st.integers(1, 4)), caps=draw(caps_for(scheme)))
    given = draw(gifts())
    return made, given, match(made, given)


def by_project(matches: Any) -> dict[str, int]:
    sums: defaultdict[str, int] = defaultdict(int)
    for made in matches:
        sums[made.project] += made.amount
    return dict(sums)


class TestPromises:
    @given(settled())
    def test_never_above_the_pool_nor_a_cap(self, case: Any) -> None:
        made, given, matches = case
        of = {gift.id: gift for gift in given}
        assert [m.gift for m in matches] == [g.id for g in given]
        assert sum(m.amount for m in matches) <= made.amount
        day: defaultdict[Any, int] = defaultdict(int)
        charity: defaultdict[str, int] = defaultdict(int)
        for m in matches:
            assert m.amount >= 0
            day[of[m.gift].donor, made.day(of[m.gift].at)] += m.amount
            charity[of[m.gift].charity] += m.amount
            if made.unmatched(of[m.gift]):
                assert (m.amount, m.limit) == (0, made.unmatched(of[m.gift]))
            if made.caps.gift is not None:
                assert m.amount <= made.caps.gift
        for cap, sums in (
            (made.caps.donor_day, day),
            (made.caps.charity, charity),
            (made.caps.project, by_project(matches)),
        ):
            assert cap is None or max(sums.values(), default=0) <= cap

    @given(settled())
    def test_no_slice_spends_more_than_has_been_released(self, case: Any) -> None:
        made, given, matches = case
        spent = [0] * len(made.slices)
        for g, m in zip(given, matches, strict=True):
            number = made.slice_at(g.at)
            if number is not None:
                spent[number] += m.amount
        for n in range(len(spent)):
            assert sum(spent[: n + 1]) <= sum(part.amount for part in made.slices[: n + 1])

    @given(settled())
    def test_an_independent_checker_agrees_from_the_file_alone(self, case: Any) -> None:
        made, given, matches = case
        file = pool_file.PoolFile(made, tuple(given), made.due)
        assert checked(json.loads(pool_file.write(file))) == {m.gift: m.amount for m in matches}

    @given(settled(st.sampled_from(AFTER_CLOSE)), st.randoms(use_true_random=False))
    def test_after_the_close_order_does_not_matter(self, case: Any, chance: random.Random) -> None:
        made, given, matches = case
        shuffled = list(given)
        chance.shuffle(shuffled)
        assert set(match(made, shuffled)) == set(matches)

    @given(settled(st.sampled_from(AFTER_CLOSE)), st.data())
    def test_splitting_a_gift_gains_the_project_nothing_after_the_close(self, case: Any, data: Any) -> None:
        made, given, matches = case
        whole = [g for g in given if g.counts > 1 and not g.refunded]
        if not whole:
            return
        g = data.draw(st.sampled_from(whole))
        first = data.draw(st.integers(1, g.amount - 1))
        parts = [replace(g, id="s1", amount=first), replace(g, id="s2", amount=g.amount - first)]
        assert by_project(match(made, [*(x for x in given if x is not g), *parts])) == by_project(matches)

    @given(st.integers(2, 10**6), st.data(), st.sampled_from(["1", "0.5", "0.333333", "2.75"]))
    def test_splitting_gains_nothing_in_proportion_where_a_gift_has_no_cap(
        self, amount: int, data: Any, rate: str
    ) -> None:
        first = data.draw(st.integers(1, amount - 1))
        made = pool(Proportional(Fraction(rate)), 10**8, caps=Caps(donor_day=data.draw(st.integers(1, 10**6))))
        whole = match(made, [gift(1, amount, donor="t")])
        split = match(made, [gift(1, first, donor="t"), gift(2, amount - first, donor="t")])
        assert sum(m.amount for m in split) <= whole[0].amount

    @given(st.sampled_from(AFTER_CLOSE), gifts(), st.data())
    def test_giving_more_never_lowers_what_the_project_gets(self, scheme: Any, given: list[Gift], data: Any) -> None:
        made = pool(scheme, data.draw(amounts), hours=5, caps=Caps(project=data.draw(st.integers(1, 100_000))))
        made = replace(made, slices=(replace(made.slices[0], closes=made.closes, amount=made.amount),))
        taking_part = [g for g in given if made.unmatched(g) is None]
        if not taking_part:
            return
        g = data.draw(st.sampled_from(taking_part))
        more = replace(g, amount=g.amount + data.draw(st.integers(1, 10_000)))
        before, after = (by_project(match(made, rows)) for rows in (given, [more if x is g else x for x in given]))
        assert after[g.project] >= before[g.project]

    @given(settled(st.sampled_from(AFTER_CLOSE[:3])))
    def test_a_pool_without_caps_is_shared_to_the_last_fen(self, case: Any) -> None:
        made, given, _ = case
        made = replace(made, caps=Caps())
        matches = match(made, given)
        last = made.slices[-1]
        if any(made.slice_at(g.at) == len(made.slices) - 1 and g.counts > 0 for g in given) and any(
            m.amount for g, m in zip(given, matches, strict=True) if g.at >= last.opens
        ):
            assert sum(m.amount for m in matches) == made.amount

    @given(settled())
    def test_the_same_twice(self, case: Any) -> None:
        made, given, matches = case
        assert match(made, given) == matches


class TestFirstCome:
    def test_each_limit_is_named(self) -> None:
        made = pool(Proportional(), 1_000, caps=Caps(gift=300, donor_day=500, project=700, charity=800))
        given = [
            gift(1, 400, "a", "t"),  # gift
            gift(2, 300, "a", "t"),  # donor's day: 200 left
            gift(3, 300, "a", "u"),  # project: 200 left
            gift(4, 300, "b", "u"),  # charity: 100 left
            gift(5, 300, "c", "v"),  # pool: 200 left
            gift(6, 10, "d", "w"),
            gift(7, 10, "d", "w", at=NINE - timedelta(seconds=1)),
            gift(8, 10, "d", "w", refunded=10),
            gift(9, 10, "d", "w", withheld="refund-ring"),
        ]
        assert [(m.amount, m.limit) for m in match(made, given)] == [
            (300, "gift"), (200, "donor_day"), (200, "project"), (100, "charity"), (200, "pool"), (0, "pool"),
            (0, "outside"), (0, "refunded"), (0, "withheld"),
        ]  # fmt: skip

    def test_a_burst_drains_its_own_slice_only(self) -> None:
        made = pool(Proportional(), 300, hours=3)
        burst = [gift(n, 100) for n in range(10)]
        later = gift(20, 100, at=NINE + timedelta(hours=1, minutes=5))
        latest = gift(21, 150, at=NINE + timedelta(hours=2, minutes=5))
        amounts = [m.amount for m in match(made, [*burst, later, latest])]
        assert (sum(amounts[:10]), amounts[10], amounts[11]) == (100, 100, 100)

    def test_what_a_slice_leaves_goes_on(self) -> None:
        made = pool(Proportional(), 300, hours=3)
        assert [m.amount for m in match(made, [gift(1, 30), gift(2, 500, at=NINE + timedelta(hours=2))])] == [30, 270]

    def test_a_day_begins_at_midnight_in_the_zone_of_the_pool(self) -> None:
        made = pool(Proportional(), 10_000, hours=24, caps=Caps(donor_day=100))
        midnight = NINE + timedelta(hours=15)
        given = [
            gift(1, 100, donor="t"),
            gift(2, 100, donor="t", at=midnight - timedelta(milliseconds=1)),
            gift(3, 100, donor="t", at=midnight),
        ]
        assert [m.amount for m in match(made, given)] == [100, 0, 100]

    def test_a_refunded_gift_frees_what_it_would_have_taken(self) -> None:
        made = pool(Proportional(), 100)
        given = [gift(1, 100), gift(2, 60)]
        assert [m.amount for m in match(made, given)] == [100, 0]
        assert [m.amount for m in match(made, [replace(given[0], refunded=100), given[1]])] == [0, 60]

    def test_extras_of_project_hour_and_team(self) -> None:
        scheme = OnePlusX(
            Fraction(1),
            (
                Extra(Fraction("0.1"), project="b"),
                Extra(Fraction("0.2"), opens=NINE, closes=NINE + timedelta(minutes=1)),
                Extra(Fraction("0.3"), team_of=2),
            ),
        )
        late = NINE + timedelta(minutes=5)
        given = [
            gift(1, 1000, at=late),
            gift(2, 1000, "b", at=late),
            gift(3, 1000),
            gift(4, 1000, at=late, team="m"),
            gift(5, 1000, at=late, team="m", donor="d4"),
            gift(6, 1000, at=late, team="n"),
            gift(7, 1000, at=late, team="n"),
        ]
        assert [m.amount for m in match(pool(scheme), given)] == [1000, 1100, 1200, 1000, 1000, 1300, 1300]

    def test_the_example_of_2016_lies_between_one_and_x(self) -> None:
        """866 yuan drew over 500 under 1+X: with 0.5 and an extra of 0.1, 519.60."""
        scheme = OnePlusX(Fraction("0.5"), (Extra(Fraction("0.1")),))
        assert match(pool(scheme), [gift(1, 86_600)])[0].amount == 51_960

    def test_one_fen_at_half_a_rate_gives_nothing_and_loses_nothing(self) -> None:
        made = pool(Proportional(Fraction(1, 2)), 1000)
        assert [m.amount for m in match(made, [gift(n, 1) for n in range(3)])] == [0, 0, 0]


class TestLots:
    @pytest.mark.parametrize(("raw", "paid"), [(99_899, 99_899), (99_900, 99_900), (99_901, 99_900)])
    def test_998_99_and_999_00_are_paid_and_999_01_is_999_00(self, raw: int, paid: int) -> None:
        """The boost of the day's second gift is what brings the day to the edge."""
        certain = replace(LOTS, chance=Fraction(1), rate=Fraction(100))
        made = pool(certain, 10**9)
        last = gift(2, 1000, donor="t", flowers=99)
        base, boosted = certain.wish(made, replace(last, flowers=0), 0), certain.wish(made, last, 0)
        assert 0 < base < boosted < raw
        tally = Tally(made)
        first = tally.take(gift(1, 1000, donor="t"), raw - boosted)
        assert first.amount == raw - boosted
        then = tally.take(last, boosted)
        assert first.amount + then.amount == paid
        assert then.limit == ("donor_day" if raw > paid else None)
        assert tally.take(gift(3, 1000, donor="t"), 1).amount == (raw < 99_900)

    @pytest.mark.parametrize("cap", [1, 99_899, 99_900])
    def test_no_luck_passes_the_cap_of_a_day(self, cap: int) -> None:
        certain = replace(LOTS, chance=Fraction(1), rate=Fraction(1000))
        made = pool(certain, 10**9, caps=Caps(donor_day=cap))
        matches = match(made, [gift(n, 99_900, donor="t", flowers=99) for n in range(5)])
        assert [m.amount for m in matches] == [cap, 0, 0, 0, 0]

    def test_a_cap_above_999_yuan_is_refused(self) -> None:
        with pytest.raises(Invalid, match=r"pool\.donor-day"):
            match(pool(LOTS, caps=Caps(donor_day=99_901)), [])
        with pytest.raises(Invalid, match=r"pool\.donor-day"):
            match(pool(LOTS, caps=Caps(gift=1)), [])

    def test_lots_are_fair_and_small_gifts_take_no_part(self) -> None:
        made = pool(LOTS, 10**9)
        matches = match(made, [gift(n, 1000) for n in range(3500)])
        won = [m.amount for m in matches if m.amount]
        assert 0.46 < len(won) / 3500 < 0.54
        assert 480 < sum(won) / len(won) < 520
        assert max(won) < 1000
        assert match(made, [gift(1, 99)])[0].amount == 0

    @given(st.integers(0, 400), st.integers(100, 99_900))
    def test_flowers_add_what_their_tier_says(self, flowers: int, amount: int) -> None:
        made = pool(replace(LOTS, chance=Fraction(1)), 10**9)
        base = made.scheme.wish(made, gift(1, amount), 0)  # type: ignore[attr-defined]
        boosted = made.scheme.wish(made, gift(1, amount, flowers=flowers), 0)  # type: ignore[attr-defined]
        low, high = next((t.low, t.high) for t in reversed(TIERS) if t.flowers <= flowers)
        assert base + int(base * low) <= boosted <= base + int(base * high)

    def test_without_the_seed_nothing_can_be_drawn(self) -> None:
        secret = pool(LOTS, seed=None)
        with pytest.raises(Conflict, match=r"seed\.missing"):
            match(secret, [gift(1, 100)])

    def test_the_seed_opens_after_the_close_and_must_be_the_one(self) -> None:
        secret = pool(LOTS, seed=None)
        with pytest.raises(Conflict, match=r"seed\.early"):
            reveal(secret, SEED, secret.closes - timedelta(milliseconds=1))
        with pytest.raises(Invalid, match=r"seed\.mismatch"):
            reveal(secret, bytes(32), secret.closes)
        assert reveal(secret, SEED, secret.closes).seed == SEED

    def test_the_published_tiers_end_where_the_source_does(self) -> None:
        assert [tier.flowers for tier in TIERS[:3]] == [0, 39, 99]
        with pytest.raises(Invalid, match=r"scheme\.lots"):
            RandomBoost(Fraction(1, 2), Fraction(1), TIERS[1:])


class TestOracles:
    def test_gitcoins_own_example(self) -> None:
        """Projects 4 and 5 of its repository, M = 25, pot 5,000: 220.5941806408241 and 351.4058193591759."""
        rows = {
            "a": [("1", 10), ("2", 5), ("2", 10), ("3", 7), ("5", 5), ("4", 10), ("5", 5), ("5", 5)],
            "b": [("1", 10), ("1", 5), ("2", 20), ("3", 3), ("8", 2), ("9", 10), ("7", 7), ("2", 5)],
        }
        given = [
            gift(10 * n + k, yuan * 100, project, donor)
            for n, (project, theirs) in enumerate(rows.items())
            for k, (donor, yuan) in enumerate(theirs)
        ]
        scheme = PairwiseGitcoin(2500)
        counting = scheme.begin(pool(scheme, 500_000))
        for g in given:
            counting.add(g)
        weights = scheme.weigh(counting._given[0]).of  # type: ignore[attr-defined]
        exact = [Fraction(weights[p], 100 << 64) for p in "ab"]
        published = Fraction("220.5941806408241"), Fraction("351.4058193591759")
        assert all(abs(a - b) < Fraction(2, 10**13) for a, b in zip(exact, published, strict=True)), "floats of 1e-13"
        assert by_project(counting.settle()) == {"a": 22_059, "b": 35_141}

    def test_quadratic(self) -> None:
        """[1, 4] and [9, 16], pool 50: raw 4 and 24, so 7.142857 and 42.857143."""
        given = [gift(1, 100), gift(2, 400), gift(3, 900, "b"), gift(4, 1600, "b")]
        assert by_project(match(pool(Quadratic("to-pool"), 5000), given)) == {"a": 714, "b": 4286}
        assert by_project(match(pool(Quadratic("down-only"), 5000), given)) == {"a": 400, "b": 2400}

    def test_quadratic_to_six_places(self) -> None:
        """The same in millionths: 7.142857 and 42.857143, as they were published."""
        unit, given = 10**6, [(1, "a"), (4, "a"), (9, "b"), (16, "b")]
        rows = [gift(n, yuan * unit, project) for n, (yuan, project) in enumerate(given)]
        scheme = Quadratic("to-pool")
        raw = scheme.weigh({"a": {"1": 1, "2": 4}, "b": {"3": 9, "4": 16}}).of
        assert {project: weight >> 128 for project, weight in raw.items()} == {"a": 4, "b": 24}
        assert by_project(match(pool(scheme, 50 * unit, exponent=6), rows)) == {"a": 7_142_857, "b": 42_857_143}

    @given(
        st.lists(st.tuples(st.integers(1, 5_000), st.integers(1, 400)), min_size=1, max_size=4), st.integers(1, 1_000)
    )
    def test_water_filling_is_the_one_level_that_fits(self, projects: list[tuple[int, int]], amount: int) -> None:
        """Brute force over which projects are full: the rest have one level, no full one would get less by it."""
        names = "abcd"[: len(projects)]
        given = [gift(n, weight, names[n], charity=names[n]) for n, (weight, _) in enumerate(projects)]
        cap = projects[0][1]
        got = by_project(match(pool(ProRata(), amount, caps=Caps(project=cap)), given))
        weights = dict(zip(names, (weight for weight, _ in projects), strict=True))
        if cap * len(names) <= amount:
            assert got == dict.fromkeys(names, cap)
            return
        levels = []
        for full in (set(some) for n in range(len(names)) for some in combinations(names, n)):
            rest = sum(weights[name] for name in names if name not in full)
            level = Fraction(amount - cap * len(full), rest)
            if level >= 0 and all((weights[name] * level >= cap) == (name in full) for name in names):
                levels.append(level)
        (level,) = set(levels) or {Fraction(cap, min(weights.values()))}
        assert sum(got.values()) == amount
        for name in names:
            assert abs(got[name] - min(Fraction(cap), weights[name] * level)) < 1

    def test_buterins_bound(self) -> None:
        """One pair, sqrt(4 * 9) = 6 yuan together: 6 * 25 / (25 + 6) = 4.838709..."""
        given = [gift(1, 400), gift(2, 900)]
        assert by_project(match(pool(PairwiseButerin(2500)), given)) == {"a": 484}

    def test_a_capped_project_gives_the_rest_to_the_others(self) -> None:
        given = [gift(1, 600), gift(2, 300, "c"), gift(3, 100, "d")]
        assert by_project(match(pool(ProRata(), 1000, caps=Caps(project=500)), given)) == {"a": 500, "c": 375, "d": 125}
        assert by_project(match(pool(ProRata(), 1000, caps=Caps(project=400)), given)) == {"a": 400, "c": 400, "d": 200}
        assert by_project(match(pool(ProRata(), 1000, caps=Caps(project=300)), given)) == {"a": 300, "c": 300, "d": 300}

    def test_the_odd_fen_goes_to_the_first_project(self) -> None:
        given = [gift(1, 100, "c"), gift(2, 100, "a"), gift(3, 100, "d")]
        assert by_project(match(pool(ProRata(), 100), given)) == {"a": 34, "c": 33, "d": 33}

    def test_bots_gain_nothing_by_being_first_or_many(self) -> None:
        honest = [gift(n, 1000, "a", at=NINE + timedelta(minutes=30)) for n in range(5)]
        bots = [gift(100 + n, 10, "b", "bot") for n in range(500)]
        shares = by_project(match(pool(ProRata(donor_most=1000), 6000), [*bots, *honest]))
        assert shares == {"a": 5000, "b": 1000}

    def test_a_single_giver_earns_no_quadratic_match(self) -> None:
        given = [gift(1, 12_345), gift(2, 100, "b"), gift(3, 100, "b")]
        assert by_project(match(pool(Quadratic("to-pool"), 100), given)) == {"a": 0, "b": 100}


class TestWords:
    def test_every_scheme_explains_itself(self) -> None:
        for scheme in SCHEMES:
            assert scheme.title.zh != scheme.title.en
            assert scheme.explanation.zh
        assert SCHEMES[0] is ProRata


class TestBadInput:
    def test_a_pool_opened_in_the_past(self) -> None:
        made = pool(ProRata())
        check_opening(made, NINE - timedelta(milliseconds=1))
        with pytest.raises(Conflict, match=r"pool\.opens-in-the-past"):
            check_opening(made, NINE)

    def test_a_pool_that_opens_with_its_seed(self) -> None:
        with pytest.raises(Conflict, match=r"seed\.early"):
            check_opening(pool(LOTS), NINE - timedelta(days=1))

    @pytest.mark.parametrize("days", [-1, 0, 6, 16])
    def test_review_of_another_length(self, days: int) -> None:
        with pytest.raises(Invalid, match=r"pool\.review-days"):
            pool(ProRata(), review_days=days)

    def test_due_after_review(self) -> None:
        assert pool(ProRata(), review_days=15).due == NINE + timedelta(hours=1, days=15)

    def test_slices_that_overlap_or_are_empty(self) -> None:
        one = pool(ProRata()).slices[0]
        for slices in ((), (one, one), (replace(one, closes=one.opens),), (replace(one, amount=0),)):
            with pytest.raises(Invalid, match=r"pool\.slices"):
                replace(pool(ProRata()), slices=slices)

    def test_a_cap_that_the_scheme_does_not_know(self) -> None:
        with pytest.raises(Invalid, match=r"pool\.cap-unused"):
            pool(ProRata(), caps=Caps(gift=1))

    def test_a_commitment_where_nothing_is_drawn_or_none_where_it_is(self) -> None:
        with pytest.raises(Invalid, match=r"pool\.commitment"):
            pool(ProRata(), commitment=bytes(32))
        with pytest.raises(Invalid, match=r"pool\.commitment"):
            pool(LOTS, commitment=None, seed=None)

    def test_a_gift_twice_and_a_project_of_two_charities(self) -> None:
        for scheme in (ProRata(), Proportional()):
            with pytest.raises(Invalid, match=r"gift\.twice"):
                match(pool(scheme), [gift(1, 1), gift(1, 1)])
            with pytest.raises(Invalid, match=r"gift\.charity"):
                match(pool(scheme), [gift(1, 1), gift(2, 1, charity="z")])

    @given(st.integers(0, 10**9), st.integers(1, 10**9), st.data())
    def test_claw_back_of_parts_is_that_of_the_whole(self, matched: int, amount: int, data: Any) -> None:
        refunded = sorted(data.draw(st.lists(st.integers(0, amount), max_size=5)))
        back = [clawed_back(matched, amount, part) for part in [0, *refunded, amount]]
        assert back == sorted(back)
        assert (back[0], back[-1]) == (0, matched)
        with pytest.raises(ValueError, match="between"):
            clawed_back(matched, amount, amount + 1)


def test_teams() -> None:
    given = [
        gift(1, 100, team="m", donor="t"),
        gift(2, 100, team="m", donor="u"),
        gift(3, 900, team="n"),
        gift(4, 100, team="n", refunded=100),
        gift(5, 100),
    ]
    made = pool(Proportional())
    matches = {m.gift: m for m in match(made, given)}
    assert [(t.name, t.people, t.gifts, t.given, t.matched) for t in teams(given, matches)] == [
        ("m", 2, 2, 200, 200),
        ("n", 1, 1, 900, 900),
    ]
