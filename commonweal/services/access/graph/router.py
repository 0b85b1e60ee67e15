"""Routes over a graph for one profile: find the street, find the way, or say that there is none.

A profile is a hard filter: an arc is open to it or is not there. Only then the length, the time, the slope or the
unknowns decide between ways. The default is the shortest way, so that loosening any limit can only shorten it.
"""

from __future__ import annotations

import dataclasses
import math
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from commonweal.kernel.errors import Invalid, NotFound
from commonweal.kernel.text import Text
from commonweal.services.access.graph import search
from commonweal.services.access.graph.build import CELL, RADIUS, metres
from commonweal.services.access.graph.overlay import Overlay
from commonweal.services.access.graph.store import Arrays, Graph, load
from commonweal.services.access.rules import MAX_ROUTE_M, Fact, Profile, Verdict, admits, judge
from commonweal.services.access.spots import check, swapped

Objective = Literal["shortest", "fastest", "flattest", "known"]
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)
SNAP_M = 20.0
"""How much farther than the nearest street the nearest reachable one may be, metres: about what a phone is off."""
NEAR_M = 100.0
"""Where streets are looked for first, metres."""
COVERED_M = 500.0
"""A point farther than this from any street is outside the map, metres."""
LIFT_WAIT_M = 40.0
"""A ride in a lift, as metres walked (about 40 s)."""
ON_VERTEX_M = 0.06
"""Nearer than this to a vertex, a place is that vertex, metres."""
KEPT_PROFILES = 64
Point = tuple[float, float]
"""Latitude and longitude, WGS-84 degrees."""


@dataclass(frozen=True, slots=True)
class Place:
    """A point on the graph: `along` metres from the first vertex of `edge`, `off` metres from where it was asked."""

    edge: int
    along: float
    off: float
    lat: float
    lon: float
    segment: int


