"""Why there is no route: the facts in the way, how near one gets, and the least change of limits that opens it."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from commonweal.kernel.text import Text
from commonweal.services.access.graph import search
from commonweal.services.access.graph.build import metres
from commonweal.services.access.graph.easing import OPENERS, Change, change, current, needs
from commonweal.services.access.graph.router import Compiled, Near, Point, Router, Way
from commonweal.services.access.rules import MAX_ROUTE_M, SMOOTHNESS, SURFACE_GRADES, Fact, Profile, admits, judge

BARRED, CLOSED = 1e5, 1e8
"""What a fact in the way costs, in metres: one that a limit opens, and one that none does."""
MOST_KEPT = 16
_ORDER = {"surface": SURFACE_GRADES, "smoothness": SMOOTHNESS}


@dataclass(frozen=True, slots=True)
class Opening:
    """Changes of a profile under which there is a route of `length` metres."""

    changes: tuple[Change, ...]
    profile: Profile
    length: float


@dataclass(frozen=True, slots=True)
class Refused:
    """No route: `reasons` are facts with element, date and place; `nearest` is how near one gets to the goal."""

    code: str
    text: Text
    reasons: tuple[dict[str, Any], ...]
    nearest: dict[str, float] | None
    opens: Opening | None


def explain(router: Router, profile: Profile, start: Point, goal: Point) -> Refused:
    """The reasons why `Router.find` found nothing."""
    starts, goals = router.candidates(start, "from"), router.candidates(goal, "to")
    nearest = _nearest(router, profile, starts, goal)
    least = _least_barred(router, profile, starts, goals)
    if least is None:
        return Refused(
            "route.unconnected",
            Text(
                "On this map no way leads from there to here for anybody: it may be missing from the map.",
                "地图上没有任何人可走的路连接这两地，可能是地图数据缺失。",
            ),
            (
                {
                    "attribute": "connection",
                    "value": None,
                    "source": "osm",
                    "date": str(router.graph.meta["dated"])[:10],
                },
            ),
            nearest,
            None,
        )
    opens = _one_change(router, profile, start, goal) or _all_changes(router, profile, least, start, goal)
    way = opens and router.find(opens.profile, start, goal)
    reasons = _reasons(router, profile, way or least) or _reasons(router, profile, least)
    named = Text("; ".join(r["text"]["en"] for r in reasons[:3]), "；".join(r["text"]["zh"] for r in reasons[:3]))
    if opens is None:
        return Refused(
            "route.closed",
            Text("There is no way that is open to the public: {why}.", "没有向公众开放的路：{why}。").format(why=named),
            tuple(reasons),
            nearest,
            None,
        )
    return Refused(
        "route.none",
        Text("No way there is free of barriers for you: {why}.", "没有适合您的无障碍路线：{why}。").format(why=named),
        tuple(reasons),
        nearest,
        opens,
    )


def _nearest(router: Router, profile: Profile, starts: Near, goal: Point) -> dict[str, float] | None:
    """The reachable vertex that lies nearest to the goal."""
    a, compiled = router.arrays, router.compiled(profile)
    open_ = np.flatnonzero(compiled.parts[starts.edges] >= 0)
    if not len(open_):
        return None
    place = router.at(starts, int(open_[0]), compiled.flags)
    begins, costs, _ = router.leaving(compiled.flags, router.cost("shortest", profile), place)
    cost = router.cost("shortest", profile)
    best, _ = search.spread(a.a_first, a.a_arc, a.e_u, a.e_v, cost, compiled.flags, begins, costs, np.inf)
    reached = np.flatnonzero(np.isfinite(best))
    if not len(reached):
        return {
            "lat": place.lat,
            "lon": place.lon,
            "left_m": round(float(metres(place.lat, place.lon, *goal)), 1),
            "way_m": 0.0,
        }
    away = metres(a.v_lat[reached], a.v_lon[reached], *goal)
    vertex = int(reached[int(np.argmin(away))])
    return {
        "lat": float(a.v_lat[vertex]),
        "lon": float(a.v_lon[vertex]),
        "left_m": round(float(away.min()), 1),
        "way_m": round(float(best[vertex]), 1),
    }


def _least_barred(router: Router, profile: Profile, starts: Near, goals: Near) -> Way | None:
    """The way over the fewest facts that keep this person out, as if all were open; None if nothing is connected."""
    a = router.arrays
    fixed, everything = _tolls(router, profile)
    cost = fixed.copy()
    _, _, edges, vertices = router.overlay.since(0)
    known: dict[tuple[str, object, str], float] = {}

    def live(facts: tuple[Fact, ...]) -> float:
        total = 0.0
        for fact in facts:
            key = (fact.attribute, fact.value, fact.doubt)
            if key not in known:
                known[key] = _toll(profile, fact, 0)
            total += known[key]
        return total

    for edge, facts in edges.items():
        cost[2 * edge : 2 * edge + 2] += live(facts)
    for vertex, facts in vertices.items():
        cost[a.a_arc[a.a_first[vertex] : a.a_first[vertex + 1]]] += live(facts)
    for first, last in router.pairs(starts, goals, everything):
        way = router.between(everything, cost, first, last)
        if way is not None:
            return way
    return None


_KEPT: WeakKeyDictionary[Router, OrderedDict[Profile, tuple[NDArray[np.float64], Compiled]]] = WeakKeyDictionary()
"""The tolls of the last profiles that were refused; two threads may compute the same ones."""


def _tolls(router: Router, profile: Profile) -> tuple[NDArray[np.float64], Compiled]:
    """What every arc costs with the facts on the map as tolls, and the graph as if all of it were open."""
    kept = _KEPT.setdefault(router, OrderedDict())
    key = dataclasses.replace(profile, name="", speed=1.0, length=MAX_ROUTE_M)
    if key in kept:
        return kept[key]
    a = router.arrays
    facts, first, index = router.graph.facts
    counts = np.diff(first)
    of_row = np.repeat(np.arange(len(counts)), counts)
    toll = {}
    for sense in (-1, 0, 1):
        each = np.array([_toll(profile, fact, sense) for fact in facts] or [0.0])
        toll[sense] = np.append(np.bincount(of_row, weights=each[index], minlength=len(counts)), 0.0)
    cost = np.repeat(a.e_len, 2)
    cost[0::2] += toll[1][a.e_row]
    cost[1::2] += toll[-1][a.e_row]
    tail = np.empty(len(cost), np.int32)
    tail[0::2], tail[1::2] = a.e_u, a.e_v
    for sense in (-1, 0, 1):
        cost += np.where(a.a_gate == sense, toll[sense][a.v_row[tail]], 0.0)
    flags: NDArray[np.uint8] = np.full(len(cost), search.OPEN, np.uint8)
    flags[0::2][a.e_oneway == 2] = search.LEAVE
    flags[1::2][a.e_oneway == 1] = search.LEAVE
    everything = Compiled(flags, flags, search.components(a.a_first, a.a_arc, flags), 0)
    kept[key] = cost, everything
    while len(kept) > MOST_KEPT:
        kept.popitem(last=False)
    return cost, everything


def _toll(profile: Profile, fact: Fact, sense: int) -> float:
    if admits(profile, fact, judge(profile, fact, sense)):
        return 0.0
    return CLOSED if needs(profile, fact, sense) is None else BARRED


def _barring(router: Router, profile: Profile, way: Way) -> list[tuple[Fact, int, str, int, float, float]]:
    """The facts on a way that keep this person out: fact, sense, element, time, latitude, longitude."""
    a, rows = router.arrays, router.graph.rows
    _, _, edges, vertices = router.overlay.since(0)
    found = []
    for number, piece in enumerate(way.pieces):
        edge, against = piece.arc >> 1, piece.arc & 1
        middle = int(a.e_shape[edge] + a.e_shape[edge + 1]) // 2
        where = float(a.s_lat[middle]), float(a.s_lon[middle])
        facts = (*rows[int(a.e_row[edge])].facts, *edges.get(edge, ()))
        for fact in facts:
            sense = 0 if fact.attribute == "kerb" else -1 if against else 1
            found.append((fact, sense, f"way/{int(a.e_way[edge])}", int(a.e_time[edge]), *where))
        if number:
            vertex = int(a.e_v[edge] if against else a.e_u[edge])
            row = int(a.v_row[vertex])
            place = (
                f"node/{int(a.v_node[vertex])}",
                int(a.v_time[vertex]),
                float(a.v_lat[vertex]),
                float(a.v_lon[vertex]),
            )
            facts = (*(rows[row].facts if row >= 0 else ()), *vertices.get(vertex, ()))
            found.extend((fact, int(a.a_gate[piece.arc]), *place) for fact in facts)
    return [entry for entry in found if not admits(profile, entry[0], judge(profile, entry[0], entry[1]))]


def _reasons(router: Router, profile: Profile, way: Way) -> list[dict[str, Any]]:
    from commonweal.services.access.graph.answer import date_of
    from commonweal.services.access.graph.text import say_fact

    reasons, seen = [], set()
    for fact, sense, element, time, lat, lon in _barring(router, profile, way):
        if (element, fact.attribute) in seen:
            continue
        seen.add((element, fact.attribute))
        said, raw = say_fact(fact), dict(fact.tags)
        source = raw.get("source") if fact.attribute in ("obstruction", "lift") else None
        if source:  # said by somebody, not by the map
            said = Text(f"{said.en} ({source}, {raw['since']})", f"{said.zh}（{source}，{raw['since']}）")
        reasons.append(
            {
                "attribute": fact.attribute,
                "value": fact.value,
                "verdict": judge(profile, fact, sense).name.lower(),
                "doubt": fact.doubt,
                "tags": dict(fact.tags),
                "element": element,
                "source": source or ("report" if fact.attribute == "obstruction" else "osm"),
                "date": raw["since"] if source else date_of(time, str(router.graph.meta["dated"])),
                "lat": lat,
                "lon": lon,
                "text": {"en": said.en, "zh": said.zh},
            }
        )
    return reasons


def _wanted(router: Router, profile: Profile) -> dict[str, set[float | str | bool]]:
    """For every limit that keeps this person out of something, the values that would let them pass one more thing."""
    wanted: dict[str, set[float | str | bool]] = {}
    _, _, edges, vertices = router.overlay.since(0)
    live = [fact for facts in (*edges.values(), *vertices.values()) for fact in facts]
    for fact in (*router.graph.facts[0], *{Fact(f.attribute, f.value, f.doubt): None for f in live}):
        for sense in (-1, 0, 1):
            if not admits(profile, fact, judge(profile, fact, sense)):
                for field, after in (needs(profile, fact, sense) or {}).items():
                    wanted.setdefault(field, set()).add(after)
    return wanted


def _one_change(router: Router, profile: Profile, start: Point, goal: Point) -> Opening | None:
    """The first single limit, in the order of `OPENERS` with the unknowns first, that opens a route; at its least."""
    wanted = _wanted(router, profile)
    fields = [field for field in OPENERS if field in wanted]
    for field in sorted(fields, key=lambda field: not field.startswith("unknown.")):
        loosest = change(profile, field, OPENERS[field])
        way = router.find(loosest, start, goal)
        if way is None or way.length > profile.length:
            continue
        return _least(router, profile, field, wanted[field], (start, goal)) or Opening(
            (Change(field, current(profile, field), OPENERS[field]),), loosest, way.length
        )
    return None


def _least(
    router: Router, profile: Profile, field: str, values: set[float | str | bool], ends: tuple[Point, Point]
) -> Opening | None:
    """Bisection over the values that matter: whatever a limit opens, a looser one opens too."""
    order = _ORDER.get(field)
    ladder = sorted(values, key=lambda value: order.index(str(value)) if order else value)
    if field == "width":
        ladder.reverse()
    if field.startswith("unknown."):
        ladder = [mode for mode in ("cautious", "permissive") if mode in values]
    low, high, best = 0, len(ladder), None
    while low < high:
        middle = (low + high) // 2
        tried = change(profile, field, ladder[middle])
        way = router.find(tried, *ends)
        if way is not None and way.length <= profile.length:
            best = Opening((Change(field, current(profile, field), ladder[middle]),), tried, way.length)
            high = middle
        else:
            low = middle + 1
    return best


def _all_changes(router: Router, profile: Profile, least: Way, start: Point, goal: Point) -> Opening | None:
    """The changes that admit every fact on the least barred way, dropping each that turns out not to be needed."""
    loosened = profile
    for fact, sense, *_ in _barring(router, profile, least):
        step = needs(loosened, fact, sense)
        if step is None:
            return None
        for field, after in step.items():
            loosened = change(loosened, field, after)
    fields = [field for field in OPENERS if current(loosened, field) != current(profile, field)]
    way = router.find(loosened, start, goal)
    if way is None or not fields:
        return None
    for field in list(fields):
        without = change(loosened, field, current(profile, field))
        found = router.find(without, start, goal)
        if found is not None:
            loosened, way = without, found
            fields.remove(field)
    changes = tuple(Change(field, current(profile, field), current(loosened, field)) for field in fields)
    if way.length > profile.length:
        loosened = dataclasses.replace(loosened, length=float(np.ceil(way.length)))
        changes += (Change("length", profile.length, loosened.length),)
    return Opening(changes, loosened, way.length)
