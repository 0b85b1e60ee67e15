"""Matching: a company's money doubles what people give, by rules that anybody can run again.

A `Pool` names a scheme, caps and time slices; `match(pool, gifts)` gives every gift its match, to the fen. Pure: no
database, clock or network. `pool_file` reads and writes the published form of a pool and its gifts.
"""

from commonweal.services.giving.matching.first_come import Tally
from commonweal.services.giving.matching.gifts import Team, teams
from commonweal.services.giving.matching.lots import SOURCED_TIERS, RandomBoost, Tier
from commonweal.services.giving.matching.pool import (
    LIMITS,
    Caps,
    Gift,
    Match,
    Pool,
    Slice,
    check_opening,
    clawed_back,
    match,
    reveal,
)
from commonweal.services.giving.matching.proportional import Extra, OnePlusX, Proportional
from commonweal.services.giving.matching.schemes import SCHEMES
from commonweal.services.giving.matching.shares import PairwiseButerin, PairwiseGitcoin, ProRata, Quadratic, Shared
from commonweal.services.giving.matching.standing import Crowd, Estimate, Standing, in_line

__all__ = [
    "LIMITS",
    "SCHEMES",
    "SOURCED_TIERS",
    "Caps",
    "Crowd",
    "Estimate",
    "Extra",
    "Gift",
    "Match",
    "OnePlusX",
    "PairwiseButerin",
    "PairwiseGitcoin",
    "Pool",
    "ProRata",
    "Proportional",
    "Quadratic",
    "RandomBoost",
    "Shared",
    "Slice",
    "Standing",
    "Tally",
    "Team",
    "Tier",
    "check_opening",
    "clawed_back",
    "in_line",
    "match",
    "reveal",
    "teams",
]
