"""Gifts like those of a machine, or of people who were told what to give: one amount, one campaign, one moment.

A crowd at nine o'clock is no burst: what counts is how many of the gifts of a moment carry one amount, against how many
carry it at other times.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from commonweal.kernel.text import Text
from commonweal.services.giving.signals.rows import Row, of_many_aims
from commonweal.services.giving.signals.signal import Kind, Run, Signal, duration, large, money, rhythm, runs, tiny

_SAME = Text(
    "{count} gifts of {amount} within {time}; {expected} would be usual among those of that time.",
    "{time}内有 {count} 笔 {amount}的捐款，同一时段通常约为 {expected} 笔。",
)
_REGULAR = Text("They came at regular intervals of about {gap}.", "捐款间隔非常规律，约每 {gap}一笔。")
_ONE_ACCOUNT = Text(
    "One account made {count} gifts, half of them within {gap} of the one before.",
    "同一账号捐款 {count} 笔，其中一半与前一笔相隔不到 {gap}。",
)
_CARDS = Text(
    "{count} gifts of a few cents with {payments} {payments:card|cards} from one {what}.",
    "同一{what}用 {payments} 张卡捐了 {count} 笔极小的金额。",
)
_AFTER_TEST = Text(
    "{count} {count:gift was|gifts were} paid with cards that had been tried.", "{count} 笔捐款使用了试探过的卡。"
)
_PROMISE = Text("The message speaks of money that comes back: “{words}”.", "留言提到返还：“{words}”。")
_PUBLIC = Text("A public text speaks of money that comes back: “{words}”.", "公开文字提到返还：“{words}”。")
_WHAT = {"device": Text("device", "设备"), "account": Text("account", "账号")}

_PROMISES = re.compile(
    r"返现|返还|返钱|全额返|捐\s*\d+\s*[元块]?\s*返|捐完\S{0,4}(返|退|还)|(返|退|还)(给|回)?\s*(你|您|大家)|退款给|报销|私下退|群里返"
    r"|pay(ing|s)?\s+(you\s+|it\s+)?back|paid\s+back|(money|cash)\s*-?\s*back|reimburs|refund\s+you|give\s+\S+\s+get\s+\S+\s+back",
    re.IGNORECASE,
)


def same_amounts(rows: Sequence[Row]) -> list[Signal]:
    """Bursts of one amount in one campaign: a machine, a promise to pay back, or cards being tried."""
    by_campaign: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_campaign[row.campaign].append(row)
    amounts = Counter((row.asset.code, _alike(row)) for row in rows)
    busy = of_many_aims(rows)
    found = []
    for campaign, theirs in by_campaign.items():
        times = sorted(row.at for row in theirs)
        by_amount: defaultdict[int, list[Row]] = defaultdict(list)
        for row in theirs:
            by_amount[_alike(row)].append(row)
        for amount, same in by_amount.items():
            if len(same) >= 6:
                everywhere = amounts[same[0].asset.code, amount] / len(rows)
                found += _bursts(campaign, amount, same, times, everywhere=everywhere, busy=busy)
    return found


def _alike(row: Row) -> int:
    """Its amount, where tiny amounts are one."""
    return max(row.amount, tiny(row.asset))


def _bursts(
    campaign: str, amount: int, same: list[Row], times: list[float], *, everywhere: float, busy: set[str]
) -> list[Signal]:
    same = sorted(same, key=lambda row: row.at)

    def usual(first: int, last: int) -> tuple[int, float]:
        """The gifts of that moment, and the amount's share at other times or elsewhere."""
        near = bisect_right(times, same[last].at) - bisect_left(times, same[first].at)
        outside = (len(same) - (last - first + 1) + 20 * everywhere) / (len(times) - near + 20)
        return near, min(max(everywhere, outside), 0.9)

    found = []
    for run in runs([row.at for row in same], usual, least=6, sure=8):
        burst = same[run.first : run.last + 1]
        signal = _named(campaign, amount, _strangers(burst, run, busy), run, crowd=_crowd(burst, busy))
        if signal is not None:
            found.append(signal)
    return found


def _strangers(burst: list[Row], run: Run, busy: set[str]) -> list[Row]:
    """Where honest gifts must be among the others, those of accounts that give elsewhere, too, are left alone, if most
    are of accounts that do not."""
    strangers = [row for row in burst if row.account not in busy]
    return strangers if run.expected > 1 and len(strangers) > 0.6 * len(burst) else burst


