"""A tree drawn from a certificate's number: the same number is always the same tree, and hardly two are alike."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from commonweal.services.forest.survey.design import numbers

WIDTH, HEIGHT = 160, 160
DEPTH = 5


def tree(number: str, *, shrub: bool) -> str:
    """SVG of a tree or a shrub for a certificate's number; without a name, for the page gives it one."""
    dice = numbers(number.encode())
    stems = 3 + int(next(dice) * 3) if shrub else 1
    lines: list[tuple[int, str]] = []
    leaves: list[str] = []
    for stem in range(stems):
        lean = (stem - (stems - 1) / 2) * 0.38 + (next(dice) - 0.5) * 0.2
        length = (24 if shrub else 40) * (0.85 + 0.3 * next(dice))
        _grow(dice, (80.0, 146.0), lean, length, DEPTH - 1 if shrub else DEPTH, lines, leaves)
    drawn = "".join(
        f'<path class="w{width}" d="{"".join(path for _, path in group)}"/>'
        for width, group in itertools.groupby(sorted(lines), key=lambda line: line[0])
    )
    ground = '<path class="soil" d="M18 147c24-3 40 2 62 0s42-2 62 0"/>'
    return f'{ground}{drawn}<path class="leaf" d="{"".join(leaves)}"/>'


def _grow(
    dice: Iterator[float],
    foot: tuple[float, float],
    lean: float,
    length: float,
    depth: int,
    lines: list[tuple[int, str]],
    leaves: list[str],
) -> None:
    """A branch and what grows on it; `lean` is its angle from upright in radians."""
    x, y = foot[0] + math.sin(lean) * length, foot[1] - math.cos(lean) * length
    bend = (next(dice) - 0.5) * 5
    middle = f"{(foot[0] + x) / 2 + bend:.0f} {(foot[1] + y) / 2:.0f}"
    lines.append((depth, f"M{foot[0]:.0f} {foot[1]:.0f}Q{middle} {x:.0f} {y:.0f}"))
    if depth == 1:
        leaves.append(f"M{x - 3:.0f} {y:.0f}a3 3 0 1 0 6 0a3 3 0 1 0-6 0")
        return
    for side in (-1, 1):
        turn = side * (0.28 + 0.3 * next(dice)) + (next(dice) - 0.5) * 0.15
        _grow(dice, (x, y), lean * 0.8 + turn, length * (0.62 + 0.2 * next(dice)), depth - 1, lines, leaves)
