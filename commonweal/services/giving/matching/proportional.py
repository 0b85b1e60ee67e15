"""First come, first served, in proportion: with one rate, or with extras on top."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import ClassVar

from commonweal.kernel.text import Text
from commonweal.services.giving.matching.first_come import ALL_CAPS, FirstCome, check_rates
from commonweal.services.giving.matching.pool import Counting, Gift, Pool
from commonweal.services.giving.matching.spelling import written_rate

_IN_ORDER = Text(
    "If your gift is the next one. Whoever is first takes from the same money, so it may become less, or nothing.",
    "按您是下一位计算。先捐的人先用这笔资金，因此可能变少，甚至没有。",
)


@dataclass(frozen=True, slots=True)
class Proportional:
    """Every gift is matched with `rate` times its amount, rounded down, until a cap or the pool ends it (2015-17)."""

    rate: Fraction = Fraction(1)

    name: ClassVar[str] = "proportional"
    title: ClassVar[Text] = Text("In proportion", "按比例配捐")
    explanation: ClassVar[Text] = Text(
        "Each gift is matched with a fixed part of it, first come, first served, up to the caps.",
        "每笔捐款按固定比例配捐，先到先得，不超过各项上限。",
    )
    caps: ClassVar[frozenset[str]] = ALL_CAPS
    seeded: ClassVar[bool] = False
    note: ClassVar[Text] = _IN_ORDER

    def __post_init__(self) -> None:
        check_rates(self.rate)

    def begin(self, pool: Pool) -> Counting:
        """Start counting."""
        return FirstCome(pool, self)

    def wish(self, pool: Pool, gift: Gift, team: int) -> int:
        """What the gift gets, without limits."""
        return gift.counts * self.rate.numerator // self.rate.denominator

    def most(self, pool: Pool, gift: Gift) -> int:
        """The same: no lot and no team changes it."""
        return self.wish(pool, gift, 0)


@dataclass(frozen=True, slots=True)
class Extra:
    """A part X that comes on top: for one `project` or all, in `[opens, closes)` or always, for gifts whose team has
    `team_of` people or more, or for all."""

    rate: Fraction
    project: str | None = None
    opens: datetime | None = None
    closes: datetime | None = None
    team_of: int | None = None

    @property
    def written_rate(self) -> str:
        """The rate as a decimal."""
        return written_rate(self.rate)

    def holds(self, gift: Gift, team: int) -> bool:
        """Whether the gift gets it."""
        return (
            (self.project is None or self.project == gift.project)
            and (self.opens is None or self.opens <= gift.at)
            and (self.closes is None or gift.at < self.closes)
            and (self.team_of is None or self.team_of <= team)
        )


@dataclass(frozen=True, slots=True)
class OnePlusX:
    """As `Proportional`, with `rate` and every extra that holds added up, then rounded down once ("1+X", 2016)."""

    rate: Fraction
    extras: tuple[Extra, ...]

    name: ClassVar[str] = "one-plus-x"
    title: ClassVar[Text] = Text("1 + X", "“1+X”配捐")
    explanation: ClassVar[Text] = Text(
        "Each gift is matched with a fixed part of it and with extras for certain projects, hours or teams.",
        "每笔捐款按固定比例配捐，特定项目、时段或组队另有加成。",
    )
    caps: ClassVar[frozenset[str]] = ALL_CAPS
    seeded: ClassVar[bool] = False
    note: ClassVar[Text] = _IN_ORDER

    def __post_init__(self) -> None:
        check_rates(self.rate, *(extra.rate for extra in self.extras))

    def begin(self, pool: Pool) -> Counting:
        """Start counting."""
        return FirstCome(pool, self)

    def wish(self, pool: Pool, gift: Gift, team: int) -> int:
        """What the gift gets, without limits."""
        rate = sum((extra.rate for extra in self.extras if extra.holds(gift, team)), self.rate)
        return gift.counts * rate.numerator // rate.denominator

    def most(self, pool: Pool, gift: Gift) -> int:
        """With every extra of a team, however large: a team may still grow until the end."""
        return self.wish(pool, gift, max((extra.team_of or 0 for extra in self.extras), default=0) if gift.team else 0)
