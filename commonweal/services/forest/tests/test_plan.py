"""The paper plan says what its arithmetic says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.forest.plan import MEASURED, Assumed, lines, plan

PAGE = Path(__file__).parents[4] / "docs" / "explanation" / "forest-scale.md"


def test_the_table_of_the_explanation_is_the_reckoning() -> None:
    text = PAGE.read_text()
    assert "\n".join(lines()) in text


def test_the_reckoning_by_hand() -> None:
    found = plan()
    assert found.day_bytes == 5 * 500_000_000 * 109 + 3 * 500_000_000 * (135 + 156)
    assert found.deeds_peak == round(2.5e9 / 86_400 * 5)
    cores = (144_676 / 50_102 + 166_667 / 3_425 + 166_667 / 14_146) * 2 / 0.7 / 0.5
    assert abs(found.cores - cores) <= 1 and found.workers == -(-found.cores // 32)


def test_more_people_need_more() -> None:
    small, large = plan(a=Assumed(people=50_000_000)), plan()
    assert (small.day_bytes * 10, small.deeds) == (large.day_bytes, large.deeds // 10)
    assert plan(replace(MEASURED, harvests_a_second=10**9)).cores < large.cores / 2
