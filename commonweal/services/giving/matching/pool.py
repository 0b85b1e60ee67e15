"""A pool of matching money, the gifts that ask for a match, and what they get. Amounts are smallest units."""

from __future__ import annotations

import hashlib
import hmac
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import ClassVar, Literal, Protocol

from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.quantity import MAX_AMOUNT
from commonweal.kernel.text import Text

REVIEW_DAYS = range(7, 16)
"""Days between the close of a pool and its settlement: the time in which false gifts are found and refunded."""


@dataclass(frozen=True, slots=True)
class Gift:
    """A gift as matching sees it. `donor` is a pseudonym; `refunded` of `amount` has gone back; `withheld` is the code
    of the reason for which review has taken it out."""

    id: str
    at: datetime
    donor: str
    project: str
    charity: str
    amount: int
    refunded: int = 0
    withheld: str = ""
    team: str = ""
    flowers: int = 0

    @property
    def counts(self) -> int:
        """What is still given, and so can be matched."""
        return 0 if self.withheld else self.amount - self.refunded


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of time `[opens, closes)` with money of its own. What it leaves goes on to the next one."""

    opens: datetime
    closes: datetime
    amount: int


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that is matched: a gift, a donor on one day, a project, a charity. None is no cap."""

    gift: int | None = None
    donor_day: int | None = None
    project: int | None = None
    charity: int | None = None

    def stated(self) -> set[str]:
        """The names of the caps that there are."""
        return {cap.name for cap in fields(self) if getattr(self, cap.name) is not None}


Limit = Literal["refunded", "withheld", "outside", "gift", "donor_day", "project", "charity", "pool"]
LIMITS: dict[Limit, Text] = {
    "refunded": Text("the gift was refunded", "捐款已退回"),
    "withheld": Text("the gift was taken out by review", "捐款经复核不参与配捐"),
    "outside": Text("the gift was made outside the hours of the pool", "捐款不在配捐时段内"),
    "gift": Text("the most for one gift", "达到单笔配捐上限"),
    "donor_day": Text("the most for one giver and day", "达到每人每日配捐上限"),
    "project": Text("the most for one project", "达到单个项目配捐上限"),
    "charity": Text("the most for one charity", "达到单个机构配捐上限"),
    "pool": Text("the pool was used up", "配捐资金已用完"),
}
"""Why a gift got less than its scheme would have given."""


@dataclass(frozen=True, slots=True)
class Match:
    """What one gift is matched with, and the limit that held it down, if one did."""

    gift: str
    project: str
    amount: int
    limit: Limit | None = None


class Counting(Protocol):
    """A pool being counted: gifts are added in the order of their commits."""

    def add(self, gift: Gift) -> None: ...
    def settle(self) -> list[Match]: ...


class Scheme(Protocol):
    """A way to share a pool. `caps` are the caps that it knows; `seeded` tells whether it draws lots."""

    name: ClassVar[str]
    title: ClassVar[Text]
    explanation: ClassVar[Text]
    caps: ClassVar[frozenset[str]]
    seeded: ClassVar[bool]

    def begin(self, pool: Pool) -> Counting: ...


