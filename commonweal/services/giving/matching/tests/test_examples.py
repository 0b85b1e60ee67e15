"""The worked examples: of every scheme, three givers, true to the independent checker, each limit explained."""

from __future__ import annotations

import json

import pytest

from commonweal.services.giving.matching import SCHEMES, pool_file
from commonweal.services.giving.matching.examples import examples
from commonweal.services.giving.matching.tests.checker import checked


@pytest.mark.parametrize("name", [scheme.name for scheme in SCHEMES])
def test_an_example_is_what_the_independent_checker_computes(name: str) -> None:
    example = examples()[name]
    file = pool_file.PoolFile(example.pool, tuple(row.gift for row in example.rows), example.pool.due)
    shown = {row.gift.id: row.match.amount for row in example.rows}
    assert checked(json.loads(pool_file.write(file))) == shown
    assert sum(shown.values()) + example.left == example.pool.amount
    assert len({row.giver.en for row in example.rows}) == 3
    assert any(amount for amount in shown.values())


def test_the_examples_show_rounding_caps_and_an_empty_pool() -> None:
    worked = examples()
    assert {row.match.limit for example in worked.values() for row in example.rows} >= {
        "gift", "donor_day", "project", "pool",
    }  # fmt: skip
    capped = [row for row in worked["proportional"].rows if row.why]
    assert [row.asks for row in capped] == [2_500, 2_000]
    assert worked["random-boost"].seed and not worked["pro-rata"].seed
    boosted = worked["random-boost"].rows[0]
    assert boosted.asks is not None and boosted.asks > boosted.match.amount, "the cap holds the boost, too"
