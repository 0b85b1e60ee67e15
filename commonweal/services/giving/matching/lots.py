"""First come, first served, by lot: a committed seed decides, and anybody draws again when it is published."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import ClassVar

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.giving.matching.first_come import ALL_CAPS, FirstCome, check_rates
from commonweal.services.giving.matching.pool import Counting, Gift, Pool, draw


@dataclass(frozen=True, slots=True)
class Tier:
    """From so many flowers on, the match grows by a part drawn between `low` and `high`."""

    flowers: int
    low: Fraction
    high: Fraction


SOURCED_TIERS = (
    Tier(0, Fraction(0), Fraction(0)),
    Tier(39, Fraction(5, 100), Fraction(10, 100)),
    Tier(99, Fraction(10, 100), Fraction(30, 100)),
)
"""The tiers of 2018 as they were published (report of 2018-08-30), up to 198 flowers. The report breaks off there: what
holds from 199 flowers on is for each pool to state."""


@dataclass(frozen=True, slots=True)
class Draw:
    """A lot, step by step. `u` decides chance and amount, `v` the boost; both are parts of 2**256, `v` is None where no
    boost is drawn. `base` and `boost` are what they come to, before any cap."""

    u: int
    won: bool
    base: int
    tier: Tier
    v: int | None
    boost: int

    @property
    def whole(self) -> int:
        """What the lot gives, without limits."""
        return self.base + self.boost


DONOR_DAY_2018 = 99_900
"""999 yuan for one person and day, the boost included."""


@dataclass(frozen=True, slots=True)
class RandomBoost:
    """Lots (2018): a gift of `minimum` or more is matched with the chance `chance`, by an amount drawn evenly between
    nothing and `rate` times it; the giver's flowers add a part of that. The donor-day cap holds with the boost.

    `u = HMAC-SHA256(seed, gift id)` decides chance and amount, `HMAC-SHA256(seed, gift id + ":boost")` the boost.
    """

    chance: Fraction
    rate: Fraction
    tiers: tuple[Tier, ...]
    minimum: int = 100

    name: ClassVar[str] = "random-boost"
    title: ClassVar[Text] = Text("By lot, with flowers", "随机配捐（小红花加成）")
    explanation: ClassVar[Text] = Text(
        "Lots decide, by a seed: its fingerprint is published before the start and the seed itself after the end, so "
        "that anybody can draw again. Flowers raise the match.",
        "由随机种子决定：开始前公布种子的哈希，结束后公布种子，任何人都可以重算。小红花可以提高配捐。",
    )
    caps: ClassVar[frozenset[str]] = ALL_CAPS
    seeded: ClassVar[bool] = True
    note: ClassVar[Text] = Text(
        "Lots are drawn after the end: nobody can know more than these bounds, and nothing is likely for many.",
        "配捐结束后才抽取，目前只能给出范围，也可能抽不中。",
    )

    def __post_init__(self) -> None:
        check_rates(self.chance, self.rate, *(part for tier in self.tiers for part in (tier.low, tier.high)))
        starts = [tier.flowers for tier in self.tiers]
        if (
            not 0 < self.chance <= 1
            or self.minimum < 1
            or not starts
            or starts[0] != 0
            or any(a >= b for a, b in pairwise(starts))
            or any(tier.low > tier.high for tier in self.tiers)
        ):
            raise Invalid(
                "scheme.lots",
                Text(
                    "The chance lies between 0 and 1; tiers of flowers begin at 0 and rise.",
                    "中签机会须在 0 与 1 之间；小红花档位从 0 起依次递增。",
                ),
                field="scheme",
            )

    def begin(self, pool: Pool) -> Counting:
        """Start counting. Raises `Invalid` with `pool.donor-day` if the pool does not limit a person's day."""
        if pool.caps.donor_day is None or (pool.asset == "CNY" and pool.caps.donor_day > DONOR_DAY_2018):
            raise Invalid(
                "pool.donor-day",
                Text(
                    "Lots need a cap for one person and day, of 999.00 yuan at most, boost included.",
                    "随机配捐须设每人每日上限，含加成最多 999.00 元。",
                ),
                field="caps.donor_day",
            )
        return FirstCome(pool, self)

    def wish(self, pool: Pool, gift: Gift, team: int) -> int:
        """What the lot gives, without limits."""
        return 0 if pool.seed is None else self.drawn(pool.seed, gift).whole

    def drawn(self, seed: bytes, gift: Gift) -> Draw:
        """The lot of a gift. One below the minimum draws nothing."""
        u, chance, rate, tier = draw(seed, gift.id), self.chance, self.rate, self._tier(gift)
        if gift.counts < self.minimum or u * chance.denominator >= chance.numerator << 256:
            return Draw(u, False, 0, tier, None, 0)
        base = gift.counts * rate.numerator * u * chance.denominator // (rate.denominator * chance.numerator << 256)
        if not tier.high:
            return Draw(u, True, base, tier, None, 0)
        v = draw(seed, f"{gift.id}:boost")
        return Draw(u, True, base, tier, v, int(base * (tier.low + (tier.high - tier.low) * Fraction(v, 1 << 256))))

    def most(self, pool: Pool, gift: Gift) -> int:
        """What the luckiest lot would give."""
        if gift.counts < self.minimum:
            return 0
        base = gift.counts * self.rate.numerator // self.rate.denominator
        return base + int(base * self._tier(gift).high)

    def _tier(self, gift: Gift) -> Tier:
        return next(tier for tier in reversed(self.tiers) if tier.flowers <= gift.flowers)
