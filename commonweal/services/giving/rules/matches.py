"""What a company promises, what a gift holds of it at once, and how a pool is settled.

The engine (`matching`) computes a pool from its published file, and that is what is paid. `hold` is its step for one
gift of a first-come pool when the sums so far are known from the books: what the gift can count on if nothing changes.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.kernel.text import Text
from commonweal.services.giving.matching import Caps, Gift, OnePlusX, Pool, Proportional, Slice
from commonweal.services.giving.matching.pool import Scheme

CHANNEL = "matching"
"""The channel of gifts that a pool makes."""

NO_CAPS = Caps()

APPROVALS = 2
"""How many different stewards say yes to a settlement before it is paid."""

MOST_SLICES = 48


@dataclass(frozen=True, slots=True)
class Promise:
    """What a company promises to the gifts of `campaigns`: the first of them keeps the money in its book."""

    company: uuid.UUID
    campaigns: tuple[uuid.UUID, ...]
    scheme: Scheme
    slices: tuple[Slice, ...]
    caps: Caps = NO_CAPS
    review_days: int = 7


def proportional(
    company: uuid.UUID, campaign: uuid.UUID, rate: Fraction, slice: Slice, caps: Caps = NO_CAPS
) -> Promise:
    """The plain promise: `rate` times each gift of one campaign, first come, first served."""
    return Promise(company, (campaign,), Proportional(rate), (slice,), caps)


def holds_at_once(scheme: Scheme) -> bool:
    """Whether gifts hold their match when they are made; else it is shared out after the close."""
    return isinstance(scheme, Proportional | OnePlusX)


def even_slices(opens: datetime, closes: datetime, amount: int, number: int) -> tuple[Slice, ...]:
    """The time of a pool in equal parts with equal money; the first ones get the fen that do not divide.

    Raises `Invalid` with `pool.slices` for none, or for more than 48.
    """
    if not 1 <= number <= MOST_SLICES or closes <= opens:
        raise Invalid(
            "pool.slices",
            Text("A pool closes after it opens and has 1 to 48 parts.", "结束须晚于开始，时段数为 1 至 48。"),
            field="closes_at" if closes <= opens else "slices",
        )
    edges = [opens + (closes - opens) * n / number for n in range(number + 1)]
    edges = [edge.replace(microsecond=0) for edge in edges[:-1]] + [closes]
    each, more = divmod(amount, number)
    return tuple(Slice(edges[n], edges[n + 1], each + (n < more)) for n in range(number))


def _rate() -> Invalid:
    return Invalid("pool.rate", Text("Match between 0 and 10 times.", "配捐比例须大于 0、不超过 10 倍。"), field="rate")


def check(promise: Promise) -> None:
    """Raises `Invalid` with `pool.rate` outside (0, 10], `pool.cap`, or `pool.campaigns` if it should be one."""
    if isinstance(promise.scheme, Proportional | OnePlusX):
        if not 0 < promise.scheme.rate <= 10:
            raise _rate()
        if len(promise.campaigns) != 1:
            raise Invalid(
                "pool.campaigns",
                Text(
                    "First come, first served is for one campaign. Share after the end, or enter a pool for each.",
                    "先到先得的配捐只能用于一个项目；多个项目请选择结束后分配，或分别登记。",
                ),
                field="campaigns",
            )
    caps = promise.caps
    if any(cap is not None and cap < 1 for cap in (caps.gift, caps.donor_day, caps.project, caps.charity)):
        raise Invalid("pool.cap", Text("A cap is above zero.", "上限须大于零。"), field="cap")


def hold(pool: Pool, gift: Gift, team: int, held: int, of_day: int) -> int:
    """What a gift holds of a first-come pool of which `held` is held already, `of_day` by its giver on that day.

    Money of a slice that has not begun is not there yet.
    """
    scheme = pool.scheme
    if not isinstance(scheme, Proportional | OnePlusX):
        return 0
    return min(scheme.wish(pool, gift, team), room(pool, gift.at, held, of_day))


def room(pool: Pool, at: datetime, held: int, of_day: int) -> int:
    """What the caps of a first-come pool and its slices leave to one gift, when so much is held (see `hold`)."""
    caps, number = pool.caps, pool.slice_at(at)
    if number is None:
        return 0
    left = [begun(pool, at) - held]
    if caps.gift is not None:
        left.append(caps.gift)
    if caps.donor_day is not None:
        left.append(caps.donor_day - of_day)
    left += [cap - held for cap in (caps.project, caps.charity) if cap is not None]
    return max(0, min(left))


def left_by_slice(pool: Pool, free: int, at: datetime) -> list[tuple[Slice, int | None]]:
    """Each slice of a first-come pool with what gifts can still get of it; None for one that is over.

    `free` is what no gift holds: the slice that is open has all of it but what belongs to those that have not begun.
    """
    later = sum(part.amount for part in pool.slices if part.opens > at)
    return [
        (part, None if part.closes <= at else part.amount if part.opens > at else max(0, free - later))
        for part in pool.slices
    ]


def begun(pool: Pool, at: datetime) -> int:
    """The money of the slices that have begun."""
    return sum(part.amount for part in pool.slices if part.opens <= at)


def check_money(matched: int, there: int) -> None:
    """Whether a pool has what its file gives. Raises `Conflict` (`settlement.short`): nothing of it is paid then."""
    if matched > there:
        raise Conflict(
            "settlement.short",
            Text(
                "The pool holds less than this computation gives: part of it was paid before. Decline it.",
                "资金池余额少于计算结果：其中一部分此前已支付。请否决该结算。",
            ),
        )


def restored(wish: int, free: int) -> int:
    """What of a match that was taken back stands again, when its pool has so much free money."""
    return min(wish, max(0, free))


def parse_rate(written: str) -> Fraction:
    """How many times a gift is matched, as people write it: `1`, `0.5`. Raises `Invalid` (`pool.rate`)."""
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,4})?", written):
        raise _rate()
    return Fraction(written)


class State(StrEnum):
    """How far a pool has come; follows from its time, the words on its newest file, and its payment."""

    ANNOUNCED = "announced"
    OPEN = "open"
    REVIEW = "review"
    JUDGED = "judged"
    SETTLED = "settled"


TITLES: dict[State, Text] = {
    State.ANNOUNCED: Text("Announced", "尚未开始"),
    State.OPEN: Text("Open", "进行中"),
    State.REVIEW: Text("Closed, in review", "已结束，复核中"),
    State.JUDGED: Text("Computed, two stewards look at it", "已计算，等待两位审核员确认"),
    State.SETTLED: Text("Settled", "已结算"),
}


def state(pool: Pool, now: datetime, *, proposed: bool, settled: bool) -> State:
    """How far the pool has come."""
    if settled:
        return State.SETTLED
    if now < pool.opens:
        return State.ANNOUNCED
    if now < pool.closes:
        return State.OPEN
    return State.JUDGED if proposed else State.REVIEW


def check_word(
    approved_by: Sequence[uuid.UUID], steward: uuid.UUID, *, declined: bool, settled: bool, involved: bool
) -> None:
    """Whether this steward may say a word on a settlement now.

    Raises `NotAllowed` with `settlement.own` for somebody of the charity or the company, `Conflict` with
    `settlement.decided` and `settlement.same-person`.
    """
    if involved:
        raise NotAllowed(
            "settlement.own",
            Text("Nobody agrees to a settlement of their own organisation.", "不能确认自己所在机构的配捐结算。"),
        )
    if declined or settled:
        raise Conflict("settlement.decided", Text("This has been decided already.", "该结算已有结论。"))
    if steward in approved_by:
        raise Conflict(
            "settlement.same-person",
            Text("The second yes must come from another person.", "第二次确认须由另一位审核员作出。"),
        )
