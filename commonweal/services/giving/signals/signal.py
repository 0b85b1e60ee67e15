"""What a signal says, and how surprising a count is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Literal

from commonweal.kernel.quantity import Asset, format_amount
from commonweal.kernel.text import Text

Kind = Literal["one-person", "refund-ring", "return-gift", "bot", "card-testing"]
KINDS: dict[Kind, Text] = {
    "one-person": Text("One person behind many accounts", "一人操作多个账号"),
    "refund-ring": Text("Gifts that were meant to be refunded", "先捐后退套取配捐"),
    "return-gift": Text("Gifts that somebody pays back", "有人承诺返还捐款"),
    "bot": Text("Gifts by a machine", "机器批量捐款"),
    "card-testing": Text("Stolen cards being tried", "小额试探盗用的银行卡"),
}


@dataclass(frozen=True, slots=True)
class Signal:
    """Gifts whose match waits until a steward has looked. `score` is 1 to 100; the reasons are for the steward and for
    the giver who asks. A signal never refuses a gift."""

    kind: Kind
    score: int
    campaign: str
    gifts: tuple[str, ...]
    reasons: tuple[Text, ...]


def surprise(count: int, of: int, share: float) -> float:
    """How unlikely `count` or more of `of` is where `share` is usual: -log10 of the binomial tail; 0 if it is not."""
    if count <= of * share:
        return 0.0
    if share <= 0 or count > of:
        return 999.0
    log_first = (
        math.lgamma(of + 1) - math.lgamma(count + 1) - math.lgamma(of - count + 1)
        + count * math.log(share) + (of - count) * math.log1p(-share)
    )  # fmt: skip
    total = term = 1.0
    for n in range(count, of):
        term *= (of - n) / (n + 1) * share / (1 - share)
        total += term
        if term < 1e-12 * total:
            break
    return -(log_first + math.log(total)) / math.log(10)


GAPS = (1.0, 4.0, 15.0, 60.0, 240.0, 900.0, 3600.0)
"""Seconds of silence that end a run; each is tried."""


@dataclass(frozen=True, slots=True)
class Run:
    """Events `first` to `last` (included) that come closer together than is usual."""

    first: int
    last: int
    expected: float
    how: float

    def __len__(self) -> int:
        return self.last - self.first + 1


def runs(
    times: Sequence[float], usual: Callable[[int, int], tuple[int, float]], *, least: int, sure: float
) -> list[Run]:
    """Surprising runs of sorted times, not overlapping, as narrow as they can be.

    `usual(first, last)` tells how many events there were in all and which share of them is usual. A run has at least
    `least` events, five times what honest people would add to the others, and a surprise of `sure` or more.
    """
    chosen: list[Run] = []
    for gap in GAPS:
        first = 0
        for last in range(len(times)):
            if last + 1 < len(times) and times[last + 1] - times[last] <= gap:
                continue
            count = last - first + 1
            if count >= least:
                of, share = usual(first, last)
                run = Run(first, last, (of - count) * share / (1 - share), surprise(count, of, share))
                inside = [other for other in chosen if first <= other.first and other.last <= last]
                if run.how >= sure and _adds(run, inside, of, share, sure):
                    chosen = [other for other in chosen if other not in inside]
                    chosen.append(run)
            first = last + 1
    return chosen


def _adds(run: Run, inside: list[Run], of: int, share: float, sure: float) -> bool:
    """A wider run takes the place of narrower ones if what it adds to them is surprising, too."""
    kept = sum(map(len, inside))
    more, expected = len(run) - kept, run.expected - sum(other.expected for other in inside)
    return more >= 5 * expected and (not inside or surprise(more, of - kept, share) >= sure / 2)


TURN = 15.0
"""Seconds: people who give one after another on one device are not faster than that in the middle."""


def rhythm(times: Sequence[float]) -> float | None:
    """The interval of events that come like clockwork; None if they do not.

    Three fifths of the intervals are near the middle one, and that is no chance. Near is within a third for what is
    faster than people; people who take turns are regular, too: there it is within an eighth.
    """
    gaps = [b - a for a, b in pairwise(times)]
    if len(gaps) < 6:
        return None
    middle = median(gaps)
    about, usual = (0.35, 0.25) if middle < TURN else (0.125, 0.1)
    near = sum((1 - about) * middle <= gap <= (1 + about) * middle for gap in gaps)
    clockwork = near >= 0.6 * len(gaps) and surprise(near, len(gaps), usual) >= 4
    return middle if middle > 0 and clockwork else None


def duration(seconds: float) -> Text:
    """A length of time in words."""
    for unit, en, zh in ((86400, "days", "天"), (3600, "hours", "小时"), (60, "minutes", "分钟")):
        if seconds >= 2 * unit:
            return Text(f"{seconds / unit:.0f} {en}", f"{seconds / unit:.0f} {zh}")
    digits = 0 if seconds >= 10 else 1
    return Text(f"{seconds:.{digits}f} seconds", f"{seconds:.{digits}f} 秒")


def tiny(asset: Asset) -> int:
    """The largest amount that is given to see whether a card works: ten fen."""
    return 10 if asset.exponent else 1


def large(asset: Asset) -> int:
    """The smallest amount that is worth being paid back for: 300 yuan. Of other currencies, whose rates are not asked
    here, 50 of those with cents and 5,000 of those without."""
    if asset.code == "CNY":
        return 30_000
    return 50 * int(10**asset.exponent) if asset.exponent else 5_000


def money(amount: int, asset: Asset) -> Text:
    """An amount for a reason: `8.80 yuan`, `8.80 元`."""
    written = format_amount(amount, asset, grouped=False)
    return Text(f"{written} {asset.title.en}", f"{written} {asset.title.zh}")
