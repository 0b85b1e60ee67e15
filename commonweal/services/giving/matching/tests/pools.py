"""Pools and gifts that the tests of matching share."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from commonweal.services.giving.matching import (
    SOURCED_TIERS,
    Caps,
    Extra,
    Gift,
    OnePlusX,
    PairwiseButerin,
    PairwiseGitcoin,
    Pool,
    Proportional,
    ProRata,
    Quadratic,
    RandomBoost,
    Slice,
    Tier,
)

NINE = datetime(2026, 9, 9, 1, tzinfo=UTC)
"""09:00 in China."""

SEED = bytes(range(32))
COMMITMENT = hashlib.sha256(SEED).digest()
TIERS = (*SOURCED_TIERS, Tier(199, Fraction(30, 100), Fraction(30, 100)))
LOTS = RandomBoost(Fraction(1, 2), Fraction(1), TIERS)

IN_ORDER = (
    Proportional(),
    Proportional(Fraction(1, 2)),
    OnePlusX(Fraction(1, 2), (Extra(Fraction(1, 10), "a"), Extra(Fraction(1, 5), team_of=2))),
    LOTS,
)
AFTER_CLOSE = (
    ProRata(),
    ProRata(donor_most=500),
    Quadratic("to-pool"),
    Quadratic("down-only"),
    PairwiseButerin(2500),
    PairwiseButerin(2500, "to-pool"),
    PairwiseGitcoin(2500),
)


def pool(scheme: Any, amount: int = 100_000, *, hours: int = 1, caps: Caps | None = None, **more: Any) -> Pool:
    """A pool of `hours` equal slices from nine o'clock on; the first one takes the odd units."""
    each, odd = divmod(amount, hours)
    if scheme.seeded:
        more = {"commitment": COMMITMENT, "seed": SEED, **more}
        caps = caps or Caps(donor_day=99_900)
    slices = tuple(
        Slice(NINE + timedelta(hours=n), NINE + timedelta(hours=n + 1), each + (odd if n == 0 else 0))
        for n in range(hours)
    )
    return Pool("p", scheme, slices, caps or Caps(), **more)


def gift(number: int, amount: int, project: str = "a", donor: str | None = None, **more: Any) -> Gift:
    """A gift some minutes after nine; donors are different people unless named."""
    return Gift(
        id=f"g{number}",
        at=more.pop("at", NINE + timedelta(seconds=number)),
        donor=donor or f"d{number}",
        project=project,
        charity=more.pop("charity", CHARITY.get(project, "x")),
        amount=amount,
        **more,
    )


CHARITY = {"a": "x", "b": "x", "c": "y", "d": "z"}


@st.composite
def gifts(draw: st.DrawFn, most: int = 25) -> list[Gift]:
    """Some gifts: few people, few projects, small and large amounts, refunds, reviews, teams, flowers, odd hours."""
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from("abcd"),
                st.sampled_from("tuvwxyz"),
                st.one_of(st.integers(1, 60), st.integers(1, 200_000)),
                st.integers(-30, 250),
                st.sampled_from([0, 0, 0, 1, 2]),
                st.sampled_from(["", "", "m", "n"]),
                st.sampled_from([0, 38, 39, 98, 99, 198, 199]),
            ),
            max_size=most,
        )
    )
    return [
        gift(
            n,
            amount,
            project,
            donor,
            at=NINE + timedelta(minutes=minute),
            refunded=amount // fate if fate else 0,
            withheld="refund-ring" if (n + minute) % 17 == 0 else "",
            team=team,
            flowers=flowers,
        )
        for n, (project, donor, amount, minute, fate, team, flowers) in enumerate(rows)
    ]


def caps_for(scheme: Any) -> st.SearchStrategy[Caps]:
    """Caps that a scheme knows, some of them missing."""
    some = st.one_of(st.none(), st.integers(1, 200), st.integers(1, 100_000))
    named = dict.fromkeys(sorted(scheme.caps), some)
    if scheme.seeded:
        named["donor_day"] = st.integers(1, 99_900)
    return st.builds(Caps, **named)
