"""From streets to a graph: split ways at every junction and at every node that matters, and index what results."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from commonweal.services.access.graph import elevation, opensidewalks, search
from commonweal.services.access.graph.source import Progress, Streets, read_osm
from commonweal.services.access.graph.store import Arrays, Row, save
from commonweal.services.access.graph.tags import is_crossing, node_facts, sides, way_facts
from commonweal.services.access.rules import Fact

RADIUS = 6_371_008.8
"""Mean radius of the Earth, metres."""
CELL = 0.001
"""The side of an index cell, degrees."""
LANDMARKS = 16
OPENSTREETMAP = "© OpenStreetMap contributors, ODbL 1.0"
SIDES = {"": 0, "left": 1, "right": 2}


def metres(lat1: Any, lon1: Any, lat2: Any, lon2: Any) -> Any:
    """Great-circle distance (haversine), metres; scalars or arrays of degrees."""
    a, b = np.radians(lat1), np.radians(lat2)
    half = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(np.radians(lon2 - lon1) / 2) ** 2
    return 2 * RADIUS * np.arcsin(np.sqrt(half))


class _Rows:
    """Rows by what they say, each once."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._known: dict[Row, int] = {}

    def add(self, facts: tuple[Fact, ...], about: tuple[tuple[str, str], ...]) -> int:
        row = Row(facts, about)
        if row not in self._known:
            self._known[row] = len(self.rows)
            self.rows.append(row)
        return self._known[row]


_SAID = (
    "highway",
    "footway",
    "railway",
    "public_transport",
    "bridge",
    "tunnel",
    "level",
    "tactile_paving",
    "handrail",
    "lit",
    "covered",
    "indoor",
    "crossing",
    "crossing:island",
    "barrier",
    "entrance",
    "ref",
)
"""Tags that are not judged but said in the text of a route."""


