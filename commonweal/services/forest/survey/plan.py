"""How many sub-plots a survey needs for a given precision."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from commonweal.services.forest.survey.students import quantile


@dataclass(frozen=True, slots=True)
class Plan:
    """`subplots` to visit, and the relative error (half-width over mean) expected from them."""

    subplots: int
    relative_error: float


def plan(
    *,
    survival: float,
    correlation: float,
    trees: int,
    population: int | None = None,
    relative_error: float = 0.20,
    confidence: float = 0.90,
    assurance: float = 0.95,
    size_variation: float = 0.0,
) -> Plan:
    """The least number of sub-plots with which the interval's half-width is at most `relative_error` of the mean.

    `survival` and `correlation` (intra-cluster) are what is expected, best from a pilot; `trees` is the number in a
    sub-plot, `size_variation` its coefficient of variation, `population` the number of sub-plots there are. Because
    the spread that a survey will see varies (as chi-square), the number is chosen so that with probability
    `assurance` it stays within what is reckoned with; the survival seen varies too, so nine surveys in ten are as
    precise as asked. At least 5, at most all. Raises `ValueError` for impossible values.
    """
    if not (0 < survival <= 1 and 0 <= correlation <= 1 and trees >= 1 and relative_error > 0):
        raise ValueError("survival in (0, 1], correlation in [0, 1], a tree or more, a positive error")
    effect = 1 + ((1 + size_variation**2) * trees - 1) * correlation
    variance = survival * (1 - survival) * effect / trees
    most = population or 100_000
    for n in range(5, most):
        unseen = 1 - n / population if population else 1.0
        worst = variance * _chi_square(assurance, n - 1) / (n - 1)
        error = quantile(confidence, n - 1) * math.sqrt(unseen * worst / n) / survival
        if error <= relative_error:
            return Plan(n, error)
    return Plan(most, 0.0)


def _chi_square(probability: float, df: int) -> float:
    """A quantile of chi-square by Wilson and Hilferty's cube root, good to a percent from 4 degrees on."""
    z = NormalDist().inv_cdf(probability)
    return float(df * (1 - 2 / (9 * df) + z * math.sqrt(2 / (9 * df))) ** 3)
