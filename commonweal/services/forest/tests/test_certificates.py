from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel.errors import Conflict, Invalid
from commonweal.services.forest.rules.certificates import ALPHABET, Number, Numbers, Plot, duty, parse_number, promise

NUMBERS = st.builds(
    Number,
    st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=3, max_size=8),
    st.sampled_from(["2027S", "2030A"]),
    st.integers(1, 9_999_999),
)


@given(NUMBERS)
def test_a_number_is_read_as_written(number: Number) -> None:
    assert parse_number(f" {str(number).lower()} ") == number


@given(NUMBERS, st.integers(0, 60), st.sampled_from(ALPHABET))
def test_one_wrong_sign_is_noticed(number: Number, place: int, sign: str) -> None:
    text = str(number)
    place %= len(text) - 2
    if text[place] in (sign, "-"):
        return
    with pytest.raises(Invalid):
        parse_number(text[:place] + sign + text[place + 1 :])


def test_nothing_is_promised_that_is_not_contracted_and_paid() -> None:
    assert promise(Plot(capacity=10, funded=4, issued=3)) == 4
    for plot in (Plot(10, 4, 4), Plot(3, 10, 3), Plot(10, 0, 0), Plot(3, 3, 5)):
        with pytest.raises(Conflict) as refusal:
            promise(plot)
        assert refusal.value.code == "plot.full"


def test_the_five_numbers_fall() -> None:
    assert Numbers(5, 4, 3, 2, 1).alive == 1
    for wrong in ((1, 2, 0, 0, 0), (5, 4, 3, 2, -1), (5, 4, 3, 3, 4)):
        with pytest.raises(ValueError, match="pledged"):
            Numbers(*wrong)


def test_what_is_owed_after_a_survey() -> None:
    kept = duty(1000, 0.80, low=0.81, estimate=0.85, relative_error=0.05)
    assert (kept.replant, kept.counted_per_mille) == (0, 1000)
    short = duty(1000, 0.80, low=0.50, estimate=0.60, relative_error=0.10)
    assert (short.replant, short.counted_per_mille) == (200, 625)
    vague = duty(1000, 0.80, low=0.60, estimate=0.90, relative_error=0.30)
    assert (vague.replant, vague.counted_per_mille) == (0, 750)