def _about(tags: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((key, tags[key]) for key in _SAID if key in tags)


def _oneway(tags: dict[str, str]) -> int:
    """Whether walking is allowed one way only (`oneway:foot`, a moving stair)."""
    value = tags.get("oneway:foot", tags.get("conveying", ""))
    if tags.get("foot:backward") == "no" or value in ("yes", "1", "forward"):
        return 1
    return 2 if tags.get("foot:forward") == "no" or value in ("-1", "backward") else 0


def assemble(streets: Streets, dem: elevation.Model | None = None) -> tuple[Arrays, list[Row], list[str]]:  # noqa: PLR0915
    """The arrays, rows and names of a graph, in a fixed order: the same streets give the same bytes."""
    rows = _Rows()
    refs = np.frombuffer(streets.refs, np.int64)
    lat, lon = np.frombuffer(streets.lat), np.frombuffer(streets.lon)
    way_of = np.repeat(np.arange(len(streets.ways), dtype=np.int32), np.diff(np.asarray(streets.first)))
    facts_of = {ref: facts for ref, (tags, _) in streets.tagged.items() if (facts := node_facts(tags))}
    kerbed = np.array(
        sorted(ref for ref, facts in facts_of.items() if any(f.attribute == "kerb" for f in facts)), np.int64
    )
    kerbs = np.bincount(way_of[np.isin(refs, kerbed)], minlength=len(streets.ways))

    # Points that are in the extract, none twice in a row; a missing one cuts its way in two.
    here = np.isfinite(lat)
    joined = np.append(False, (way_of[1:] == way_of[:-1]) & here[1:] & here[:-1])
    kept = here & ~(joined & np.append(False, refs[1:] == refs[:-1]))
    joined = joined[kept]
    refs, lat, lon, way_of = refs[kept], lat[kept], lon[kept], way_of[kept]
    ends = ~joined | ~np.append(joined[1:], False)
    node, first_use, number, uses = np.unique(refs, return_index=True, return_inverse=True, return_counts=True)
    special = np.isin(node, np.fromiter(facts_of, np.int64, len(facts_of)))
    stop = np.flatnonzero(ends | (uses[number] > 1) | special[number])
    # An edge runs from stop to stop on one stretch of a way.
    same = np.cumsum(~joined)[stop]
    linked = np.flatnonzero(same[1:] == same[:-1])
    begin, end = stop[linked], stop[linked + 1]

    known: dict[object, list[tuple[int, int]]] = {}
    per_way: list[list[tuple[int, int]]] = []
    names: dict[str, int] = {"": 0}
    name_of, oneway_of, crossing_of = [], [], []
    for way, count in zip(streets.ways, kerbs.tolist(), strict=True):
        crossing = is_crossing(way.tags)
        relevant = tuple(
            (key, value) for key, value in way.tags.items() if not key.startswith(("name", "ref", "source"))
        )
        key = (relevant, min(count, 2) if crossing else 0)
        if key not in known:
            known[key] = [
                (SIDES[which], rows.add(way_facts(way.tags, which, key[1]), _about(way.tags)))
                for which in sides(way.tags) or ("",)
            ]
        per_way.append(known[key])
        name_of.append(names.setdefault(way.tags.get("name", way.tags.get("ref", "")), len(names)))
        oneway_of.append(_oneway(way.tags))
        crossing_of.append(crossing)

    edge_way = way_of[begin]
    copies = np.array([len(entry) for entry in per_way])[edge_way]
    source = np.repeat(np.arange(len(begin)), copies)
    which = np.arange(len(source)) - np.repeat(np.cumsum(copies) - copies, copies)
    begin, end, edge_way = begin[source], end[source], edge_way[source]
    side_row = np.array([per_way[w][k] for w, k in zip(edge_way.tolist(), which.tolist(), strict=True)]).reshape(-1, 2)

    size = end - begin + 1
    e_shape = np.concatenate([[0], np.cumsum(size)])
    point = np.arange(int(e_shape[-1])) - np.repeat(e_shape[:-1] - begin, size)
    s_lat, s_lon = lat[point], lon[point]
    # Vertices lie in memory as they lie on the ground.
    ends_at = np.unique(number[np.concatenate([begin, end])])
    spot = first_use[ends_at]
    ends_at = ends_at[np.argsort(_morton(lat[spot], lon[spot]), kind="stable")]
    vertex = np.full(len(node), -1, np.int64)
    vertex[ends_at] = np.arange(len(ends_at))
    order = node[ends_at].tolist()
    v_lat, v_lon = lat[first_use[ends_at]], lon[first_use[ends_at]]
    e_u, e_v = vertex[number[begin]].astype(np.int32), vertex[number[end]].astype(np.int32)
    v_row = np.array(
        [rows.add(facts_of[r], _about(streets.tagged[r][0])) if r in facts_of else -1 for r in order], np.int32
    )
    v_time = np.array([streets.tagged[ref][1] if ref in streets.tagged else 0 for ref in order], np.int64)
    count = len(e_u)
    s_edge = np.repeat(np.arange(count, dtype=np.int32), size)
    step = metres(s_lat[:-1], s_lon[:-1], s_lat[1:], s_lon[1:])
    step[s_edge[:-1] != s_edge[1:]] = 0.0
    along = np.concatenate([[0.0], np.cumsum(step)])
    e_len = along[e_shape[1:] - 1] - along[e_shape[:-1]]

    tails = np.empty(2 * count, np.int32)
    tails[0::2], tails[1::2] = e_u, e_v
    a_arc = np.argsort(tails, kind="stable").astype(np.int32)
    a_first = np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=len(order)))]).astype(np.int32)
    kerb_vertices = np.flatnonzero(np.isin(node[ends_at], kerbed)).tolist()
    cells = _index(s_lat, s_lon, s_edge)
    phi, theta = np.radians(v_lat), np.radians(v_lon)
    xyz = RADIUS * np.stack([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)], axis=1)
    arrays = Arrays(
        v_node=np.array(order, np.int64),
        v_lat=v_lat,
        v_lon=v_lon,
        v_xyz=xyz,
        v_row=v_row,
        v_time=v_time,
        v_ele=dem.heights(v_lat, v_lon) if dem else np.full(len(order), np.nan, np.float32),
        e_way=np.array([way.id for way in streets.ways], np.int64)[edge_way],
        e_row=side_row[:, 1].astype(np.int32),
        e_time=np.array([way.time for way in streets.ways], np.int64)[edge_way],
        e_u=e_u,
        e_v=e_v,
        e_len=e_len,
        e_side=side_row[:, 0].astype(np.int8),
        e_oneway=np.array(oneway_of, np.int8)[edge_way],
        e_name=np.array(name_of, np.int32)[edge_way],
        e_shape=e_shape,
        s_node=refs[point],
        s_lat=s_lat,
        s_lon=s_lon,
        a_first=a_first,
        a_arc=a_arc,
        a_gate=_gates(kerb_vertices, a_first, a_arc, np.array(crossing_of, bool)[edge_way]),
        g_cell=cells[0],
        g_first=cells[1],
        g_segment=cells[2],
        s_edge=s_edge,
        landmark=search.landmarks(a_first, a_arc, e_u, e_v, e_len, LANDMARKS),
    )
    return arrays, rows.rows, list(names)


