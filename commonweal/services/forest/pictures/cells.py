"""A tile of the map: circles for cells, or every tree, over a net of degrees of our own. No map of anybody else."""

from __future__ import annotations

import math
from collections.abc import Sequence

SIDE = 512
CELL = SIDE / 16


def cell_map(cells: Sequence[tuple[int, int, int, int]], net: Sequence[tuple[str, float, str]]) -> str:
    """The inside of the SVG: cells `(x, y, places, planted)`; the net as `("v" or "h", share of the side, label)`.

    A circle's area is in proportion to its places; the inner, darker one to its planted trees.
    """
    most = max((places for _, _, places, _ in cells), default=1)
    outer, inner = "", ""
    for x, y, places, planted in cells:
        cx, cy = (x + 0.5) * CELL, (y + 0.5) * CELL
        outer += _circle(cx, cy, _radius(places, most))
        if planted:
            inner += _circle(cx, cy, _radius(planted, most))
    return f'{_net(net)}<path class="places" d="{outer}"/><path class="cell" d="{inner}"/>'


def tree_map(trees: Sequence[tuple[float, float, str]], net: Sequence[tuple[str, float, str]]) -> str:
    """The inside of the SVG: trees `(share from the west, from the north, class)`."""
    drawn = ""
    for kind in dict.fromkeys(kind for _, _, kind in trees):
        path = "".join(_circle(x * SIDE, y * SIDE, 4.5) for x, y, each in trees if each == kind)
        drawn += f'<path class="{kind}" d="{path}"/>'
    return _net(net) + drawn


def _net(net: Sequence[tuple[str, float, str]]) -> str:
    lines = "".join(f"M{s * SIDE:.0f} 0V{SIDE}" if way == "v" else f"M0 {s * SIDE:.0f}H{SIDE}" for way, s, _ in net)
    words = "".join(
        f'<text x="{s * SIDE + 4:.0f}" y="14">{label}</text>'
        if way == "v"
        else f'<text x="4" y="{s * SIDE - 4:.0f}">{label}</text>'
        for way, s, label in net
    )
    return f'<path class="net" d="{lines}"/>{words}'


def _circle(x: float, y: float, r: float) -> str:
    return f"M{x - r:.1f} {y:.1f}a{r:.1f} {r:.1f} 0 1 0 {2 * r:.1f} 0a{r:.1f} {r:.1f} 0 1 0-{2 * r:.1f} 0"


def _radius(count: int, most: int) -> float:
    return max(2.5, CELL / 2 * math.sqrt(count / most))


def net_step(span: float) -> float:
    """Degrees between lines of the net, so that a few cross a span: 1, 2 or 5 times a power of ten."""
    power = math.pow(10, math.floor(math.log10(span / 2)))
    return max(n * power for n in (1.0, 2.0, 5.0) if n * power <= span / 2)
