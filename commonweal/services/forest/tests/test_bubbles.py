from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.services.forest.rules.bubbles import (
    FRIEND_DAY_LIMIT,
    LASTS,
    RIPENS_AFTER,
    Balance,
    Bubble,
    Garden,
    begins,
    collect,
    day_of,
    draw,
    droppable_from,
    gone_by_kind,
    harvest,
    merge,
    share_for_friend,
    water,
)

NOON = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)


def bubble(grams: int = 100, left: int | None = None, ripe_at: datetime = NOON) -> Bubble:
    return Bubble("li", "metro", date(2026, 5, 3), grams, grams if left is None else left, ripe_at)


def test_ripeness_and_expiry_are_read_off_the_clock() -> None:
    b = bubble()
    second = timedelta(seconds=1)
    assert [b.state(NOON - second), b.state(NOON), b.state(b.gone_at - second), b.state(b.gone_at)] == [
        "growing",
        "ripe",
        "ripe",
        "gone",
    ]
    assert timedelta(milliseconds=259_200_000) == LASTS


def test_a_day_ends_at_midnight_in_china() -> None:
    assert day_of(datetime(2026, 5, 3, 15, 59, tzinfo=UTC)) == date(2026, 5, 3)
    assert day_of(datetime(2026, 5, 3, 16, 0, tzinfo=UTC)) == date(2026, 5, 4)
    with pytest.raises(ValueError, match="zone"):
        day_of(datetime(2026, 5, 3))  # noqa: DTZ001


@given(st.integers(0, 86400 * 300), st.floats(0, 86400 * 5), st.floats(0, 1))
def test_no_ripe_bubble_ever_grows(second: int, delay: float, later: float) -> None:
    """A deed joins the bubble of the day it is recorded, and that bubble is not ripe before the day is over."""
    at = NOON + timedelta(seconds=second)
    recorded = at + timedelta(seconds=delay)
    first = Bubble("li", "metro", day_of(recorded), 5, 5, begins(at, recorded) + RIPENS_AFTER)
    end = datetime.combine(first.day, datetime.min.time(), UTC) + timedelta(days=1, hours=-8)
    another = recorded + later * (end - timedelta(microseconds=1) - recorded)
    assert day_of(another) == first.day
    merged = merge(first, 7, begins(another, another))
    assert first.state(end - timedelta(microseconds=1)) == "growing"
    assert merged.ripe_at >= first.ripe_at and merged.grams == 12
    assert merged.gone_at <= droppable_from(first.day)


def test_a_deed_a_day_late_grows_from_its_recording() -> None:
    assert begins(NOON, NOON + timedelta(hours=2)) == NOON
    assert begins(NOON, NOON + timedelta(days=2)) == NOON + timedelta(days=2)


def test_the_owner_gathers_all_that_is_left() -> None:
    assert harvest(bubble(left=42), NOON) == 42
    with pytest.raises(Conflict, match="growing"):
        harvest(bubble(), NOON - timedelta(seconds=1))
    with pytest.raises(Conflict, match="gone"):
        harvest(bubble(), NOON + LASTS)


@given(st.integers(1, 10_000), st.lists(st.integers(0, 1), min_size=1, max_size=40))
def test_friends_never_take_the_owners_share(grams: int, friends: list[int]) -> None:
    left = grams
    for _ in friends:
        b = bubble(grams, left)
        try:
            taken = collect(b, Garden(), friends=True, gathered_today=0, again=False, at=NOON)
        except Conflict:
            break
        assert 1 <= taken <= share_for_friend(b)
        left -= taken
    assert left >= bubble(grams).floor or grams == 1


@pytest.mark.parametrize(
    ("garden", "options", "code"),
    [
        (Garden(), {"friends": False}, "collect.not-friends"),
        (Garden(open_to_friends=False), {}, "collect.closed"),
        (Garden(child=True), {}, "collect.closed"),
        (Garden(shielded_until=NOON + timedelta(seconds=1)), {}, "collect.closed"),
        (Garden(), {"again": True}, "collect.again"),
        (Garden(), {"gathered_today": FRIEND_DAY_LIMIT}, "collect.day-full"),
        (Garden(), {"at": NOON - timedelta(seconds=1)}, "bubble.growing"),
        (Garden(), {"at": NOON + LASTS}, "bubble.gone"),
    ],
)
def test_collecting_is_refused(garden: Garden, options: dict[str, Any], code: str) -> None:
    asked: dict[str, Any] = {"friends": True, "gathered_today": 0, "again": False, "at": NOON} | options
    with pytest.raises((Conflict, NotAllowed)) as refusal:
        collect(bubble(), garden, **asked)
    assert refusal.value.code == code


def test_a_shield_that_has_ended_lets_friends_in() -> None:
    garden = Garden(shielded_until=NOON)
    assert collect(bubble(), garden, friends=True, gathered_today=195, again=False, at=NOON) == 5


def test_the_draw_is_fair_repeatable_and_deaf_to_the_clock() -> None:
    askers = [f"friend{i}" for i in range(20)]
    assert draw("b1", askers, b"seed") == draw("b1", reversed(askers), b"seed")
    firsts = [draw(f"b{i}", askers, b"seed")[0] for i in range(4000)]
    assert all(120 < firsts.count(who) < 290 for who in askers)  # 200 expected, 6 standard deviations
    assert draw("b", ["a", "b"], hashlib.sha256(b"1").digest()) in (["a", "b"], ["b", "a"])


def test_watering() -> None:
    assert water(66, given_today=0) == 66
    with pytest.raises(Invalid):
        water(7, given_today=0)
    with pytest.raises(Conflict):
        water(5, given_today=3)


def test_expiry_is_one_sum() -> None:
    late = NOON + LASTS
    assert gone_by_kind([bubble(left=3), bubble(left=4), bubble(left=0), bubble(ripe_at=late)], late) == {"metro": 7}


def test_conservation() -> None:
    assert Balance(10, 1, 2, 3, 4).conserved and not Balance(10, 1, 2, 3, 5).conserved
