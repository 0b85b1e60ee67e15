"""First come, first served: each gift takes what is left under the caps, in the order of the ledger's commits."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import ClassVar, Protocol

from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.text import Text
from commonweal.services.giving.matching.gifts import Gifts
from commonweal.services.giving.matching.pool import Gift, Limit, Match, Pool

ALL_CAPS = frozenset({"gift", "donor_day", "project", "charity"})


class Tally:
    """What the caps of a pool have left. `take` is one step of first come, first served."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._spent = 0
        self._released = 0
        self._slice = -1
        self._of_donor: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._of_project: defaultdict[str, int] = defaultdict(int)
        self._of_charity: defaultdict[str, int] = defaultdict(int)

    def room(self, gift: Gift, wish: int) -> tuple[int, Limit | None]:
        """What of a wish there is room for now, and the limit that cuts it, the narrowest one."""
        pool, caps = self._pool, self._pool.caps
        number = pool.slice_at(gift.at)
        if number is None:
            return 0, "outside"
        while self._slice < number:  # money of a slice that is over stays for the later ones
            self._slice += 1
            self._released += pool.slices[self._slice].amount
        amount, limit = wish, None
        if caps.gift is not None and caps.gift < amount:
            amount, limit = caps.gift, "gift"
        if caps.donor_day is not None:
            left = caps.donor_day - self._of_donor[gift.donor, pool.day(gift.at)]
            if left < amount:
                amount, limit = left, "donor_day"
        if caps.project is not None and (left := caps.project - self._of_project[gift.project]) < amount:
            amount, limit = left, "project"
        if caps.charity is not None and (left := caps.charity - self._of_charity[gift.charity]) < amount:
            amount, limit = left, "charity"
        if (left := self._released - self._spent) < amount:
            amount, limit = left, "pool"
        return amount, limit  # type: ignore[return-value]

    def take(self, gift: Gift, wish: int) -> Match:
        """The match of the next gift, which uses up what it takes."""
        unmatched = self._pool.unmatched(gift)
        if unmatched is not None:
            return Match(gift.id, gift.project, 0, unmatched)
        amount, limit = self.room(gift, wish)
        if amount:
            self._spent += amount
            caps = self._pool.caps
            if caps.donor_day is not None:
                self._of_donor[gift.donor, self._pool.day(gift.at)] += amount
            if caps.project is not None:
                self._of_project[gift.project] += amount
            if caps.charity is not None:
                self._of_charity[gift.charity] += amount
        return Match(gift.id, gift.project, amount, limit)


class Ordered(Protocol):
    """What first come, first served needs of its scheme. `team` is how many people the gift's team has; `most` is the
    largest wish that the gift can come to have."""

    seeded: ClassVar[bool]
    note: ClassVar[Text]

    def wish(self, pool: Pool, gift: Gift, team: int) -> int: ...
    def most(self, pool: Pool, gift: Gift) -> int: ...


class FirstCome:
    """The counting of such a pool. Slices are settled one after the other, gifts within one in commit order."""

    def __init__(self, pool: Pool, scheme: Ordered) -> None:
        self._pool, self._scheme = pool, scheme
        self._gifts = Gifts(pool)

    def add(self, gift: Gift) -> None:
        """Count the next gift."""
        self._gifts.add(gift)

    def settle(self) -> list[Match]:
        """All matches, in the order in which the gifts were added. Raises `Conflict` while the seed is secret."""
        if self._scheme.seeded and self._pool.seed is None:
            raise Conflict(
                "seed.missing",
                Text("The lots can be drawn when the seed is published.", "公布种子之后才能抽取配捐。"),
                field="seed",
            )
        pool, tally, gifts = self._pool, Tally(self._pool), self._gifts.all
        slices: list[list[int]] = [[] for _ in pool.slices]
        matches: list[Match | None] = [None] * len(gifts)
        for n, (gift, number) in enumerate(zip(gifts, self._gifts.slices, strict=True)):
            if number is None:
                matches[n] = Match(gift.id, gift.project, 0, pool.unmatched(gift))
            else:
                slices[number].append(n)
        for n in (n for part in slices for n in part):
            gift = gifts[n]
            matches[n] = tally.take(gift, self._scheme.wish(pool, gift, self._gifts.team_of(gift)))
        return [made for made in matches if made is not None]


def check_rates(*rates: Fraction) -> None:
    """Raises `Invalid` with `scheme.rate`."""
    if not all(0 <= rate <= 1000 for rate in rates):
        text = Text("A rate lies between 0 and 1000.", "比例须在 0 与 1000 之间。")
        raise Invalid("scheme.rate", text, field="scheme")
