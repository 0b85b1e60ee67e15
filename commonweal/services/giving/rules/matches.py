"""Live matching, first come, first served, in proportion and under caps (scheme M1 of the matching engine).

The engine (`matching`) settles a published pool file; this is its step for one gift when the sums so far are known from
the books. Both give the same amounts, which the tests hold them to.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text

CHANNEL = "matching"
"""The channel of gifts that a pool makes."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a company promises: `rate` times each gift, at most `gift_cap` a gift and `day_cap` a giver and day, in
    `[opens_at, closes_at)`. Amounts in smallest units; None is no cap."""

    company: uuid.UUID
    rate: Fraction
    gift_cap: int | None
    day_cap: int | None
    opens_at: datetime
    closes_at: datetime


def _rate() -> Invalid:
    return Invalid("pool.rate", Text("Match between 0 and 10 times.", "配捐比例须大于 0、不超过 10 倍。"), field="rate")


def check(promise: Promise) -> None:
    """Raises `Invalid` with `pool.rate` outside (0, 10], `pool.cap` or `pool.period`."""
    if not 0 < promise.rate <= 10:
        raise _rate()
    if any(cap is not None and cap < 1 for cap in (promise.gift_cap, promise.day_cap)):
        raise Invalid("pool.cap", Text("A cap is above zero.", "上限须大于零。"), field="cap")
    if promise.closes_at <= promise.opens_at:
        raise Invalid(
            "pool.period", Text("A pool closes after it opens.", "结束时间须晚于开始时间。"), field="closes_at"
        )


def reserve(promise: Promise, giver: uuid.UUID | None, amount: int, at: datetime, of_day: int, left: int) -> int:
    """What a gift reserves. `of_day` is what its giver has reserved of this pool on that day, `left` what it holds.

    A box names no giver and is not matched; neither does a company match itself.
    """
    if giver is None or giver == promise.company or not promise.opens_at <= at < promise.closes_at:
        return 0
    wish = amount * promise.rate.numerator // promise.rate.denominator
    if promise.gift_cap is not None:
        wish = min(wish, promise.gift_cap)
    if promise.day_cap is not None:
        wish = min(wish, promise.day_cap - of_day)
    return max(0, min(wish, left))


def parse_rate(written: str) -> Fraction:
    """How many times a gift is matched, as people write it: `1`, `0.5`. Raises `Invalid` (`pool.rate`)."""
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,4})?", written):
        raise _rate()
    return Fraction(written)
