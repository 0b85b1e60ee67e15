"""The judge of the access benchmarks: a plain graph of every OSM node, built from raw tags by the stand-alone checker's
rules, searched by SciPy's Dijkstra. Shares no code with the router."""

from __future__ import annotations

import itertools
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra

from commonweal.services.access.checker import Raw, apart, forbidden, node_reading, verdict, way_reading

WALKED = str.split("""
footway path pedestrian steps corridor elevator platform residential living_street service unclassified
tertiary tertiary_link secondary secondary_link primary primary_link track road cycleway bridleway access_ramp
crossing trail busway
""")
ON_FOOT = ("yes", "designated", "permissive", "official", "public", "customers", "destination")
PHYSICAL = str.split("steps escalator wheelchair kerb incline width smoothness surface barrier")
"""What counts when another router's routes are judged: barriers, not rights of way."""
SPECIAL = ("surface", "smoothness", "width", "incline", "incline:across", "kerb", "kerb:height")


def walked(tags: dict[str, str]) -> bool:
    """Whether people may be expected to walk on a way at all."""
    highway, foot, area = tags.get("highway"), tags.get("foot", ""), tags.get("area") == "yes"
    if highway is None:
        return "platform" in (tags.get("railway"), tags.get("public_transport"))
    if highway == "construction":
        return tags.get("construction") in WALKED and not area
    if area and highway not in str.split(
        "footway path pedestrian steps corridor elevator platform access_ramp crossing trail"
    ):
        return False
    if highway in ("trunk", "trunk_link"):
        return foot in ON_FOOT or tags.get("sidewalk") in ("both", "left", "right", "yes")
    if tags.get("motorroad") == "yes" and foot not in ON_FOOT:
        return False
    if highway in ("cycleway", "bridleway", "busway"):
        return foot != "no" or bool(pavements(tags))
    return highway in WALKED


def pavements(tags: dict[str, str]) -> list[str]:
    """The sides with tags of their own."""
    found = []
    for side in ("left", "right"):
        own = any(
            key.startswith(start) and key[len(start) :].removesuffix(":start").removesuffix(":end") in SPECIAL
            for key in tags
            for start in (f"sidewalk:{side}:", "sidewalk:both:")
        )
        there = tags.get("sidewalk", "yes") not in ("no", "none", "separate", "right" if side == "left" else "left")
        if (
            own
            and there
            and tags.get(f"sidewalk:{side}", tags.get("sidewalk:both", "yes")) not in ("no", "none", "separate")
        ):
            found.append(side)
    return found


