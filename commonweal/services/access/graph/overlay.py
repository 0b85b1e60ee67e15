"""What is true only now: barriers that people report, lifts out of service, works. Laid over the graph, never into it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from commonweal.services.access.rules import Fact, Standing


@dataclass(frozen=True, slots=True)
class Barrier:
    """A live barrier where it stands: on edges or vertices of one build.

    `confirmed` states `fact` as it is; `doubted` makes it a doubt, which leads cautious travellers around it;
    `cleared` takes it away.
    """

    id: str
    standing: Standing
    edges: tuple[int, ...] = ()
    vertices: tuple[int, ...] = ()
    fact: Fact = Fact("obstruction", "blocked")


class Overlay:
    """The live barriers by id, applied in the order of their sequence numbers; replaying one changes nothing."""

    def __init__(self) -> None:
        self._barriers: dict[str, tuple[int, Barrier]] = {}
        self._edges: Mapping[int, list[Fact]] = {}
        self._vertices: Mapping[int, list[Fact]] = {}
        self._stale = False
        self._lock = threading.Lock()
        self.sequence = 0

    def __len__(self) -> int:
        return len(self._barriers)

    def apply(self, barriers: Iterable[tuple[int, Barrier]]) -> int:
        """Take changes with their sequence numbers, an older one for the same barrier losing. Returns the sequence."""
        with self._lock:
            for sequence, barrier in barriers:
                known = self._barriers.get(barrier.id)
                if known is None or known[0] < sequence:
                    self._barriers[barrier.id] = (sequence, barrier)
                    self._stale = True
                self.sequence = max(self.sequence, sequence)
            return self.sequence

    def facts(self) -> tuple[int, Mapping[int, list[Fact]], Mapping[int, list[Fact]]]:
        """The sequence, and the facts now on edges and on vertices."""
        with self._lock:
            if self._stale:
                edges: dict[int, list[Fact]] = defaultdict(list)
                vertices: dict[int, list[Fact]] = defaultdict(list)
                for _, barrier in self._barriers.values():
                    if barrier.standing == "cleared":
                        continue
                    fact = barrier.fact
                    if barrier.standing == "doubted":
                        fact = Fact(fact.attribute, None, "report", fact.tags, fact.note)
                    for edge in barrier.edges:
                        edges[edge].append(fact)
                    for vertex in barrier.vertices:
                        vertices[vertex].append(fact)
                self._edges, self._vertices, self._stale = dict(edges), dict(vertices), False
            return self.sequence, self._edges, self._vertices

    def on(self, edge: int) -> list[Barrier]:
        """The barriers standing on an edge now."""
        return [b for _, b in self._barriers.values() if b.standing != "cleared" and edge in b.edges]
