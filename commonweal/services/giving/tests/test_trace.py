"""The trace against a model that knows every single unit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel.errors import Conflict
from commonweal.services.giving.rules.trace import Span, draw

lines = st.lists(st.integers(1, 12), max_size=12)


@given(lines, st.sets(st.integers(0, 80)), st.integers(1, 60))
def test_a_draw_takes_the_first_free_units_and_no_other(gifts: list[int], gone: set[int], amount: int) -> None:
    laid = sum(gifts)
    drawn = [Span(unit, unit + 1) for unit in gone if unit < laid]
    free = [unit for unit in range(laid) if unit not in gone]
    if amount > len(free):
        with pytest.raises(Conflict, match=r"fund\.too-low"):
            draw(laid, drawn, amount)
    else:
        spans = draw(laid, drawn, amount)
        assert [unit for span in spans for unit in range(span.start, span.end)] == free[:amount]


@given(lines, lines)
def test_every_payout_is_the_sum_of_what_the_gifts_gave_to_it(gifts: list[int], payouts: list[int]) -> None:
    places, end = [], 0
    for gift in gifts:
        places.append(Span(end, end + gift))
        end += gift
    drawn: list[Span] = []
    left = dict(enumerate(gifts))
    for payout in payouts:
        if payout > end - sum(map(len, drawn)):
            continue
        spans = draw(end, drawn, payout)
        drawn += spans
        shares = [
            sum(max(0, min(place.end, span.end) - max(place.start, span.start)) for span in spans) for place in places
        ]
        assert sum(shares) == payout
        for gift, share in enumerate(shares):
            left[gift] -= share
    assert all(rest >= 0 for rest in left.values())
    assert sorted(drawn) == sorted(set(drawn))


def test_draws_merge_with_nothing_and_holes_are_filled_first() -> None:
    assert draw(10, [Span(2, 4)], 5) == [Span(0, 2), Span(4, 7)]
    assert draw(10, [], 10) == [Span(0, 10)]


@pytest.mark.parametrize(("start", "end"), [(3, 3), (4, 2), (-1, 2)])
def test_a_span_is_never_empty_or_before_the_line(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="not a span"):
        Span(start, end)


def test_nothing_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="at least one"):
        draw(5, [], 0)
