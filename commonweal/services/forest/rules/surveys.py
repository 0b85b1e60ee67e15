"""Surveys: who may count, what was drawn, what follows. Where to look is drawn in `survey.design`, the interval is in
`survey.estimate`, what is owed in `certificates.duty`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.text import Text

REPLANT_WITHIN = timedelta(days=365)
"""A duty to replant is met within a year: by then every planting season has come once."""
LEAST = 3
"""Sub-plots that a survey has at least; the planner says how many make it precise."""


def check_wanted(wanted: int, population: int) -> None:
    """Raises `Conflict` (`survey.unplanted`) or `Invalid` (`survey.wanted`)."""
    if population < LEAST:
        raise Conflict("survey.unplanted", Text("Plant three sub-plots before a survey.", "至少栽满三个样地才能调查。"))
    if not LEAST <= wanted <= population:
        raise Invalid(
            "survey.wanted",
            Text("Choose {least} to {most} sub-plots.", "样地数须在 {least} 到 {most} 之间。").format(
                least=LEAST, most=population
            ),
            field="wanted",
        )


def drawing_seed(seed: bytes, root: bytes) -> bytes:
    """What the sub-plots are drawn from: the committed seed, and the root of the first checkpoint that holds the
    commitment. Whoever chose the seed could not know the root, and the root alone tells nothing without the seed."""
    return hashlib.sha256(seed + root).digest()


def check_count(
    subplot: int, chosen: Sequence[int], substitutes: Sequence[int], counted: Sequence[int], wanted: int
) -> None:
    """Whether a sub-plot may be counted now: it was drawn; substitutes step in in their order.

    Raises `Conflict`: `survey.not-drawn`, `survey.counted`, `survey.enough`, `survey.order`.
    """
    if subplot in counted:
        raise Conflict("survey.counted", Text("This sub-plot is counted.", "这个样地已调查。"), field="subplot")
    if len(counted) >= wanted:
        raise Conflict("survey.enough", Text("Every sub-plot is counted.", "样地已全部调查。"), field="subplot")
    if subplot in chosen:
        return
    if subplot not in substitutes:
        raise Conflict("survey.not-drawn", Text("This sub-plot was not drawn.", "这个样地没有抽中。"), field="subplot")
    if any(before not in counted for before in substitutes[: substitutes.index(subplot)]):
        raise Conflict(
            "survey.order", Text("Substitutes step in in their order.", "替补样地须按顺序启用。"), field="subplot"
        )


def check_alive(alive: int, planted: int) -> None:
    """Raises `Invalid` (`survey.alive`) unless 0 <= alive <= planted."""
    if not 0 <= alive <= planted:
        raise Invalid(
            "survey.alive",
            Text("{n} trees were planted in this sub-plot.", "这个样地栽了 {n} 株。").format(n=planted),
            field="alive",
        )


def read_diameters(text: str, alive: int) -> tuple[int, ...]:
    """Diameters at breast height in cm, as `5.2 6.1 4.8`, in millimetres. Raises `Invalid` (`survey.diameters`)."""
    try:
        found = tuple(round(float(part) * 10) for part in text.replace(",", " ").split())
    except (ValueError, OverflowError) as error:
        raise _diameters() from error
    if len(found) > alive or any(not 1 <= each <= 5_000 for each in found):
        raise _diameters()
    return found


def _diameters() -> Invalid:
    return Invalid(
        "survey.diameters",
        Text("Write diameters in cm, of living trees only.", "请以厘米填写直径，只量活树。"),
        field="diameters",
    )


def millionths(share: float) -> int:
    """A share in parts of a million, rounded down; without end (nothing is alive) is a thousandfold."""
    return min(1_000_000_000, int(share * 1_000_000)) if share < float("inf") else 1_000_000_000
