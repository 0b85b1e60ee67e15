"""Shared after the close: what counts is who gave how much to which project, never who was first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from commonweal.kernel.quantity import share_out
from commonweal.kernel.text import Text
from commonweal.services.giving.matching.filling import fill_groups
from commonweal.services.giving.matching.gifts import Gifts
from commonweal.services.giving.matching.pool import Estimate, Gift, Limit, Match, Pool

Contributions = Mapping[str, Mapping[str, int]]
"""What counts of each donor's gifts, by project: donors' gifts to one project are one sum."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The share of each project, in any unit. `need` is what the scheme gives at most, however large the pool."""

    of: Mapping[str, int]
    need: int | None = None


class Weighing(Protocol):
    """What sharing after the close needs of its scheme."""

    note: ClassVar[Text]

    def weigh(self, contributions: Contributions) -> Weights: ...
    def counted(self, given: int) -> int: ...


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

    def estimate(self, gift: Gift) -> Estimate:
        """What the project's match would grow by, if the pool closed right after the gift."""
        number = self._pool.slice_at(gift.at)
        if number is None or gift.counts <= 0:
            return Estimate(0, 0, 0, self._scheme.note)
        before = sum(shares.get(gift.project, 0) for shares in self._shares())
        theirs = self._given[number][gift.project]
        held, charity = theirs.get(gift.donor), self._gifts.charity_of.get(gift.project)
        self._gifts.charity_of.setdefault(gift.project, gift.charity)
        theirs[gift.donor] += gift.counts
        after = sum(shares.get(gift.project, 0) for shares in self._shares())
        if held is None:
            del theirs[gift.donor]
        else:
            theirs[gift.donor] = held
        if charity is None:
            del self._gifts.charity_of[gift.project]
            del self._given[number][gift.project]
        return Estimate(max(after - before, 0), 0, None, self._scheme.note)

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
        pool, charity_of, carried = self._pool, self._gifts.charity_of, 0
        of_project: defaultdict[str, int] = defaultdict(int)
        of_charity: defaultdict[str, int] = defaultdict(int)
        found = []
        for part, given in zip(pool.slices, self._given, strict=True):
            money = part.amount + carried
            counted = {
                project: {donor: self._scheme.counted(amount) for donor, amount in donors.items()}
                for project, donors in given.items()
            }
            weights = self._scheme.weigh(counted)
            projects = sorted(project for project, weight in weights.of.items() if weight)
            total = money if weights.need is None else min(money, weights.need)
            shares = self._fill(total, projects, weights, of_project, of_charity) if projects else []
            for project, share in zip(projects, shares, strict=True):
                of_project[project] += share
                of_charity[charity_of[project]] += share
            carried = money - sum(shares)
            found.append(dict(zip(projects, shares, strict=True)))
        return found

    def _fill(
        self,
        total: int,
        projects: list[str],
        weights: Weights,
        of_project: Mapping[str, int],
        of_charity: Mapping[str, int],
    ) -> list[int]:
        caps = self._pool.caps
        charities = [self._gifts.charity_of[project] for project in projects]
        return fill_groups(
            total,
            [weights.of[project] for project in projects],
            [None if caps.project is None else caps.project - of_project[project] for project in projects],
            charities,
            {c: None if caps.charity is None else caps.charity - of_charity[c] for c in charities},
        )

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