@dataclass(frozen=True, slots=True)
class Near:
    """Streets near a point, one entry an edge, nearest first: shape segment, fraction along it, metres away."""

    edges: NDArray[np.int32]
    segments: NDArray[np.int32]
    fractions: NDArray[np.float64]
    distances: NDArray[np.float64]

    def only(self, mask: NDArray[np.bool_]) -> Near:
        """The entries under `mask`."""
        return Near(self.edges[mask], self.segments[mask], self.fractions[mask], self.distances[mask])


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one arc that is walked, from `begin` to `end` metres in the direction of travel."""

    arc: int
    begin: float
    end: float

    @property
    def length(self) -> float:
        """Metres."""
        return self.end - self.begin


@dataclass(frozen=True, slots=True)
class Way:
    """A way that was found, on one state of the live overlay."""

    pieces: tuple[Piece, ...]
    start: Place
    goal: Place
    length: float
    settled: int
    sequence: int


@dataclass(frozen=True)
class Compiled:
    """A profile applied to the graph and to the live overlay up to `sequence`."""

    base: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    parts: NDArray[np.int32]
    sequence: int
    version: int = 0


class _Work(threading.local):
    """Work space of one thread: written where needed, never cleared."""

    vertices = 0

    def ready(self, vertices: int, arcs: int) -> _Work:
        if self.vertices != vertices:
            self.vertices = vertices
            self.mark = 0
            self.stamp = np.zeros(vertices, np.int64)
            self.best = np.empty(vertices)
            self.bound = np.empty(vertices)
            self.parent = np.empty(vertices, np.int32)
            self.keys = np.empty(arcs + 8)
            self.items = np.empty(arcs + 8, np.int32)
        self.mark += 1
        return self


def check_point(point: Point, field: str) -> Point:
    """Return `point` if it can be one on Earth. Raises `Invalid` (`point.form`, `point.swapped`)."""
    return check(*point, field)


class Router:
    """Answers questions on one graph; safe to share between threads."""

    def __init__(self, graph: Graph, overlay: Overlay | None = None) -> None:
        self.graph = graph
        plain = {f.name: np.asarray(getattr(graph.arrays, f.name)) for f in dataclasses.fields(graph.arrays)}
        self.arrays = Arrays(**plain)
        self.overlay = overlay or Overlay()
        self._length = np.repeat(self.arrays.e_len, 2)
        self._compiled: OrderedDict[Profile, Compiled] = OrderedDict()
        self._costs: OrderedDict[tuple[Objective, Profile], NDArray[np.float64]] = OrderedDict()
        self._lock = threading.Lock()
        self._work = _Work()

    @classmethod
    def open(cls, folder: Path | str) -> Router:
        """The router of a built graph."""
        return cls(load(Path(folder)))

    # Profiles on the graph

    def compiled(self, profile: Profile) -> Compiled:
        """The arcs open to `profile` now."""
        key = _limits(profile)
        with self._lock:
            known = self._compiled.get(key)
            if known is not None and known.version == self.overlay.version:
                self._compiled.move_to_end(key)
                return known
            base = known.base if known else self._base(profile)
            fresh = self._with_overlay(profile, base, known)
            self._compiled[key] = fresh
            self._compiled.move_to_end(key)
            while len(self._compiled) > KEPT_PROFILES:
                self._compiled.popitem(last=False)
            return fresh

    def _base(self, profile: Profile) -> NDArray[np.uint8]:
        facts, first, index = self.graph.facts
        a = self.arrays
        admitted = {
            sense: np.append(np.array([admits(profile, f, judge(profile, f, sense)) for f in facts], bool), True)
            for sense in (-1, 0, 1)
        }
        counts = np.diff(first)
        rows = {}
        for sense, per_fact in admitted.items():
            bad = np.bincount(
                np.repeat(np.arange(len(counts)), counts), weights=~per_fact[index], minlength=len(counts)
            )
            rows[sense] = np.append(bad == 0, True)  # the last one, reached by -1, is "no facts"
        flags = np.zeros(2 * len(a.e_row), np.uint8)
        for direction, sense in ((0, 1), (1, -1)):
            # A kerb tagged on a way counts both up and down whichever way one walks.
            passed = rows[sense][a.e_row] & self._kerb_rows(profile)[a.e_row] & (a.e_oneway != 2 - direction)
            flags[direction::2] = np.where(passed, search.PASS, 0)
        tail = np.empty(len(flags), np.int32)
        tail[0::2], tail[1::2] = a.e_u, a.e_v
        leave = np.zeros(len(flags), bool)
        for sense in (-1, 0, 1):
            leave |= (a.a_gate == sense) & rows[sense][a.v_row[tail]]
        return flags | np.where(leave, search.LEAVE, 0).astype(np.uint8)

    def _kerb_rows(self, profile: Profile) -> NDArray[np.bool_]:
        return np.array(
            [
                all(admits(profile, f, judge(profile, f)) for f in row.facts if f.attribute == "kerb")
                for row in self.graph.rows
            ],
            bool,
        )

    def _with_overlay(self, profile: Profile, base: NDArray[np.uint8], known: Compiled | None) -> Compiled:
        """Catch up with the live barriers, from `known` if its changes are still remembered, else anew."""
        if known is not None and not self.overlay.known(known.version):
            known = None
        version, sequence, edges, vertices = self.overlay.since(known.version if known else 0)
        flags = (known.flags if known else base).copy()
        a = self.arrays
        for edge, facts in edges.items():
            pair = slice(2 * edge, 2 * edge + 2)
            flags[pair] = (base[pair] & search.PASS if self._open(profile, facts) else 0) | (flags[pair] & search.LEAVE)
        for vertex, facts in vertices.items():
            arcs = a.a_arc[a.a_first[vertex] : a.a_first[vertex + 1]]
            flags[arcs] = (flags[arcs] & search.PASS) | (base[arcs] & search.LEAVE if self._open(profile, facts) else 0)
        parts = known.parts if known and not edges and not vertices else self._parts(flags)
        return Compiled(base, flags, parts, sequence, version)

    @staticmethod
    def _open(profile: Profile, facts: tuple[Fact, ...]) -> bool:
        return all(admits(profile, fact, judge(profile, fact)) for fact in facts)

    def _parts(self, flags: NDArray[np.uint8]) -> NDArray[np.int32]:
        parts: NDArray[np.int32] = search.components(self.arrays.a_first, self.arrays.a_arc, flags)
        return parts

    def cost(self, objective: Objective, profile: Profile) -> NDArray[np.float64]:
        """The cost of every arc in metres or more: what is to be avoided makes a street longer."""
        if objective == "shortest":
            return self._length
        key = (objective, _limits(profile))
        with self._lock:
            if key not in self._costs:
                self._costs[key] = self._price(objective, profile)
                while len(self._costs) > KEPT_PROFILES:
                    self._costs.popitem(last=False)
            return self._costs[key]

    def _price(self, objective: Objective, profile: Profile) -> NDArray[np.float64]:
        a, rows = self.arrays, self.graph.rows
        slope, rough, blank = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows))
        lift = np.zeros(len(rows) + 1, bool)
        for number, row in enumerate(rows):
            for fact in row.facts:
                if fact.attribute == "incline" and isinstance(fact.value, float):
                    slope[number] = fact.value
                if fact.attribute == "lift":
                    lift[number] = True
                if fact.attribute in ("surface", "smoothness") and fact.value in _SLOW:
                    rough[number] = 0.3
                blank[number] += judge(profile, fact) is Verdict.UNKNOWN
        price = self._length.copy()
        signed = np.empty(len(price))
        signed[0::2], signed[1::2] = slope[a.e_row], -slope[a.e_row]
        height = np.zeros(len(price))
        if np.isfinite(a.v_ele).any():
            rise = np.nan_to_num(a.v_ele[a.e_v] - a.v_ele[a.e_u]) / np.maximum(a.e_len, 30.0) * 100
            height[0::2], height[1::2] = rise, -rise
        steep = np.where(signed != 0, signed, height)
        if objective == "fastest":
            price *= 1 + np.clip(steep, 0, 30) * 0.06 + np.repeat(rough[a.e_row], 2)
        elif objective == "flattest":
            price *= 1 + np.clip(np.abs(steep), 0, 30) * 0.5
        else:
            price *= 1 + np.repeat(blank[a.e_row], 2)
        tail = np.empty(len(price), np.int32)
        tail[0::2], tail[1::2] = a.e_u, a.e_v
        price += np.where(lift[a.v_row[tail]] & (a.v_row[tail] >= 0), LIFT_WAIT_M, 0.0)
        return price

    # Points on the graph

    def nearby(self, point: Point, radius: float) -> Near:
        """The nearest point of every edge within `radius` metres, nearest first."""
        a = self.arrays
        edges, segments, fractions, distances = search.near(
            point[0], point[1], radius, CELL, a.g_cell, a.g_first, a.g_segment, a.s_edge, a.s_lat, a.s_lon
        )
        order = np.lexsort((edges, np.round(distances, 3)))
        order = order[np.sort(np.unique(edges[order], return_index=True)[1])]
        return Near(edges[order], segments[order], fractions[order], distances[order])

    def place(self, edge: int, segment: int, fraction: float, off: float) -> Place:
        """The point at `fraction` of a shape segment."""
        a = self.arrays
        first = int(a.e_shape[edge])
        lat, lon = a.s_lat[first : segment + 2], a.s_lon[first : segment + 2]
        steps = metres(lat[:-1], lon[:-1], lat[1:], lon[1:])
        along = float(steps[:-1].sum() + steps[-1] * fraction)
        where = (
            float(lat[-2] + (lat[-1] - lat[-2]) * fraction),
            float(lon[-2] + (lon[-1] - lon[-2]) * fraction),
        )
        whole, last = float(a.e_len[edge]), int(a.e_shape[edge + 1]) - 1
        if along <= ON_VERTEX_M:
            return Place(edge, 0.0, off, float(a.s_lat[first]), float(a.s_lon[first]), first)
        if along >= whole - ON_VERTEX_M:
            return Place(edge, whole, off, float(a.s_lat[last]), float(a.s_lon[last]), last - 1)
        return Place(edge, along, off, *where, segment)

    def candidates(self, point: Point, field: str) -> Near:
        """The streets around a point, nearest first. Raises `NotFound` (`point.uncovered`) if there are none."""
        near = self.nearby(point, NEAR_M)
        if not len(near.edges):
            near = self.nearby(point, COVERED_M)
        if len(near.edges):
            return near.only(near.distances <= near.distances[0] + SNAP_M)
        south, west, north, east = self.graph.bounds
        if south <= point[1] <= north and west <= point[0] <= east:
            raise swapped(point[1], point[0], field)
        raise NotFound(
            "point.uncovered",
            Text(
                "There is no street on this map within {m} m of {lat:.5f},{lon:.5f}. The map covers {s:.4f},{w:.4f} to "
                "{n:.4f},{e:.4f} (latitude, longitude, WGS-84).",
                "在 {lat:.5f},{lon:.5f} 周围 {m} 米内，本地图没有道路。地图覆盖 {s:.4f},{w:.4f} 至 {n:.4f},{e:.4f}"
                "（纬度,经度，WGS-84）。",
            ).format(m=int(COVERED_M), lat=point[0], lon=point[1], s=south, w=west, n=north, e=east),
            field=field,
        )

    def at(self, near: Near, k: int, flags: NDArray[np.uint8]) -> Place:
        """The `k`-th place; if that is a vertex one may not stand on, the place beside it on the same street."""
        a = self.arrays
        place = self.place(
            int(near.edges[k]), int(near.segments[k]), float(near.fractions[k]), float(near.distances[k])
        )
        vertex = self.vertex(place)
        if vertex >= 0 and not (flags[a.a_arc[a.a_first[vertex] : a.a_first[vertex + 1]]] & search.LEAVE).all():
            return self._beside(place)
        return place

    def vertex(self, place: Place) -> int:
        """The vertex at a place, -1 if it lies between two."""
        a = self.arrays
        if place.along <= 0:
            return int(a.e_u[place.edge])
        return int(a.e_v[place.edge]) if place.along >= a.e_len[place.edge] else -1

    def heading(self, place: Place, against: bool) -> float:
        """The bearing of the street at a place between two vertices, degrees clockwise from north."""
        a = self.arrays
        ahead, behind = (place.segment, place.segment + 1) if against else (place.segment + 1, place.segment)
        lat, lon = float(a.s_lat[ahead]), float(a.s_lon[ahead])
        begin = place.lat, place.lon
        if abs(lat - place.lat) + abs(lon - place.lon) < 1e-7:
            begin = float(a.s_lat[behind]), float(a.s_lon[behind])
        east = (lon - begin[1]) * math.cos(math.radians((lat + begin[0]) / 2))
        return math.degrees(math.atan2(east, lat - begin[0])) % 360

    def _beside(self, place: Place) -> Place:
        """A metre (or a third of the edge) inside the edge."""
        a = self.arrays
        length = float(a.e_len[place.edge])
        inset = min(1.0, length / 3)
        along = inset if place.along < length / 2 else length - inset
        first, last = int(a.e_shape[place.edge]), int(a.e_shape[place.edge + 1])
        steps = metres(
            a.s_lat[first : last - 1], a.s_lon[first : last - 1], a.s_lat[first + 1 : last], a.s_lon[first + 1 : last]
        )
        ends = np.cumsum(steps)
        k = min(int(np.searchsorted(ends, along)), len(steps) - 1)
        fraction = (along - (ends[k] - steps[k])) / steps[k] if steps[k] else 0.0
        moved = self.place(place.edge, first + k, float(fraction), 0.0)
        return dataclasses.replace(moved, off=place.off + abs(along - place.along))

    # Ways

    def pairs(self, starts: Near, goals: Near, compiled: Compiled) -> Iterator[tuple[Place, Place]]:
        """Places that may be connected, one pair for each connected part, the nearest to what was asked first."""
        leaving, arriving = compiled.parts[starts.edges], compiled.parts[goals.edges]
        shared = np.intersect1d(leaving, arriving)
        found = []
        for part in shared[shared >= 0]:
            i, j = int(np.argmax(leaving == part)), int(np.argmax(arriving == part))
            found.append((float(starts.distances[i] + goals.distances[j]), i, j))
        for _, i, j in sorted(found)[:8]:
            yield self.at(starts, i, compiled.flags), self.at(goals, j, compiled.flags)

    def between(
        self, compiled: Compiled, cost: NDArray[np.float64], start: Place, goal: Place, limit: float = math.inf
    ) -> Way | None:
        """The cheapest way from place to place, or None."""
        a, flags = self.arrays, compiled.flags
        straight = self._within_one_edge(flags, cost, start, goal)
        starts, start_costs, start_arcs = self.leaving(flags, cost, start)
        ends, end_costs, end_arcs = self._arriving(flags, cost, goal)
        work = self._work.ready(len(a.v_node), len(a.a_arc))
        u, v = int(a.e_u[goal.edge]), int(a.e_v[goal.edge])
        rest = float(a.e_len[goal.edge]) - goal.along
        goal_landmark = np.minimum(a.landmark[u] + np.float32(goal.along), a.landmark[v] + np.float32(rest))
        lat, lon = math.radians(goal.lat), math.radians(goal.lon)
        goal_xyz = RADIUS * np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
        total, last, settled = search.astar(
            a.a_first, a.a_arc, a.e_u, a.e_v, cost, flags, a.landmark, a.v_xyz, goal_landmark, goal_xyz,
            starts, start_costs, ends, end_costs, end_arcs, min(limit, straight[0] if straight else math.inf),
            work.stamp, work.mark, work.best, work.bound, work.parent, work.keys, work.items,
        )  # fmt: skip
        if straight and straight[0] <= total:
            piece = straight[1]
            return Way((piece,), start, goal, piece.length, settled, compiled.sequence)
        if not math.isfinite(total):
            return None
        return self._trace(
            work.parent, int(ends[last]), start, goal, start_arcs, int(end_arcs[last]), settled, compiled
        )

    def _within_one_edge(
        self, flags: NDArray[np.uint8], cost: NDArray[np.float64], start: Place, goal: Place
    ) -> tuple[float, Piece] | None:
        if start.edge != goal.edge:
            return None
        forward = goal.along >= start.along
        arc = 2 * start.edge + (not forward)
        length = float(self.arrays.e_len[start.edge])
        if not flags[arc] & search.PASS and start.along != goal.along:
            return None
        begin, end = (start.along, goal.along) if forward else (length - start.along, length - goal.along)
        return (end - begin) * (float(cost[arc]) / length if length else 1.0), Piece(arc, begin, end)

    def leaving(
        self, flags: NDArray[np.uint8], cost: NDArray[np.float64], place: Place
    ) -> tuple[NDArray[np.int32], NDArray[np.float64], list[int]]:
        """The vertices first reached from a place, what that costs, and by which arc (-1: one is there)."""
        a, edge = self.arrays, place.edge
        length = float(a.e_len[edge])
        vertex = self.vertex(place)
        vertices, costs, arcs = [], [], []
        for arc, head, part in (
            (2 * edge, int(a.e_v[edge]), length - place.along),
            (2 * edge + 1, int(a.e_u[edge]), place.along),
        ):
            if head == vertex and part <= 0:
                vertices.append(head)
                costs.append(0.0)
                arcs.append(-1)
            elif flags[arc] & search.PASS and (vertex < 0 or flags[arc] == search.OPEN):
                vertices.append(head)
                costs.append(float(cost[arc]) * part / length if length else 0.0)
                arcs.append(arc)
        return np.array(vertices, np.int32), np.array(costs, np.float64), arcs

    def _arriving(
        self, flags: NDArray[np.uint8], cost: NDArray[np.float64], place: Place
    ) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]:
        """The last vertices before a place, what is left from there, and by which arc (-1: it is the place)."""
        a, edge = self.arrays, place.edge
        length = float(a.e_len[edge])
        vertex = self.vertex(place)
        vertices, costs, arcs = [], [], []
        for arc, tail, part in (
            (2 * edge, int(a.e_u[edge]), place.along),
            (2 * edge + 1, int(a.e_v[edge]), length - place.along),
        ):
            if tail == vertex and part <= 0:
                vertices.append(tail)
                costs.append(0.0)
                arcs.append(-1)
            elif flags[arc] == search.OPEN:
                vertices.append(tail)
                costs.append(float(cost[arc]) * part / length if length else 0.0)
                arcs.append(arc)
        return np.array(vertices, np.int32), np.array(costs, np.float64), np.array(arcs, np.int32)

    def _trace(
        self,
        parent: NDArray[np.int32],
        vertex: int,
        start: Place,
        goal: Place,
        start_arcs: list[int],
        last_arc: int,
        settled: int,
        compiled: Compiled,
    ) -> Way:
        a = self.arrays
        pieces: list[Piece] = []
        if last_arc >= 0:
            part = goal.along if not last_arc & 1 else float(a.e_len[goal.edge]) - goal.along
            pieces.append(Piece(last_arc, 0.0, part))
        while (arc := int(parent[vertex])) >= 0:
            pieces.append(Piece(arc, 0.0, float(a.e_len[arc >> 1])))
            vertex = int(a.e_v[arc >> 1] if arc & 1 else a.e_u[arc >> 1])
        first_arc = start_arcs[-1 - arc]
        if first_arc >= 0:
            length = float(a.e_len[start.edge])
            done = start.along if not first_arc & 1 else length - start.along
            pieces.append(Piece(first_arc, done, length))
        pieces.reverse()
        return Way(tuple(pieces), start, goal, float(sum(piece.length for piece in pieces)), settled, compiled.sequence)

    def find(self, profile: Profile, start: Point, goal: Point, objective: Objective = "shortest") -> Way | None:
        """The best way between two points for `profile`, or None. Raises `Invalid` for what is no point or too far
        (`point.form`, `route.too-far`) and `NotFound` outside the map (`point.uncovered`)."""
        start, goal = check_point(start, "from"), check_point(goal, "to")
        starts, goals = self.candidates(start, "from"), self.candidates(goal, "to")
        straight = float(metres(*start, *goal))
        if straight > min(profile.length, MAX_ROUTE_M):
            raise too_far(profile, straight)
        compiled = self.compiled(profile)
        cost = self.cost(objective, profile)
        for first, last in self.pairs(starts, goals, compiled):
            path = self.between(compiled, cost, first, last)
            if path is not None:
                return path
        return None


_SLOW = frozenset(("compacted", "fine_gravel", "sett", "gravel", "ground", "unpaved", "grass", "bad", "very_bad"))


def _limits(profile: Profile) -> Profile:
    """What of a profile decides which arcs are open."""
    return dataclasses.replace(profile, name="", speed=1.0, length=MAX_ROUTE_M)


def too_far(profile: Profile, length: float) -> Invalid:
    """The refusal of a trip over the limit."""
    limit = min(profile.length, MAX_ROUTE_M)
    return Invalid(
        "route.too-far",
        Text(
            "This trip is {length:.1f} km; routes of up to {limit:.1f} km are planned. Take transit or ask for a ride.",
            "这段路程有 {length:.1f} 公里，最多规划 {limit:.1f} 公里。请改乘公共交通，或预约助行出车。",
        ).format(length=length / 1000, limit=limit / 1000),
        field="to",
    )
