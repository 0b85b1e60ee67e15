"""Sums of square roots in integers, cut off at 2**-64: no float, so the same digits on every machine."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from math import isqrt

from commonweal.kernel.errors import TooLarge
from commonweal.kernel.text import Text

BITS = 64
"""Binary places of a root."""

MAX_PAIRS = 20_000_000
"""Pairs of different givers that one pairwise pool may have. Givers who gave the same to the same are one."""


def root(number: int) -> int:
    """The square root of a whole number in units of 2**-64, rounded down."""
    return isqrt(number << 2 * BITS)


def quadratic(people: Mapping[int, int]) -> int:
    """`(sum of roots)**2 - sum` in units of 2**-128: twice the sum over pairs, so exactly zero for a single giver.

    `people` tells how many have given how much.
    """
    total = squares = 0
    for amount, times in people.items():
        one = root(amount)
        total += one * times
        squares += one * one * times
    return total * total - squares


def pairwise(contributions: Mapping[str, Mapping[str, int]], bounded: Callable[[int, int], int]) -> dict[str, int]:
    """The sum over pairs of `bounded(sqrt(c_i c_j), T_ij)` for each project, all in units of 2**-64.

    Pairs are counted by what people gave: two pairs with the same gifts are computed once. Raises `TooLarge` with
    `pool.pairs` beyond `MAX_PAIRS`.
    """
    given: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for project in sorted(contributions):
        for donor, amount in contributions[project].items():
            given[donor].append((project, amount))
    patterns = sorted(Counter(tuple(gifts) for gifts in given.values()).items())
    supporters: defaultdict[str, list[int]] = defaultdict(list)
    for n, (pattern, _) in enumerate(patterns):
        for project, _ in pattern:
            supporters[project].append(n)
    if sum(len(theirs) ** 2 for theirs in supporters.values()) > 2 * MAX_PAIRS:
        raise TooLarge(
            "pool.pairs",
            Text(
                "There are too many pairs of givers for a pairwise scheme; use the quadratic one.",
                "捐款人组合过多，成对配捐无法计算，请改用平方配捐。",
            ),
        )
    amounts = [dict(pattern) for pattern, _ in patterns]
    of = dict.fromkeys(sorted(contributions), 0)
    for n, (pattern, people) in enumerate(patterns):
        others = {other for project, _ in pattern for other in supporters[project] if other >= n}
        for other in sorted(others):
            pairs = people * (people - 1) // 2 if other == n else people * patterns[other][1]
            if not pairs:
                continue
            theirs = amounts[other]
            both = {project: root(amount * theirs[project]) for project, amount in pattern if project in theirs}
            total = sum(both.values())
            for project, shared in both.items():
                of[project] += pairs * bounded(shared, total)
    return of
