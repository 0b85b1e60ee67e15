"""Quantiles of Student's t, without a numerics library."""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist


def _tail(t: float, df: int) -> float:
    """P(T > t) for t >= 0, by the finite series of Abramowitz and Stegun 26.7.3 and 26.7.4."""
    theta = math.atan2(t, math.sqrt(df))
    sine, cosine = math.sin(theta), math.cos(theta)
    if df % 2:
        term = total = cosine if df > 1 else 0.0
        for k in range(3, df - 1, 2):
            term *= cosine * cosine * (k - 1) / k
            total += term
        inside = 2 / math.pi * (theta + sine * total)
    else:
        term = total = 1.0
        for k in range(2, df - 1, 2):
            term *= cosine * cosine * (k - 1) / k
            total += term
        inside = sine * total
    return (1 - inside) / 2


@cache
def quantile(confidence: float, df: int) -> float:
    """The two-sided quantile: P(|T| <= t) = `confidence`. Raises `ValueError` outside 0 < confidence < 1, df >= 1."""
    if not 0 < confidence < 1 or df < 1:
        raise ValueError(f"no quantile for confidence {confidence} and {df} degrees of freedom")
    if df > 2000:
        return NormalDist().inv_cdf((1 + confidence) / 2)
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _tail(middle, df) > (1 - confidence) / 2 else (low, middle)
    return (low + high) / 2
