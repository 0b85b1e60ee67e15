"""What is handed out: a route with its evidence, or a refusal with its reasons. Plain JSON values throughout."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
from functools import lru_cache
from typing import Any

import numpy as np

from commonweal.services.access.graph import text
from commonweal.services.access.graph.build import SIDES
from commonweal.services.access.graph.refusal import Refused, explain
from commonweal.services.access.graph.router import LIFT_WAIT_M, Objective, Point, Router, Way, too_far
from commonweal.services.access.rules import MAX_ROUTE_M, Fact, Profile, judge

SIDE_NAMES = {number: name for name, number in SIDES.items()}
CERTIFICATE_FORMAT = 1
DEM_CAUTION_M = 30.0
"""An elevation model says nothing about a shorter stretch, metres."""


def date_of(seconds: int, otherwise: str) -> str:
    """The day of an edit (ISO 8601), or of the extract where the file keeps no times."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).date().isoformat() if seconds > 0 else otherwise[:10]


@lru_cache(maxsize=200_000)
def _stated(profile: Profile, fact: Fact, sense: int) -> tuple[tuple[str, Any], ...]:
    verdict = judge(profile, fact, sense)
    return (
        ("attribute", fact.attribute),
        ("value", fact.value),
        ("verdict", verdict.name.lower()),
        ("doubt", fact.doubt),
        ("tags", dict(fact.tags)),
    )


def _facts(profile: Profile, facts: tuple[Fact, ...], sense: int, element: str, date: str) -> list[dict[str, Any]]:
    return [
        dict(_stated(profile, fact, 0 if fact.attribute == "kerb" and element.startswith("way") else sense))
        | {"source": "osm", "element": element, "date": date}
        for fact in facts
    ]