def _morton(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.uint64]:
    """The place of points on the Z-order curve, 16 bits each way over their own extent."""
    code = np.zeros(len(lat), np.uint64)
    for shift, values in ((0, lon), (1, lat)):
        low, extent = float(values.min()), max(float(np.ptp(values)), 1e-9)
        cell = ((values - low) / extent * 65535).astype(np.uint64)
        for bit in range(16):
            code |= ((cell >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + shift)
    return code


def _gates(
    kerbs: list[int], a_first: NDArray[np.int32], a_arc: NDArray[np.int32], crossing: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Where a kerb lies between the roadway and the pavement, leaving it towards the roadway goes down, else up.

    Only a node between exactly one crossing and one other edge says so; at any other the kerb counts both ways.
    """
    gate = np.zeros(len(a_arc), np.int8)
    for vertex in kerbs:
        arcs = a_arc[a_first[vertex] : a_first[vertex + 1]]
        on_road = [bool(crossing[arc >> 1]) for arc in arcs]
        if len(arcs) == 2 and sum(on_road) == 1:
            for arc, road in zip(arcs, on_road, strict=True):
                gate[arc] = -1 if road else 1
    return gate


def cell_of(lat: Any, lon: Any) -> Any:
    """The index cell of a point, as one integer."""
    return (np.floor((lat + 90) / CELL).astype(np.int64) << 32) + np.floor((lon + 180) / CELL).astype(np.int64)


def _index(
    lat: NDArray[np.float64], lon: NDArray[np.float64], edge: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """For every cell the shape segments (by their first point) that touch it."""
    first = np.flatnonzero(edge[:-1] == edge[1:]).astype(np.int32)
    low_y = np.floor((np.minimum(lat[first], lat[first + 1]) + 90) / CELL).astype(np.int64)
    high_y = np.floor((np.maximum(lat[first], lat[first + 1]) + 90) / CELL).astype(np.int64)
    low_x = np.floor((np.minimum(lon[first], lon[first + 1]) + 180) / CELL).astype(np.int64)
    high_x = np.floor((np.maximum(lon[first], lon[first + 1]) + 180) / CELL).astype(np.int64)
    wide = high_x - low_x + 1
    count = (high_y - low_y + 1) * wide
    which = np.repeat(np.arange(len(first)), count)
    place = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    cell = ((low_y[which] + place // wide[which]) << 32) + low_x[which] + place % wide[which]
    segment = first[which]
    order = np.lexsort((segment, cell))
    distinct, begin = np.unique(cell[order], return_index=True)
    return distinct, np.append(begin, len(order)).astype(np.int64), segment[order]


def build(
    extract: Path,
    folder: Path,
    *,
    dem: Path | None = None,
    licence: str = OPENSTREETMAP,
    progress: Progress = lambda stage, count: None,
) -> dict[str, Any]:
    """Build the graph of an OpenStreetMap extract or of an OpenSidewalks GeoJSON file. Returns its meta data."""
    extract, folder = Path(extract), Path(folder)
    model = elevation.Model.open(dem) if dem else None
    read = opensidewalks.read if extract.suffix in (".geojson", ".json") else read_osm
    streets = read(extract, progress)
    arrays, rows, names = assemble(streets, model)
    progress("edges", len(arrays.e_u))
    meta = {
        "extract": extract.name,
        "sha256": streets.sha256,
        "dated": streets.dated,
        "sequence": streets.sequence,
        "dem": dem.name if dem else "",
        "bounds": [
            math.floor(arrays.s_lat.min() * 1e7) / 1e7,
            math.floor(arrays.s_lon.min() * 1e7) / 1e7,
            math.ceil(arrays.s_lat.max() * 1e7) / 1e7,
            math.ceil(arrays.s_lon.max() * 1e7) / 1e7,
        ],
        "vertices": len(arrays.v_node),
        "edges": len(arrays.e_u),
        "metres": round(float(arrays.e_len.sum())),
        "coverage": coverage(arrays, rows),
        "licence": licence,
    }
    return save(arrays, rows, names, meta, folder)


def coverage(arrays: Arrays, rows: list[Row]) -> dict[str, float]:
    """For each attribute that every street has, the share of its length for which a value is on record."""
    total = float(arrays.e_len.sum()) or 1.0
    length = np.bincount(arrays.e_row, weights=arrays.e_len, minlength=len(rows))
    return {
        attribute: round(
            sum(
                float(length[number])
                for number, row in enumerate(rows)
                if any(fact.attribute == attribute and fact.value is not None and not fact.doubt for fact in row.facts)
            )
            / total,
            4,
        )
        for attribute in ("surface", "smoothness", "incline", "width")
    }