@dataclass(frozen=True)
class Pool:
    """Matching money and its rules, all of them public before it opens.

    `zone` is the offset from UTC in which a day begins. `commitment` is the SHA-256 of the seed of a scheme that draws
    lots; `seed` follows after the close. Raises `Invalid` with a code `pool.*` for rules that cannot be.
    """

    name: str
    scheme: Scheme
    slices: tuple[Slice, ...]
    caps: Caps = Caps()
    asset: str = "CNY"
    exponent: int = 2
    zone: timedelta = timedelta(hours=8)
    review_days: int = 7
    commitment: bytes | None = None
    seed: bytes | None = None
    _opens: list[datetime] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ends = [moment for part in self.slices for moment in (part.opens, part.closes)]
        if not ends or any(a > b for a, b in pairwise(ends)) or self._empty():
            raise _invalid("pool.slices", "slices", "Time slices follow one another, each with an end and an amount.",
                           "时段须依次排列，各有起止时间和金额。")  # fmt: skip
        if self.amount > MAX_AMOUNT:
            raise _invalid("pool.amount", "slices", "The pool is larger than any amount.", "配捐总额过大。")
        if self.review_days not in REVIEW_DAYS:
            raise _invalid("pool.review-days", "review_days", "Review takes 7 to 15 days.", "复核期为 7 至 15 天。")
        if unknown := self.caps.stated() - self.scheme.caps:
            raise _invalid("pool.cap-unused", f"caps.{min(unknown)}", "This scheme does not know this cap.",
                           "该配捐方式没有此上限。")  # fmt: skip
        if self.scheme.seeded != (self.commitment is not None):
            raise _invalid("pool.commitment", "seed", "A scheme that draws lots, and no other, commits to a seed.",
                           "随机配捐须事先公布种子的哈希，其他方式不得有。")  # fmt: skip
        if self.seed is not None and hashlib.sha256(self.seed).digest() != self.commitment:
            raise _invalid(
                "seed.mismatch", "seed", "This is not the seed that was committed to.", "种子与事先公布的哈希不符。"
            )
        object.__setattr__(self, "_opens", [part.opens for part in self.slices])

    def _empty(self) -> bool:
        return any(part.opens == part.closes or part.amount < 1 for part in self.slices)

    @property
    def amount(self) -> int:
        """The whole pool."""
        return sum(part.amount for part in self.slices)

    @property
    def opens(self) -> datetime:
        """When the first gift can be matched."""
        return self.slices[0].opens

    @property
    def closes(self) -> datetime:
        """When the last slice ends."""
        return self.slices[-1].closes

    @property
    def due(self) -> datetime:
        """When it is settled and the matches are paid: after the days of review."""
        return self.closes + timedelta(days=self.review_days)

    def slice_at(self, at: datetime) -> int | None:
        """The number of the slice that is open at a moment; None if none is."""
        number = bisect_right(self._opens, at) - 1
        return number if number >= 0 and at < self.slices[number].closes else None

    def day(self, at: datetime) -> int:
        """The day, in the pool's zone, as a number."""
        return (at.astimezone(UTC) + self.zone).toordinal()

    def unmatched(self, gift: Gift) -> Limit | None:
        """Why a gift takes no part at all; None if it does."""
        if gift.withheld:
            return "withheld"
        if gift.counts <= 0:
            return "refunded"
        return "outside" if self.slice_at(gift.at) is None else None


def match(pool: Pool, gifts: Iterable[Gift]) -> list[Match]:
    """The match of every gift, in the order given, which is the order of the ledger's commits.

    The matches never sum to more than the pool, and never break a cap. Raises `Conflict` with `seed.missing` for lots
    that cannot be drawn yet, `Invalid` for a gift that is there twice or a project of two charities.
    """
    counting = pool.scheme.begin(pool)
    for gift in gifts:
        counting.add(gift)
    return counting.settle()


def check_opening(pool: Pool, now: datetime) -> None:
    """A pool is announced before it opens. Raises `Conflict` with `pool.opens-in-the-past`, or `seed.early`."""
    if pool.opens <= now:
        raise Conflict(
            "pool.opens-in-the-past",
            Text(
                "A pool opens in the future, so that all can know of it.",
                "配捐须先公布、后开始，开始时间不能早于现在。",
            ),
            field="opens_at",
        )
    if pool.seed is not None:
        raise _seed_early()


def reveal(pool: Pool, seed: bytes, now: datetime) -> Pool:
    """The pool with its seed. Raises `Conflict` with `seed.early` before the close, `Invalid` with `seed.mismatch`."""
    if now < pool.closes:
        raise _seed_early()
    return replace(pool, seed=seed)


def clawed_back(match: int, amount: int, refunded: int) -> int:
    """How much of a paid match goes back to the pool when `refunded` of a gift of `amount` has been refunded in all.

    Of the match stays what is in proportion to what stays of the gift, rounded down; a whole refund takes it all back,
    and many small refunds take back what one would.
    """
    if not 0 <= refunded <= amount or amount < 1:
        raise ValueError("a refund lies between nothing and the gift")
    return match - match * (amount - refunded) // amount


def draw(seed: bytes, message: str) -> int:
    """A number below 2**256 that nobody could know without the seed: HMAC-SHA256."""
    return int.from_bytes(hmac.digest(seed, message.encode(), "sha256"), "big")


def _seed_early() -> Conflict:
    return Conflict(
        "seed.early",
        Text("The seed stays secret until the pool has closed.", "配捐结束之前，不能公布种子。"),
        field="seed",
    )


def _invalid(code: str, field: str, en: str, zh: str) -> Invalid:
    return Invalid(code, Text(en, zh), field=field)
