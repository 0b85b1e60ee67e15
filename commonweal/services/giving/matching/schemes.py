"""All schemes. The dataclass of each one holds its parameters, which the pool's file publishes."""

from __future__ import annotations

from commonweal.services.giving.matching.lots import RandomBoost
from commonweal.services.giving.matching.pool import Scheme
from commonweal.services.giving.matching.proportional import OnePlusX, Proportional
from commonweal.services.giving.matching.shares import PairwiseButerin, PairwiseGitcoin, ProRata, Quadratic

SCHEMES: tuple[type[Scheme], ...] = (
    ProRata,
    Proportional,
    OnePlusX,
    RandomBoost,
    Quadratic,
    PairwiseButerin,
    PairwiseGitcoin,
)
"""The default first."""
