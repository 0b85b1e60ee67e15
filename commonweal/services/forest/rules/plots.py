"""Seasons and plots: what is contracted, what is paid for, and when a place in it may be promised."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.text import Text

MOST_POSITIONS = 200_000
"""Positions of one plot. Larger ground is contracted as several plots, which a survey can tell apart."""
LEAST_POSITIONS = 60
"""Below, three sub-plots cannot be drawn, and nothing could be said of survival."""

CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{3,8}")
HALF = re.compile(r"20[2-9][0-9][SA]")


@dataclass(frozen=True, slots=True)
class Season:
    """When places are promised: `opens_at <= at < closes_at`. What is planted follows later."""

    key: str
    opens_at: datetime
    closes_at: datetime

    @property
    def half(self) -> str:
        """`2027S` or `2027A`, as certificates write it."""
        return self.key.partition("-")[0]


def check_season(half: str, opens_at: datetime, closes_at: datetime) -> None:
    """Raises `Invalid` (`season.half`, `season.period`)."""
    if not HALF.fullmatch(half):
        raise Invalid(
            "season.half",
            Text("Write a season as 2027S (spring) or 2027A (autumn).", "季节写作 2027S（春）或 2027A（秋）。"),
            field="half",
        )
    if opens_at >= closes_at:
        raise Invalid(
            "season.period", Text("A season closes after it opens.", "季节须先开放、后结束。"), field="closes_at"
        )


def check_open(season: Season, now: datetime) -> None:
    """Raises `Conflict` (`season.not-open`, `season.closed`) unless places are promised now."""
    if now < season.opens_at:
        raise Conflict("season.not-open", Text("This season is not open yet.", "这一季尚未开放。"))
    if now >= season.closes_at:
        raise Conflict(
            "season.closed", Text("This season is closed. The next one will open.", "这一季已结束，请等待下一季。")
        )


def check_plot(code: str, capacity: int, places: int) -> None:
    """Whether a plot can be contracted: `capacity` positions of the `places` that its outline has at this spacing.

    Raises `Invalid`: `plot.code`, `plot.few`, `plot.many`, `plot.dense`.
    """
    if not CODE.fullmatch(code):
        raise Invalid(
            "plot.code",
            Text(
                "A plot's code has 3 to 8 capital letters or digits, without I, L, O and U.",
                "地块代码为 3 至 8 位大写字母或数字，不含 I、L、O、U。",
            ),
            field="code",
        )
    if capacity < LEAST_POSITIONS:
        raise Invalid(
            "plot.few",
            Text("A plot has {n} positions at least.", "一个地块至少 {n} 个位置。").format(n=LEAST_POSITIONS),
            field="capacity",
        )
    if capacity > MOST_POSITIONS:
        raise Invalid(
            "plot.many",
            Text("Contract more than {n} positions as several plots.", "超过 {n} 个位置请分成几个地块签约。").format(
                n=f"{MOST_POSITIONS:,}"
            ),
            field="capacity",
        )
    if capacity > places:
        raise Invalid(
            "plot.dense",
            Text("At this spacing the ground has place for {n} trees.", "按这个株行距，这块地只能种 {n} 株。").format(
                n=f"{places:,}"
            ),
            field="capacity",
        )


def check_funding(positions: int, capacity: int, funded: int, reference: str) -> None:
    """Raises `Invalid` (`funding.positions`, `funding.reference`) or `Conflict` (`funding.beyond`)."""
    if positions < 1:
        raise Invalid("funding.positions", Text("Fund one position at least.", "至少资助一个位置。"), field="positions")
    if not 1 <= len(reference) <= 100 or not reference.isprintable():
        raise Invalid(
            "funding.reference",
            Text("Name the payment: 1 to 100 characters.", "请写明付款凭证号（1 至 100 字）。"),
            field="reference",
        )
    if funded + positions > capacity:
        raise Conflict(
            "funding.beyond",
            Text("Only {n} positions are not paid for.", "只剩 {n} 个位置未付款。").format(n=f"{capacity - funded:,}"),
            field="positions",
        )
