"""How far an open pool has come, by its sums alone, and what one more gift would add: no gift is looked at for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from commonweal.kernel.text import Text
from commonweal.services.giving.matching.after_close import Sharing, Weights
from commonweal.services.giving.matching.first_come import Ordered
from commonweal.services.giving.matching.pool import Gift, Pool
from commonweal.services.giving.matching.shares import People, Shared

REMEMBERED = 512
"""Answers that a standing keeps: most people ask for the same few amounts."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What can honestly be said before giving: `now` is what the gift would add if nobody else gave any more, and lies
    between `least` and `most` whatever others give; None is what cannot be known."""

    now: int | None
    least: int
    most: int | None
    note: Text


def in_line(pool: Pool, scheme: Ordered, gift: Gift, team: int, room: int) -> Estimate:
    """What the very next gift of a first-come pool gets: its caps have so much `room`, its `team` so many people."""
    now = None if scheme.seeded else min(scheme.wish(pool, gift, team), room)
    return Estimate(now, 0, min(scheme.most(pool, gift), room), scheme.note)


@dataclass(frozen=True, slots=True)
class Crowd:
    """The gifts of one slice, added up: the weight of each project, and how many have given it how much."""

    weights: Weights
    people: Mapping[str, People]


class Standing:
    """A pool that is shared after its close. `crowds` are those of the slices up to the one that is open."""

    def __init__(self, pool: Pool, scheme: Shared, crowds: Sequence[Crowd], charity_of: Mapping[str, str]) -> None:
        self._scheme, self._caps = scheme, pool.caps
        self._charity_of = charity_of
        self._sharing = Sharing(pool, charity_of)
        *over, self._crowd = crowds
        for part, crowd in zip(pool.slices, over, strict=False):
            self._sharing.share(part.amount, crowd.weights)
        self._money = pool.slices[len(over)].amount + self._sharing.carried
        self._parts = self._sharing.parts(self._money, self._crowd.weights)
        self.estimate = lru_cache(REMEMBERED)(self._estimate)
        """What a gift of so much to a project would add, by somebody who has given `before` to it in this slice:
        `estimate(project, before, amount)`."""

    def _estimate(self, project: str, before: int, amount: int) -> Estimate:
        scheme, sharing, of = self._scheme, self._sharing, self._crowd.weights.of
        grown = scheme.grown(self._crowd.people.get(project, {}), before, amount)
        weight = of.get(project, 0) + grown
        part = sharing.parts(self._money, scheme.scaled({**of, project: weight})).get(project, 0)
        capped = []
        if self._caps.project is not None:
            capped.append(self._caps.project - sharing.of_project[project])
        if self._caps.charity is not None:
            capped.append(self._caps.charity - sharing.of_charity[self._charity_of[project]])
        room, now = min([self._money, *capped]), max(part - self._parts.get(project, 0), 0)
        bound = scheme.at_most(grown, weight, part, full=any(part >= cap for cap in capped))
        return Estimate(now, 0, room if bound is None else max(now, min(room, bound)), scheme.note)
