"""What is true only now: barriers that people report, lifts out of service, works. Laid over the graph, not into it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from commonweal.services.access.rules import Fact
from commonweal.services.access.trust import Standing

KEPT_CHANGES = 50_000
"""How many changes are remembered for catching up; who is farther behind starts anew."""


BLOCKED = Fact("obstruction", "blocked")


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
    fact: Fact = BLOCKED

    @property
    def stated(self) -> Fact | None:
        """What it says now; None once cleared."""
        if self.standing == "doubted":
            return Fact(self.fact.attribute, None, "report", self.fact.tags, self.fact.note)
        return self.fact if self.standing == "confirmed" else None


class Overlay:
    """The live barriers by id, applied by their sequence numbers; replaying one, or an older one, changes nothing.

    `sequence` is the highest number seen; `version` counts the changes here, for catching up.
    """

    def __init__(self) -> None:
        self._barriers: dict[str, tuple[int, Barrier]] = {}
        self._edges: dict[int, dict[str, Fact]] = {}
        self._vertices: dict[int, dict[str, Fact]] = {}
        self._changes: list[Barrier] = []
        self._forgotten = 0
        self._lock = threading.Lock()
        self.sequence = 0

    @property
    def version(self) -> int:
        """How many changes there have been."""
        return self._forgotten + len(self._changes)

    def apply(self, barriers: Iterable[tuple[int, Barrier]]) -> int:
        """Take changes with their sequence numbers, an older one for the same barrier losing. Returns the sequence."""
        with self._lock:
            for sequence, barrier in barriers:
                known = self._barriers.get(barrier.id)
                if known is None or known[0] < sequence:
                    if known:
                        self._lay(known[1], None)
                        self._changes.append(known[1])
                    self._barriers[barrier.id] = (sequence, barrier)
                    self._lay(barrier, barrier.stated)
                    self._changes.append(barrier)
                self.sequence = max(self.sequence, sequence)
            if len(self._changes) > 2 * KEPT_CHANGES:
                self._forgotten += len(self._changes) - KEPT_CHANGES
                del self._changes[:-KEPT_CHANGES]
            return self.sequence

    def _lay(self, barrier: Barrier, fact: Fact | None) -> None:
        for table, places in ((self._edges, barrier.edges), (self._vertices, barrier.vertices)):
            for place in places:
                if fact is not None:
                    table.setdefault(place, {})[barrier.id] = fact
                elif place in table:
                    table[place].pop(barrier.id, None)
                    if not table[place]:
                        del table[place]

    def since(self, version: int) -> tuple[int, int, dict[int, tuple[Fact, ...]], dict[int, tuple[Fact, ...]]]:
        """Version, sequence, and the facts now on every edge and vertex that changed since `version` (0 for all that
        have any; an empty tuple where nothing is left)."""
        with self._lock:
            if version < self._forgotten or version == 0:
                edges, vertices = set(self._edges), set(self._vertices)
            else:
                changed = self._changes[version - self._forgotten :]
                edges = {edge for barrier in changed for edge in barrier.edges}
                vertices = {vertex for barrier in changed for vertex in barrier.vertices}
            return (
                self.version,
                self.sequence,
                {edge: tuple(self._edges.get(edge, {}).values()) for edge in edges},
                {vertex: tuple(self._vertices.get(vertex, {}).values()) for vertex in vertices},
            )

    def known(self, version: int) -> bool:
        """Whether the changes since `version` are still remembered."""
        return version >= self._forgotten

    def on(self, edge: int) -> Iterator[str]:
        """The ids of the barriers on an edge now."""
        yield from tuple(self._edges.get(edge, ()))
