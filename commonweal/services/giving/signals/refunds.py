"""Refund rings: gifts that were given for their match and taken back. Honest refunds are few and scattered."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import median

from commonweal.kernel.text import Text
from commonweal.services.giving.signals.rows import Row
from commonweal.services.giving.signals.signal import Signal, duration, runs, surprise

LAG = 1.25
"""Refunds are alike if the longest wait is at most so many times the shortest."""

_TOGETHER = Text(
    "{refunded} of the {gifts} gifts of {time} were refunded; {expected} would be usual.",
    "{time}内的 {gifts} 笔捐款中有 {refunded} 笔退款，通常约为 {expected} 笔。",
)
_ALIKE = Text(
    "{refunded} gifts were refunded after {low} to {high}; {expected} would be usual.",
    "{refunded} 笔捐款都在 {low} 至 {high} 后退款，通常约为 {expected} 笔。",
)
_ONE_HAND = Text(
    "{refunded} of {gifts} gifts that share one {what} were refunded.",
    "使用同一{what}的 {gifts} 笔捐款中有 {refunded} 笔退款。",
)
_WHAT = {
    "account": Text("account", "账号"),
    "device": Text("device", "设备"),
    "payment": Text("card or wallet", "支付方式"),
}


def refund_rings(rows: Sequence[Row]) -> list[Signal]:
    """Refunds that belong together: by one hand, at one time, or after one wait."""
    refunded = [row for row in rows if row.refunded_at is not None]
    if not refunded:
        return []
    usual = _usual_rate(rows)
    lags = sorted(_lag(row) for row in refunded)
    by_campaign: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_campaign[row.campaign].append(row)
    found = []
    for campaign, theirs in by_campaign.items():
        back = [row for row in theirs if row.refunded_at is not None]
        if len(back) >= 5:
            found += _at_one_time(campaign, theirs, back, usual)
            found += _after_one_wait(campaign, theirs, back, usual, lags)
    for what, key in _KEYS.items():
        found += _by_one_hand(what, key, rows, usual)
    return found


_KEYS: dict[str, Callable[[Row], str]] = {
    "account": lambda row: row.account,
    "device": lambda row: row.device,
    "payment": lambda row: row.payment,
}


def _usual_rate(rows: Sequence[Row]) -> float:
    """The part of gifts that is refunded in the middle campaign: rings are in few, so they do not move it."""
    by_campaign: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        counts = by_campaign[row.campaign]
        counts[0] += 1
        counts[1] += row.refunded_at is not None
    ordered = sorted((back / gifts, gifts) for gifts, back in by_campaign.values())
    half, seen = len(rows) / 2, 0
    for rate, gifts in ordered:
        seen += gifts
        if seen >= half:
            return max(rate, 0.002)
    return 0.002


def _lag(row: Row) -> float:
    return max((row.refunded_at or row.at) - row.at, 1.0)


def _at_one_time(campaign: str, theirs: list[Row], back: list[Row], usual: float) -> list[Signal]:
    times = sorted(row.at for row in theirs)
    back = sorted(back, key=lambda row: row.at)

    def near(first: int, last: int) -> int:
        return bisect_right(times, back[last].at) - bisect_left(times, back[first].at)

    def rate(first: int, last: int) -> tuple[int, float]:
        gifts = near(first, last)
        rest = (len(back) - (last - first + 1) + 50 * usual) / (len(times) - gifts + 50)
        return gifts, min(max(usual, rest), 0.9)

    found = []
    for run in runs([row.at for row in back], rate, least=5, sure=6):
        ring = _alike(back[run.first : run.last + 1])
        reason = _TOGETHER.format(
            refunded=len(run),
            gifts=near(run.first, run.last),
            time=duration(back[run.last].at - back[run.first].at),
            expected=f"{run.expected:.1f}",
        )
        found.append(_signal(campaign, ring, run.how, reason))
    return found


def _alike(ring: list[Row]) -> list[Row]:
    """Without the honest refund that happens to be among them: where most waited equally long, those who did."""
    middle = median(_lag(row) for row in ring)
    alike = [row for row in ring if middle / 2 <= _lag(row) <= 2 * middle]
    return alike if len(alike) >= 0.7 * len(ring) else ring


def _after_one_wait(campaign: str, theirs: list[Row], back: list[Row], usual: float, lags: list[float]) -> list[Signal]:
    back = sorted(back, key=_lag)
    waits = [_lag(row) for row in back]
    left, best = 0, None
    for right in range(len(back)):
        while waits[right] > LAG * waits[left]:
            left += 1
        count = right - left + 1
        if count < 6:
            continue
        alike = bisect_right(lags, waits[right]) - bisect_left(lags, waits[left]) - count
        share = usual * min((alike + 1) / max(len(lags) - len(back), 1), 1)
        how, expected = surprise(count, len(theirs), share), len(theirs) * share
        if how > 7 and count >= 5 * expected and (best is None or how > best[0]):
            best = (how, left, right, expected)
    if best is None:
        return []
    how, left, right, expected = best
    reason = _ALIKE.format(
        refunded=right - left + 1,
        low=duration(waits[left]),
        high=duration(waits[right]),
        expected=f"{expected:.1f}",
    )
    return [_signal(campaign, back[left : right + 1], how, reason)]


def _by_one_hand(what: str, key: Callable[[Row], str], rows: Sequence[Row], usual: float) -> list[Signal]:
    by: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if key(row):
            by[key(row)].append(row)
    found = []
    for theirs in by.values():
        back = [row for row in theirs if row.refunded_at is not None]
        how = surprise(len(back), len(theirs), usual)
        if len(back) >= 3 and how >= 5 and len(back) >= 0.6 * len(theirs):
            reason = _ONE_HAND.format(refunded=len(back), gifts=len(theirs), what=_WHAT[what])
            found.append(_signal(back[0].campaign, back, how, reason))
    return found


def _signal(campaign: str, ring: list[Row], how: float, reason: Text) -> Signal:
    score = min(60 + round(2 * how), 100)
    return Signal("refund-ring", score, campaign, tuple(row.id for row in ring), (reason,))
