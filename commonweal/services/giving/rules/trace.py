"""Which gift paid for what, exactly: first in, first out, on a number line.

Every fund has a line of its smallest units. A gift is laid on it once, `[start, end)`, behind the one before; a payout
draws the first places that are free; a refund draws the places of its own gift and so leaves a hole. Nothing is ever
moved, so the trace is the overlap of two intervals: a gift paid for a payout what their intervals share.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from commonweal.kernel.errors import Conflict
from commonweal.kernel.text import Text


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Places `[start, end)` on the line of a fund, in smallest units; never empty."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"not a span: [{self.start}, {self.end})")

    def __len__(self) -> int:
        return self.end - self.start


def draw(laid: int, drawn: Iterable[Span], amount: int) -> list[Span]:
    """The first `amount` free places on a line that is laid up to `laid` and from which `drawn` is gone.

    `drawn` is disjoint, in any order. Raises `Conflict` with code `fund.too-low` if fewer places are free.
    """
    if amount <= 0:
        raise ValueError("a draw takes at least one unit")
    found: list[Span] = []
    place, missing = 0, amount
    for gone in [*sorted(drawn), Span(laid, laid + 1)]:
        if missing and place < gone.start:
            found.append(Span(place, min(gone.start, place + missing)))
            missing -= len(found[-1])
        place = gone.end
    if missing:
        raise Conflict(
            "fund.too-low",
            Text(
                "The fund does not hold as much. Ask for what is there, or wait for more gifts.",
                "资金余额不足。请按现有余额申请，或等待更多捐款。",
            ),
            field="amount",
        )
    return found
