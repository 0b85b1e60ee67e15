"""Shared after the close: what counts is who gave how much to which project, never who was first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from commonweal.kernel.quantity import share_out
from commonweal.services.giving.matching.filling import fill_groups
from commonweal.services.giving.matching.gifts import Gifts
from commonweal.services.giving.matching.pool import Gift, Limit, Match, Pool

Contributions = Mapping[str, Mapping[str, int]]
"""What counts of each donor's gifts, by project: donors' gifts to one project are one sum."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The share of each project, in any unit. `need` is what the scheme gives at most, however large the pool."""

    of: Mapping[str, int]
    need: int | None = None


class Weighing(Protocol):
    """What sharing after the close needs of its scheme."""

    def weigh(self, contributions: Contributions) -> Weights: ...
    def counted(self, given: int) -> int: ...


class Sharing:
    """The money of a pool being shared, slice by slice. Caps hold over all slices; what one leaves goes to the next."""

    def __init__(self, pool: Pool, charity_of: Mapping[str, str]) -> None:
        self._pool, self._charity_of = pool, charity_of
        self.carried = 0
        """What the slices so far have left."""
        self.of_project: defaultdict[str, int] = defaultdict(int)
        self.of_charity: defaultdict[str, int] = defaultdict(int)

    def parts(self, money: int, weights: Weights) -> dict[str, int]:
        """What each project would get of so much money, under what the caps have left."""
        projects = sorted(project for project, weight in weights.of.items() if weight)
        if not projects:
            return {}
        caps, charities = self._pool.caps, [self._charity_of[project] for project in projects]
        shares = fill_groups(
            money if weights.need is None else min(money, weights.need),
            [weights.of[project] for project in projects],
            [None if caps.project is None else caps.project - self.of_project[project] for project in projects],
            charities,
            {c: None if caps.charity is None else caps.charity - self.of_charity[c] for c in charities},
        )
        return dict(zip(projects, shares, strict=True))

    def share(self, amount: int, weights: Weights) -> dict[str, int]:
        """What each project gets of the next slice, which has so much money of its own."""
        money = amount + self.carried
        parts = self.parts(money, weights)
        for project, part in parts.items():
            self.of_project[project] += part
            self.of_charity[self._charity_of[project]] += part
        self.carried = money - sum(parts.values())
        return parts


class AfterClose:
    """The counting of such a pool. Each slice is shared over its own gifts; caps hold over all slices."""

    def __init__(self, pool: Pool, scheme: Weighing) -> None:
        self._pool, self._scheme = pool, scheme
        self._gifts = Gifts(pool)
        self._given: list[defaultdict[str, defaultdict[str, int]]] = [
            defaultdict(lambda: defaultdict(int)) for _ in pool.slices
        ]

    def add(self, gift: Gift) -> None:
        """Count the next gift."""
        number = self._gifts.add(gift)
        if number is not None:
            self._given[number][gift.project][gift.donor] += gift.counts

    def settle(self) -> list[Match]:
        """All matches, in the order in which the gifts were added.

        A project's match is divided over its gifts in proportion to what counted of them, so that each gift knows its
        part and a refund knows what to claw back.
        """
        pool = self._pool
        made: dict[str, int] = {}
        used: defaultdict[str, int] = defaultdict(int)
        gifts: list[defaultdict[str, defaultdict[str, list[Gift]]]] = [
            defaultdict(lambda: defaultdict(list)) for _ in pool.slices
        ]
        for gift, placed in zip(self._gifts.all, self._gifts.slices, strict=True):
            if placed is not None:
                gifts[placed][gift.project][gift.donor].append(gift)
        for number, shares in enumerate(self._shares()):
            for project, share in shares.items():
                used[project] += share
                self._divide(share, gifts[number][project], made)
        full = {project for project, amount in used.items() if amount == pool.caps.project}

        def limit(gift: Gift, placed: int | None) -> Limit | None:
            return pool.unmatched(gift) if placed is None else "project" if gift.project in full else None

        return [
            Match(gift.id, gift.project, made.get(gift.id, 0), limit(gift, placed))
            for gift, placed in zip(self._gifts.all, self._gifts.slices, strict=True)
        ]

    def _shares(self) -> list[dict[str, int]]:
        """What each project gets, by slice."""
        sharing = Sharing(self._pool, self._gifts.charity_of)
        return [
            sharing.share(part.amount, self._scheme.weigh(given))
            for part, given in zip(self._pool.slices, self._given, strict=True)
        ]

    def _divide(self, share: int, donors: Mapping[str, list[Gift]], made: dict[str, int]) -> None:
        names = sorted(donors)
        counted = [self._scheme.counted(sum(gift.counts for gift in donors[name])) for name in names]
        for name, part in zip(names, share_out(share, counted), strict=True):
            if not part or len(donors[name]) == 1:
                made[donors[name][0].id] = part
                continue
            theirs = sorted(donors[name], key=lambda gift: gift.id)
            for gift, amount in zip(theirs, share_out(part, [gift.counts for gift in theirs]), strict=True):
                made[gift.id] = amount
