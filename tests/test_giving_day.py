"""The giving day in small: everything that the benchmark checks, on a real platform, without a word on speed."""

from __future__ import annotations

import random

import pytest

from bench.giving_day import Plan, day
from commonweal.cli import service_names

pytestmark = pytest.mark.skipif("giving" not in service_names(), reason="giving is not installed")


def test_the_schedule_has_its_rush_and_all_gifts_in_order() -> None:
    plan = Plan(gifts=2_000, seconds=240, rush=100, minute=10, campaigns=5)
    due = plan.schedule(random.Random(1))
    assert len(due) == 2_000
    assert list(due) == sorted(due)
    assert 0 <= due[0] < due[-1] < plan.ends
    in_rush = sum(plan.rushes <= moment < plan.rushes + plan.minute for moment in due)
    assert in_rush == 1_000  # the compressed hours stand still meanwhile


@pytest.mark.slow
def test_every_gift_is_a_row_and_every_match_is_recomputed() -> None:
    figures = {one["name"]: one for one in day(Plan(gifts=600, seconds=4, rush=60, minute=2, campaigns=20))}
    assert figures["gifts of the day, each a row"]["value"] == 600
    assert figures["matches of the first-come pool, equal to their recomputation"]["value"] > 0
    assert figures["matches of the shared pool, equal to their recomputation"]["value"] > 0