def digest(certificate: dict[str, Any]) -> str:
    """The SHA-256 of a certificate without its own digest: sorted keys, no blanks, UTF-8."""
    body = {key: value for key, value in certificate.items() if key != "sha256"}
    return hashlib.sha256(
        json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()


def segments(router: Router, way: Way, profile: Profile) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The stretches of a route, each a run of one way, and the nodes with facts that are walked through."""
    a, graph = router.arrays, router.graph
    dated = str(graph.meta["dated"])
    stretches: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    for number, piece in enumerate(way.pieces):
        edge, against = piece.arc >> 1, piece.arc & 1
        first, last = int(a.e_shape[edge]), int(a.e_shape[edge + 1])
        nodes = a.s_node[first:last].tolist()
        if against:
            nodes.reverse()
        stretch: dict[str, Any] = {
            "way": int(a.e_way[edge]),
            "side": SIDE_NAMES[int(a.e_side[edge])],
            "against": bool(against),
        }
        low, high = 0, len(nodes)
        if piece.begin > 0 or (number == 0 and way.start.edge == edge and piece.length < a.e_len[edge]):
            low = _after(way.start.segment, first, last, against)
            stretch["begin"] = {
                "lat": round(way.start.lat, 7),
                "lon": round(way.start.lon, 7),
                "between": nodes[low - 1 : low + 1],
            }
        if number == len(way.pieces) - 1 and piece.end < a.e_len[edge]:
            high = _after(way.goal.segment, first, last, against)
            stretch["end"] = {
                "lat": round(way.goal.lat, 7),
                "lon": round(way.goal.lon, 7),
                "between": nodes[high - 1 : high + 1],
            }
        stretch |= {
            "nodes": nodes[low:high] if high > low else [],
            "length_m": round(piece.length, 2),
            "name": graph.names[int(a.e_name[edge])],
            "facts": _facts(
                profile,
                graph.rows[int(a.e_row[edge])].facts,
                -1 if against else 1,
                f"way/{int(a.e_way[edge])}",
                date_of(int(a.e_time[edge]), dated),
            ),
        }
        stretches.append(stretch)
        if number:
            vertex = int(a.e_v[edge] if against else a.e_u[edge])
            row = int(a.v_row[vertex])
            if row >= 0:
                sense = int(a.a_gate[piece.arc])
                node = int(a.v_node[vertex])
                date = date_of(int(a.v_time[vertex]), dated)
                facts = _facts(profile, graph.rows[row].facts, sense, f"node/{node}", date)
                points.append({"node": node, "sense": sense, "facts": facts})
    return stretches, points


def _after(segment: int, first: int, last: int, against: int) -> int:
    """The place, in travel order, of the first node after a point on a shape segment."""
    return last - 1 - segment if against else segment - first + 1


def geometry(router: Router, way: Way) -> list[list[float]]:
    """The line walked: longitude and latitude, 7 decimals."""
    a = router.arrays
    line: list[tuple[float, float]] = [(way.start.lat, way.start.lon)]
    for number, piece in enumerate(way.pieces):
        edge, against = piece.arc >> 1, piece.arc & 1
        first, last = int(a.e_shape[edge]), int(a.e_shape[edge + 1])
        shape = list(zip(a.s_lat[first:last].tolist(), a.s_lon[first:last].tolist(), strict=True))
        if against:
            shape.reverse()
        low = _after(way.start.segment, first, last, against) if piece.begin > 0 else 0
        cut = number == len(way.pieces) - 1 and piece.end < a.e_len[edge]
        high = _after(way.goal.segment, first, last, against) if cut else len(shape)
        line.extend(shape[low:high])
    line.append((way.goal.lat, way.goal.lon))
    line = [point for k, point in enumerate(line) if k == 0 or point != line[k - 1]]
    return [[round(lon, 7), round(lat, 7)] for lat, lon in (line if len(line) > 1 else line * 2)]


def seconds(router: Router, way: Way, profile: Profile) -> float:
    """How long it takes at the profile's speed: slower uphill, and a wait for every lift."""
    a, rows = router.arrays, router.graph.rows
    metres = 0.0
    for number, piece in enumerate(way.pieces):
        edge, against = piece.arc >> 1, piece.arc & 1
        slope = next((f.value for f in rows[int(a.e_row[edge])].facts if f.attribute == "incline"), None)
        rising = max(0.0, (-slope if against else slope)) if isinstance(slope, float) else 0.0
        metres += piece.length * (1 + 0.06 * rising)
        row = int(a.v_row[int(a.e_v[edge] if against else a.e_u[edge])])
        if number and row >= 0 and any(f.attribute == "lift" for f in rows[row].facts):
            metres += LIFT_WAIT_M
    return metres / (profile.speed / 3.6)


def cautions(router: Router, way: Way, profile: Profile) -> list[dict[str, Any]]:
    """What may be hard although nothing on record forbids it: steep by the elevation model, doubted by a report."""
    a, found = router.arrays, []
    for piece in way.pieces:
        edge, against = piece.arc >> 1, piece.arc & 1
        if a.e_len[edge] >= DEM_CAUTION_M:
            rise = float(a.v_ele[a.e_v[edge]] - a.v_ele[a.e_u[edge]]) * (-1 if against else 1)
            slope = round(100 * rise / float(a.e_len[edge]), 1)
            if np.isfinite(slope) and (slope > profile.incline_up or -slope > profile.incline_down):
                found.append({"kind": "elevation", "way": int(a.e_way[edge]), "incline": slope, "source": "dem"})
        found.extend(
            {"kind": "report", "way": int(a.e_way[edge]), "report": name, "source": "report"}
            for name in router.overlay.on(edge)
        )
    return found


def certificate(router: Router, way: Way, profile: Profile, stretches: Any, points: Any) -> dict[str, Any]:
    """What proves a route: every stretch with its evidence, for a checker that trusts only the raw map."""
    kept = [{key: value for key, value in stretch.items() if key != "name"} for stretch in stretches]
    body = {
        "format": CERTIFICATE_FORMAT,
        "graph": {key: router.graph.meta[key] for key in ("build", "sha256", "dated")},
        "overlay": way.sequence,
        "profile": profile.to_json(),
        "segments": kept,
        "points": points,
        "length_m": round(sum(stretch["length_m"] for stretch in kept), 2),
    }
    return body | {"sha256": digest(body)}


def route(
    router: Router,
    profile: Profile,
    start: Point,
    goal: Point,
    *,
    objective: Objective = "shortest",
    alternatives: bool = False,
) -> dict[str, Any]:
    """The answer to "how do I get there?": `status` is `ok`, or `refused` with code, reasons and what would open it.

    Raises what `Router.find` raises for a question that cannot be asked.
    """
    way = router.find(profile, start, goal, objective)
    if way is None:
        return refused(explain(router, profile, start, goal), profile)
    if way.length > min(profile.length, MAX_ROUTE_M):
        refusal = too_far(profile, way.length)
        opened = dataclasses.replace(profile, length=float(np.ceil(way.length)))
        opens = None
        if way.length <= MAX_ROUTE_M:
            changes = [{"field": "length", "before": profile.length, "after": opened.length}]
            opens = {"changes": changes, "profile": opened.to_json(), "length_m": round(way.length, 2)}
        return {
            "status": "refused",
            "code": "route.too-long",
            "text": dataclasses.asdict(refusal.text),
            "reasons": [{"attribute": "length", "value": round(way.length, 2), "source": "route"}],
            "nearest": None,
            "opens": opens,
        }
    stretches, points = segments(router, way, profile)
    steps = text.steps(router, way, profile)
    answer: dict[str, Any] = {
        "status": "ok",
        "objective": objective,
        "profile": profile.to_json(),
        "length_m": round(way.length, 2),
        "time_s": round(seconds(router, way, profile)),
        "geometry": {"type": "LineString", "coordinates": geometry(router, way)},
        "snap": {
            name: {"lat": round(place.lat, 7), "lon": round(place.lon, 7), "off_m": round(place.off, 2)}
            for name, place in (("from", way.start), ("to", way.goal))
        },
        "segments": stretches,
        "points": points,
        "unknown_m": unknown_metres(stretches),
        "cautions": cautions(router, way, profile),
        "instructions": {"en": [step.en for step in steps], "zh": [step.zh for step in steps]},
        "certificate": certificate(router, way, profile, stretches, points),
    }
    if alternatives:
        answer["alternatives"] = [
            {
                "objective": other,
                "length_m": round(found.length, 2),
                "time_s": round(seconds(router, found, profile)),
                "geometry": {"type": "LineString", "coordinates": geometry(router, found)},
                "unknown_m": unknown_metres(segments(router, found, profile)[0]),
            }
            for other in ("fastest", "flattest", "known")
            if (found := router.find(profile, start, goal, other)) is not None and found.pieces != way.pieces
        ]
    return answer


def unknown_metres(stretches: list[dict[str, Any]]) -> dict[str, float]:
    """For each attribute over how many metres it is not on record."""
    total: dict[str, float] = {}
    for stretch in stretches:
        for fact in stretch["facts"]:
            if fact["verdict"] == "unknown":
                total[fact["attribute"]] = round(total.get(fact["attribute"], 0.0) + stretch["length_m"], 2)
    return total


def refused(refusal: Refused, profile: Profile) -> dict[str, Any]:
    """A refusal as JSON: never with a line to follow."""
    return {
        "status": "refused",
        "code": refusal.code,
        "profile": profile.to_json(),
        "text": {"en": refusal.text.en, "zh": refusal.text.zh},
        "reasons": [dict(reason) for reason in refusal.reasons],
        "nearest": refusal.nearest,
        "opens": refusal.opens
        and {
            "changes": [dataclasses.asdict(change) for change in refusal.opens.changes],
            "profile": refusal.opens.profile.to_json(),
            "length_m": round(refusal.opens.length, 2),
        },
    }