class Judge:
    """The raw map for one profile at a time."""

    def __init__(self, extract: Path) -> None:
        self.raw = Raw(extract)
        self.ways = {name: way for name, way in self.raw.ways.items() if walked(way[0])}
        self.refs = sorted({ref for _, refs, _ in self.ways.values() for ref in refs if ref in self.raw.nodes})
        self.index = {ref: k for k, ref in enumerate(self.refs)}
        self.readings = {ref: node_reading(tags) for ref in self.refs if (tags := self.raw.nodes[ref][2])}
        self.at = np.array([self.raw.nodes[ref][:2] for ref in self.refs])

    def pairs(self, count: int, seed: int, low: float = 300, high: float = 2500) -> list[tuple[int, int]]:
        """Junctions of the largest connected part, `low` to `high` metres apart."""
        uses: dict[int, int] = {}
        one, two = [], []
        for _, refs, _ in self.ways.values():
            for a, b in itertools.pairwise(refs):
                if a in self.index and b in self.index:
                    one.append(self.index[a])
                    two.append(self.index[b])
                    uses[a], uses[b] = uses.get(a, 0) + 1, uses.get(b, 0) + 1
        graph = csr_matrix((np.ones(len(one)), (one, two)), shape=(len(self.refs),) * 2)
        part = connected_components(graph, directed=False)[1]
        largest = np.bincount(part).argmax()
        junctions = [ref for ref in self.refs if uses.get(ref, 0) >= 3 and part[self.index[ref]] == largest]
        draw = random.Random(seed)
        found: list[tuple[int, int]] = []
        while len(found) < count:
            a, b = draw.choice(junctions), draw.choice(junctions)
            if low <= apart(*self.raw.nodes[a][:2], *self.raw.nodes[b][:2]) <= high:
                found.append((a, b))
        return found

    def take(self, profile: dict[str, Any]) -> None:
        """Judge for `profile` from now on."""
        closed = {
            self.index[ref]
            for ref, reading in self.readings.items()
            if any(forbidden(profile, name, value, doubt, 0) for name, (value, doubt) in reading.items())
        }
        arcs: dict[tuple[int, int], float] = {}
        self.profile, self.closed = profile, closed
        self.out: dict[int, list[tuple[int, float]]] = {}
        for tags, refs, _ in self.ways.values():
            kerbs = sum("kerb" in self.readings.get(ref, {}) for ref in refs)
            oneway = tags.get("oneway:foot", tags.get("conveying", ""))
            for side in pavements(tags) or [""]:
                reading = way_reading(tags, side, kerbs)
                for sense in (1, -1):
                    if (oneway in ("yes", "1", "forward") or tags.get("foot:backward") == "no") and sense < 0:
                        continue
                    if (oneway in ("-1", "backward") or tags.get("foot:forward") == "no") and sense > 0:
                        continue
                    if any(
                        forbidden(profile, name, value, doubt, 0 if name == "kerb" else sense)
                        for name, (value, doubt) in reading.items()
                    ):
                        continue
                    for a, b in itertools.pairwise(refs):
                        if a in self.index and b in self.index and a != b:
                            i, j = (self.index[a], self.index[b]) if sense > 0 else (self.index[b], self.index[a])
                            length = apart(*self.raw.nodes[a][:2], *self.raw.nodes[b][:2]) + 1e-9
                            if length < arcs.get((i, j), math.inf):
                                arcs[i, j] = length
        ends = np.array(list(arcs), int).reshape(-1, 2)
        weight = np.array(list(arcs.values()))
        through = ~np.isin(ends[:, 0], list(closed))
        size = (len(self.refs),) * 2
        self.graph = csr_matrix((weight[through], (ends[through, 0], ends[through, 1])), shape=size)

    def stands(self, ref: int) -> bool:
        """Whether one can stand at a node: it is not closed, and something open leads from it."""
        k = self.index[ref]
        return k not in self.closed and self.graph.indptr[k + 1] > self.graph.indptr[k]

    def shortest(self, start: int, goal: int, limit: float = math.inf) -> float:
        """The length of the shortest way, infinite if there is none within `limit`."""
        found = dijkstra(self.graph, indices=self.index[start], limit=limit)
        return float(found[self.index[goal]])

    def walkable(self, path: list[int]) -> list[str]:
        """What a walk over nodes crosses that this profile must not: every node between, every step."""
        crossed = [f"node/{ref}" for ref in path[1:-1] if self.index.get(ref) in self.closed]
        for a, b in itertools.pairwise(path):
            if not any(self._step(way, a, b) for way in self._ways_of(a)):
                crossed.append(f"{a}-{b}")
        return crossed

    def _ways_of(self, ref: int) -> list[tuple[dict[str, str], list[int], str]]:
        if not hasattr(self, "_by_node"):
            self._by_node: dict[int, list[tuple[dict[str, str], list[int], str]]] = {}
            for way in self.ways.values():
                for node in set(way[1]):
                    self._by_node.setdefault(node, []).append(way)
        return self._by_node.get(ref, [])

    def _step(self, way: tuple[dict[str, str], list[int], str], a: int, b: int) -> bool:
        tags, refs, _ = way
        kerbs = sum("kerb" in self.readings.get(ref, {}) for ref in refs)
        for sense, line in ((1, refs), (-1, refs[::-1])):
            if any(line[k : k + 2] == [a, b] for k in range(len(line) - 1)):
                for side in pavements(tags) or [""]:
                    reading = way_reading(tags, side, kerbs)
                    if not any(
                        forbidden(self.profile, n, v, d, 0 if n == "kerb" else sense) for n, (v, d) in reading.items()
                    ):
                        return True
        return False

    def unsafe(self, path: list[int], *, width_unknown_fails: bool) -> bool:
        """Whether a walk crosses what is tagged as a barrier for the profile; unknown counts as passable, but for
        barriers of unknown width if that is asked."""
        profile = self.profile
        for ref in path[1:-1]:
            for name, (value, doubt) in self.readings.get(ref, {}).items():
                if name in PHYSICAL and verdict(profile, name, value, doubt, 0) == "fail":
                    return True
                if width_unknown_fails and name == "barrier" and value is None and profile["width"] > 60:
                    return True
        return any(self._barred(a, b) for a, b in itertools.pairwise(path))

    def _barred(self, a: int, b: int) -> bool:
        """Whether every way that joins two nodes fails the profile."""
        steps = []
        for tags, refs, _ in self._ways_of(a):
            for sense, line in ((1, refs), (-1, refs[::-1])):
                if any(line[k : k + 2] == [a, b] for k in range(len(line) - 1)):
                    for side in pavements(tags) or [""]:
                        reading = way_reading(tags, side, 2)
                        steps.append(
                            any(
                                n in PHYSICAL and verdict(self.profile, n, v, d, 0 if n == "kerb" else sense) == "fail"
                                for n, (v, d) in reading.items()
                            )
                        )
        return bool(steps) and all(steps)

    def match(self, line: list[tuple[float, float]]) -> list[int]:
        """The nodes that a foreign route's line runs through (its points lie on OSM nodes up to rounding)."""
        if not hasattr(self, "_tree"):
            from scipy.spatial import cKDTree

            self._scale = np.array([1.0, math.cos(math.radians(float(self.at[:, 0].mean())))])
            self._tree = cKDTree(self.at * self._scale)
        distance, where = self._tree.query(np.array(line) * self._scale)
        nodes = [self.refs[k] for d, k in zip(distance, where, strict=True) if d < 3e-6]
        return [ref for k, ref in enumerate(nodes) if k == 0 or ref != nodes[k - 1]]
