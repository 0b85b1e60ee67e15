"""How far people's word on a barrier is believed: Bayes over votes that fade, from reporters who earn their weight.

The asymmetry is for safety: one credible word is enough to lead cautious people around; to take a barrier away needs
two people or an authority.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

HALF_LIFE_HOURS: dict[str, float] = {
    "parked": 3,
    "crowd": 3,
    "lift": 12,
    "snow": 48,
    "works": 14 * 24,
    "surface": 180 * 24,
    "kerb": 5 * 365 * 24,
    "steps": 5 * 365 * 24,
    "other": 7 * 24,
}
"""How fast a report of each kind stops counting."""
CONFIRMED, CLEARED = 0.9, 0.1
"""Beyond these beliefs a report blocks, or is gone. Between them it is a doubt."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """How often a reporter was right, as a Beta distribution that starts at the crowd's 81 % (Hara, CHI 2013)."""

    right: float = 8.1
    wrong: float = 1.9

    @property
    def reliability(self) -> float:
        """The expected share of right votes, kept inside 0.5 to 0.99: nobody counts as an oracle, nor backwards."""
        return min(0.99, max(0.5, self.right / (self.right + self.wrong)))


@dataclass(frozen=True, slots=True)
class Vote:
    """One word on one barrier: `present` or gone, from a reporter, some hours ago. An authority is believed at once."""

    reporter: str
    present: bool
    reliability: float
    age_hours: float = 0.0
    authority: bool = False


Standing = Literal["doubted", "confirmed", "cleared"]


def belief(votes: Iterable[Vote], kind: str) -> float:
    """The probability that the barrier is there: log-odds of every reporter's latest vote, each fading to nothing
    with the kind's half-life. One reporter counts once."""
    latest: dict[str, Vote] = {}
    for vote in sorted(votes, key=lambda vote: -vote.age_hours):
        latest[vote.reporter] = vote
    half_life = HALF_LIFE_HOURS.get(kind, HALF_LIFE_HOURS["other"])
    odds = 0.0
    for vote in latest.values():
        reliability = 0.999 if vote.authority else min(0.99, max(0.5, vote.reliability))
        weight = math.log(reliability / (1 - reliability)) * 0.5 ** (max(0.0, vote.age_hours) / half_life)
        odds += weight if vote.present else -weight
    return 1 / (1 + math.exp(-odds))


def standing(votes: Iterable[Vote], kind: str) -> Standing:
    """What a barrier's votes amount to.

    One credible report makes it doubted at once (cautious and strict travellers are led around). Belief beyond
    `CONFIRMED` blocks it for everybody. It is cleared only by an authority, by two independent people with belief below
    `CLEARED`, or by age (no vote counts for a tenth of its weight any more).
    """
    listed = list(votes)
    latest = {vote.reporter: vote for vote in sorted(listed, key=lambda vote: -vote.age_hours)}
    authority = [vote for vote in latest.values() if vote.authority]
    if authority:
        newest = min(authority, key=lambda vote: vote.age_hours)
        if not newest.present:
            return "cleared"
    half_life = HALF_LIFE_HOURS.get(kind, HALF_LIFE_HOURS["other"])
    if all(0.5 ** (vote.age_hours / half_life) < 0.1 for vote in latest.values()):
        return "cleared"
    probability = belief(listed, kind)
    gone = sum(1 for vote in latest.values() if not vote.present)
    if probability < CLEARED and gone >= 2:
        return "cleared"
    return "confirmed" if probability > CONFIRMED else "doubted"


def learned(reporter: Reporter, right: float) -> Reporter:
    """The reporter after one vote whose probability of having been right is now `right` (1 or 0 from an authority)."""
    return Reporter(reporter.right + right, reporter.wrong + 1 - right)


SURE, UNSURE = Reporter(999, 1), Reporter()
"""An authority about one lift or site; and about one of several, which counts as anybody's word."""


def announced(kind: str, age_hours: float, *, sure: bool) -> Standing:
    """What an authority's notice amounts to, some hours after it was last given: it fades as reports do."""
    reliability = (SURE if sure else UNSURE).reliability
    return standing([Vote("authority", True, reliability, age_hours, authority=sure)], kind)
