"""Water-filling: a total is shared in proportion to weights, nobody gets more than a cap, and what a cap holds back
goes to the others, until all is shared or all are full. The parts are integers and sum to what could be shared."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

from commonweal.kernel.quantity import share_out

Cap = int | None


def fill(total: int, weights: Sequence[int], caps: Sequence[Cap]) -> list[int]:
    """Share `total` by `weights` under `caps`. Rounded by largest remainders, ties to the earlier one.

    A weight of zero gets nothing. The sum is `total`, or less only if every weight above zero is at its cap.
    """
    ends = [_end(weight, cap) for weight, cap in zip(weights, caps, strict=True)]
    level = _level(total, list(zip(weights, ends, strict=True)))
    full = [end is not None and (level is None or end <= level) for end in ends]
    parts = [cap or 0 if is_full and weight else 0 for weight, cap, is_full in zip(weights, caps, full, strict=True)]
    if level is not None:
        rest = [0 if is_full else weight for weight, is_full in zip(weights, full, strict=True)]
        if any(rest):
            parts = [a + b for a, b in zip(parts, share_out(total - sum(parts), rest), strict=True)]
    return parts


def fill_groups(
    total: int, weights: Sequence[int], caps: Sequence[Cap], groups: Sequence[str], group_cap: dict[str, Cap]
) -> list[int]:
    """As `fill`, with a second cap on the sum of each group. Rounding is between groups first, then within each."""
    if all(cap is None for cap in group_cap.values()):
        return fill(total, weights, caps)
    members: dict[str, list[int]] = {group: [] for group in sorted(set(groups))}
    for n, group in enumerate(groups):
        members[group].append(n)
    ends = [_end(weight, cap) for weight, cap in zip(weights, caps, strict=True)]
    for group, theirs in members.items():
        cap = group_cap[group]
        full_at = None if cap is None else _level(cap, [(weights[n], ends[n]) for n in theirs])
        for n in theirs:
            ends[n] = _lower(ends[n], full_at)
    level = _level(total, list(zip(weights, ends, strict=True)))
    exact = [sum((_reached(weights[n], ends[n], level) for n in theirs), Fraction(0)) for theirs in members.values()]
    scale = lcm(*(amount.denominator for amount in exact))
    shared = total if level is not None else int(sum(exact))
    sums = share_out(shared, [int(amount * scale) for amount in exact])
    parts = [0] * len(weights)
    for amount, theirs in zip(sums, members.values(), strict=True):
        for n, part in zip(theirs, fill(amount, [weights[n] for n in theirs], [caps[n] for n in theirs]), strict=True):
            parts[n] = part
    return parts


def _end(weight: int, cap: Cap) -> Fraction | None:
    """The water level at which a cap is reached. What has no weight never asks for anything."""
    if weight == 0:
        return Fraction(0)
    return None if cap is None else Fraction(cap, weight)


def _lower(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    return min((end for end in (a, b) if end is not None), default=None)


def _reached(weight: int, end: Fraction | None, level: Fraction | None) -> Fraction:
    lower = _lower(end, level)
    return weight * lower if lower is not None else Fraction(0)


def _level(total: int, ramps: list[tuple[int, Fraction | None]]) -> Fraction | None:
    """The level at which the sum of `weight * min(level, end)` is `total`; None if all ends together hold less."""
    slope, held = sum(weight for weight, _ in ramps), Fraction(0)
    for end, weight in sorted((end, weight) for weight, end in ramps if end is not None):
        if slope * end + held >= total:
            break
        held += weight * end
        slope -= weight
    return (total - held) / slope if slope else None