def _crowd(burst: list[Row], busy: set[str]) -> bool:
    """Colleagues, or the followers of a star: everybody pays for themselves, and has a device of their own or gives
    elsewhere, too."""
    accounts = {row.account for row in burst}
    own = len({row.payment for row in burst if row.payment}) >= 0.8 * len(burst)
    apart = len({row.device or row.id for row in burst}) >= 0.6 * len(burst)
    return own and (apart or len(accounts & busy) >= max(1, len(accounts) / 20))


def _named(campaign: str, amount: int, burst: list[Row], run: Run, *, crowd: bool) -> Signal | None:
    """What kind of burst it is; None for one that people may well have made."""
    span, asset = burst[-1].at - burst[0].at, burst[0].asset
    said = money(amount, asset)
    if amount <= tiny(asset):
        said = Text(f"at most {said.en}", f"不超过 {said.zh}")
    reasons = [_SAME.format(count=len(burst), amount=said, time=duration(span), expected=f"{run.expected:.1f}")]
    gap = rhythm([row.at for row in burst])
    if gap is not None:
        reasons.append(_REGULAR.format(gap=duration(gap)))
    kind: Kind
    if amount <= tiny(asset):
        kind = "card-testing"
    elif gap is not None or (run.how > 12 and span <= (len(burst) / 2 if crowd else 120)):
        kind = "bot"
    elif amount >= large(asset):
        kind = "return-gift"
    else:
        return None
    return Signal(kind, min(60 + round(run.how), 100), campaign, tuple(row.id for row in burst), tuple(reasons))


def tireless(rows: Sequence[Row]) -> list[Signal]:
    """One account that gives faster and oftener than a hand does."""
    by: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.account:
            by[row.account].append(row)
    found = []
    for unordered in by.values():
        if len(unordered) < 4:
            continue
        theirs = sorted(unordered, key=lambda row: row.at)
        gaps = [b.at - a.at for a, b in pairwise(theirs)]
        middle = median(gaps)
        if max(gaps) <= 3 or (len(theirs) >= 8 and middle <= 10) or (len(theirs) >= 20 and middle <= 120):
            reason = _ONE_ACCOUNT.format(count=len(theirs), gap=duration(middle))
            found.append(Signal("bot", 85, theirs[0].campaign, tuple(row.id for row in theirs), (reason,)))
    return found


def card_testing(rows: Sequence[Row]) -> list[Signal]:
    """Gifts of a few fen with many cards from one device or account, and what those cards paid later."""
    by_payment: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.payment:
            by_payment[row.payment].append(row)
    found = []
    for what in ("device", "account"):
        by: defaultdict[str, list[Row]] = defaultdict(list)
        for row in rows:
            if row.amount <= tiny(row.asset) and getattr(row, what):
                by[getattr(row, what)].append(row)
        for tests in by.values():
            payments = {row.payment or row.id for row in tests}
            if len(payments) < 4:
                continue
            first = {row.payment: row.at for row in sorted(tests, key=lambda row: -row.at)}
            later = [
                row
                for payment, at in first.items()
                for row in by_payment[payment]
                if row.amount > tiny(row.asset) and row.at >= at and getattr(row, what) == getattr(tests[0], what)
            ]
            reasons = [_CARDS.format(count=len(tests), payments=len(payments), what=_WHAT[what])]
            if later:
                reasons.append(_AFTER_TEST.format(count=len(later)))
            ids = tuple(row.id for row in [*tests, *later])
            score = min(70 + 3 * len(payments), 100)
            found.append(Signal("card-testing", score, tests[0].campaign, ids, tuple(reasons)))
    return found


def promise(campaign: str, text: str) -> Signal | None:
    """The signal of a public text that promises money back. It names no gift: nobody's match waits for a text."""
    words = _PROMISES.search(text)
    return words and Signal("return-gift", 70, campaign, (), (_PUBLIC.format(words=words[0]),))


def promises(rows: Sequence[Row]) -> list[Signal]:
    """Messages that promise money back, together for each campaign."""
    by: defaultdict[str, list[tuple[Row, str]]] = defaultdict(list)
    for row in rows:
        if row.message and (words := _PROMISES.search(row.message)):
            by[row.campaign].append((row, words[0]))
    return [
        Signal(
            "return-gift",
            70,
            campaign,
            tuple(row.id for row, _ in theirs),
            (_PROMISE.format(words=Counter(words for _, words in theirs).most_common(1)[0][0]),),
        )
        for campaign, theirs in by.items()
    ]
