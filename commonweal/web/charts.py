"""Charts as plain SVG with the numbers in a table behind them: nothing is said by colour or shape alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from commonweal.kernel.quantity import Asset, format_amount
from commonweal.kernel.text import Text

WIDTH, HEIGHT = 640, 220
"""Size of a line chart in its own units."""


def _written(amount: int, asset: Asset | None) -> str:
    return format_amount(amount, asset) if asset else f"{amount:,}"


def bars(rows: Sequence[tuple[Text | str, int]], caption: Text, asset: Asset | None = None) -> SafeString:
    """Horizontal bars; each is named and numbered in words, so the list of them is the table."""
    most = max((amount for _, amount in rows), default=0)
    shown = [
        {"title": title, "written": _written(amount, asset), "share": f"{100 * amount / most:.2f}" if most > 0 else "0"}
        for title, amount in rows
    ]
    unit = asset.title if asset else None
    return render_to_string("web/parts/bars.html", {"rows": shown, "caption": caption, "unit": unit})


def line(points: Sequence[tuple[date, int]], caption: Text, asset: Asset | None = None) -> SafeString:
    """A line over days, from zero to a round number above the largest amount."""
    top = ceiling(max((amount for _, amount in points), default=0))
    first, last = (points[0][0], points[-1][0]) if points else (None, None)
    days = max((last - first).days, 1) if first and last else 1
    places = [
        (round(WIDTH * (day - first).days / days, 1), round(HEIGHT - HEIGHT * amount / top, 1))  # type: ignore[operator]
        for day, amount in points
    ]
    path = " ".join(f"{'L' if n else 'M'}{x:g} {y:g}" for n, (x, y) in enumerate(places))
    context = {
        "caption": caption,
        "summary": _summary(points, asset),
        "path": path,
        "area": f"{path} V{HEIGHT} H{places[0][0]:g} Z" if places else "",
        "end": places[-1] if places else None,
        "rows": [{"day": day, "written": _written(amount, asset)} for day, amount in points],
        "top": _written(top, asset),
        "half": _written(top // 2, asset),
        "first": first,
        "last": last,
        "width": WIDTH,
        "height": HEIGHT,
        "middle": HEIGHT // 2,
        "unit": asset.title if asset else None,
    }
    return render_to_string("web/parts/line_chart.html", context)


def _summary(points: Sequence[tuple[date, int]], asset: Asset | None) -> Text:
    if not points:
        return Text("Nothing has been counted yet.", "尚无数据。")
    ends = {"first": _written(points[0][1], asset), "last": _written(points[-1][1], asset)}
    if asset is None:
        return Text("From {first} to {last}.", "从 {first} 到 {last}。").format(**ends)
    return Text("From {first} to {last} {unit}.", "从 {first} 到 {last} {unit}。").format(unit=asset.title, **ends)


def ceiling(amount: int) -> int:
    """The smallest of 2, 4, 10, 20, 40, 100... that is not below `amount`: the top of an axis, with a whole middle."""
    top = 2
    while top < amount:
        top = top * 5 // 2 if str(top)[0] == "4" else top * 2
    return top
