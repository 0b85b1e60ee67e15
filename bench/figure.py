"""One figure of a benchmark, beside its anchor."""

from __future__ import annotations

import json
import sys
from typing import TypedDict


class Figure(TypedDict):
    """What a benchmark returns: `value` beside `anchor_value`, `ratio` of the two, `n` items measured, `ok` or not."""

    name: str
    value: float
    unit: str
    anchor: str
    anchor_value: float
    ratio: float
    n: int
    ok: bool


def figure(
    name: str, value: float, unit: str, *, anchor: str, anchor_value: float, n: int, least: float = 0, most: float = 0
) -> Figure:
    """A figure that is `ok` if it reaches `least`, or stays within `most`, whichever is given."""
    ok = (not least or value >= least) and (not most or value <= most)
    ratio = value / anchor_value if anchor_value else 0.0
    return {
        "name": name,
        "value": round(value, 4),
        "unit": unit,
        "anchor": anchor,
        "anchor_value": round(anchor_value, 4),
        "ratio": round(ratio, 3),
        "n": n,
        "ok": ok,
    }


def show(figures: list[Figure]) -> None:
    """Print the table and, last, one line of JSON: the figure itself, or the list if there are several."""
    rows: list[tuple[str, ...]] = [("name", "value", "unit", "anchor", "", "ratio", "n", "ok")]
    rows += [
        (
            *(f["name"], f"{f['value']:,.6g}", f["unit"]),
            *(f["anchor"], f"{f['anchor_value']:,.6g}", f"{f['ratio']:.3g}"),
            *(f"{f['n']:,}", "yes" if f["ok"] else "NO"),
        )
        for f in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip())
    sys.stdout.flush()
    print(json.dumps(figures[0] if len(figures) == 1 else figures, ensure_ascii=False))
