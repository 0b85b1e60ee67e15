"""Multilateral netting of what banks owe one another, without a debt that nobody has agreed to.

What is owed forms a directed graph: debtor, creditor, minutes. Minutes that run round a cycle can be struck out at
every bank of it: each owes less and is owed less by the same number, so no bank's net position changes, no position
grows and none is new. This is conservative compression (D'Errico and Roukny, "Compressing Over-the-Counter Markets",
Operations Research 69(6), 2021). As much as possible is struck out: a circulation of the greatest volume, found by
cancelling gainful cycles in the residual graph (Klein, Management Science 14(3), 1967).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """What one bank owes another under one agreement. `free`: how much of it can be struck out, 0 to `minutes`: less
    than all while the creditor has promised minutes away that it could not cover otherwise.
    """

    agreement: str
    debtor: str
    creditor: str
    minutes: int
    free: int

    def __post_init__(self) -> None:
        if not 0 <= self.free <= self.minutes or self.minutes == 0 or self.debtor == self.creditor:
            raise ValueError("a position is a number of minutes from one bank to another, and no more of it is free")


def compress(positions: Sequence[Position]) -> list[int]:
    """How much of each position is struck out, in the order given: the greatest sum there is.

    Deterministic whatever the order: positions are looked at by agreement, and of several best answers the one that
    this finds is the answer.
    """
    order = sorted(range(len(positions)), key=lambda n: (positions[n].agreement, positions[n].debtor))
    struck = [0] * len(positions)
    while cycle := _gainful(positions, struck, order):
        room = min(positions[n].free - struck[n] if forward else struck[n] for n, forward in cycle)
        for n, forward in cycle:
            struck[n] += room if forward else -room
    return struck


def gain(positions: Sequence[Position], struck: Sequence[int]) -> bool:
    """Whether more could be struck out than was: what a stranger asks to see that a statement is the best one."""
    return bool(_gainful(positions, struck, range(len(positions))))


Step = tuple[int, bool]
"""A position, and whether it is struck out further (True) or less again (False)."""


def _gainful(positions: Sequence[Position], struck: Sequence[int], order: Sequence[int]) -> list[Step]:
    """A cycle of the residual graph that strikes out more than it gives back; none if there is none (Bellman-Ford)."""
    steps: list[tuple[str, str, int, Step]] = []
    for n in order:
        at = positions[n]
        if struck[n] < at.free:
            steps.append((at.debtor, at.creditor, 1, (n, True)))
        if struck[n]:
            steps.append((at.creditor, at.debtor, -1, (n, False)))
    best: dict[str, int] = {bank: 0 for start, end, _, _ in steps for bank in (start, end)}
    came: dict[str, tuple[str, Step]] = {}
    last = None
    for _ in range(len(best)):
        last = None
        for start, end, worth, step in steps:
            if best[start] + worth > best[end]:
                best[end], came[end], last = best[start] + worth, (start, step), end
        if last is None:
            break
    if last is None:
        return []
    for _ in range(len(best)):  # somewhere behind this bank lies the cycle: go back until surely on it
        last = came[last][0]
    cycle, bank = [], last
    while True:
        bank, step = came[bank]
        cycle.append(step)
        if bank == last:
            return cycle
