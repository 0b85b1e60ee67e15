"""From streets to a graph: split ways at every junction and at every node that matters, and index what results."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
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
    "highway", "footway", "railway", "public_transport", "bridge", "tunnel", "level", "tactile_paving", "handrail", "lit",
    "covered", "indoor", "crossing", "crossing:island", "barrier", "entrance", "ref",
)  # fmt: skip
"""Tags that are not judged but said in the text of a route."""


def _about(tags: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((key, tags[key]) for key in _SAID if key in tags)


def _oneway(tags: dict[str, str]) -> int:
    """Whether walking is allowed one way only (`oneway:foot`, a moving stair)."""
    value = tags.get("oneway:foot", tags.get("conveying", ""))
    if tags.get("foot:backward") == "no" or value in ("yes", "1", "forward"):
        return 1
    return 2 if tags.get("foot:forward") == "no" or value in ("-1", "backward") else 0


def _runs(refs: Iterable[int], nodes: Any) -> Iterable[list[int]]:
    """The stretches of a way whose nodes are all in the extract, no node twice in a row."""
    run: list[int] = []
    for ref in refs:
        if ref not in nodes:
            if len(run) > 1:
                yield run
            run = []
        elif not run or run[-1] != ref:
            run.append(ref)
    if len(run) > 1:
        yield run


def assemble(streets: Streets, dem: elevation.Model | None = None) -> tuple[Arrays, list[Row], list[str]]:  # noqa: PLR0912, PLR0915
    """The arrays, rows and names of a graph, in a fixed order: the same streets give the same bytes."""
    rows = _Rows()
    facts_of = {ref: facts for ref, node in streets.nodes.items() if node.tags and (facts := node_facts(node.tags))}
    kerbed = {ref for ref, facts in facts_of.items() if any(fact.attribute == "kerb" for fact in facts)}
    uses: Counter[int] = Counter()
    runs: list[tuple[int, list[int]]] = []
    for index, way in enumerate(streets.ways):
        for run in _runs(way.refs, streets.nodes):
            uses.update(run)
            uses[run[0]] += 1
            uses[run[-1]] += 1
            runs.append((index, run))

    vertex: dict[int, int] = {}
    names: dict[str, int] = {"": 0}
    u, v, way_id, row, time, side, oneway, name, crossing = [], [], [], [], [], [], [], [], []
    shape, shape_node = [0], []
    known: dict[object, list[tuple[str, int]]] = {}
    for index, run in runs:
        way = streets.ways[index]
        kerbs = sum(ref in kerbed for ref in way.refs) if is_crossing(way.tags) else 0
        key = (tuple(sorted((k, t) for k, t in way.tags.items() if k not in ("name", "name:zh", "name:en"))), min(kerbs, 2))
        if key not in known:
            known[key] = [
                (which, rows.add(way_facts(way.tags, which, kerbs), _about(way.tags))) for which in sides(way.tags) or ("",)
            ]
        called = way.tags.get("name", way.tags.get("ref", ""))
        named = names.setdefault(called, len(names))
        direction = _oneway(way.tags)
        begin = 0
        for end in range(1, len(run)):
            ref = run[end]
            if end + 1 < len(run) and uses[ref] < 2 and ref not in facts_of:
                continue
            piece = run[begin : end + 1]
            begin = end
            for which, number in known[key]:
                u.append(vertex.setdefault(piece[0], len(vertex)))
                v.append(vertex.setdefault(piece[-1], len(vertex)))
                way_id.append(way.id)
                row.append(number)
                time.append(way.time)
                side.append(SIDES[which])
                oneway.append(direction)
                name.append(named)
                crossing.append(is_crossing(way.tags))
                shape_node.extend(piece)
                shape.append(len(shape_node))

    order = list(vertex)
    v_lat = np.array([streets.nodes[ref].lat for ref in order])
    v_lon = np.array([streets.nodes[ref].lon for ref in order])
    v_row = np.array(
        [rows.add(facts_of[ref], _about(streets.nodes[ref].tags)) if ref in facts_of else -1 for ref in order], np.int32
    )
    v_time = np.array([streets.nodes[ref].time for ref in order], np.int64)
    s_lat = np.array([streets.nodes[ref].lat for ref in shape_node])
    s_lon = np.array([streets.nodes[ref].lon for ref in shape_node])
    e_shape, e_u, e_v = np.array(shape, np.int64), np.array(u, np.int32), np.array(v, np.int32)
    count = len(e_u)
    s_edge = np.repeat(np.arange(count, dtype=np.int32), np.diff(e_shape))
    step = metres(s_lat[:-1], s_lon[:-1], s_lat[1:], s_lon[1:])
    step[s_edge[:-1] != s_edge[1:]] = 0.0
    along = np.concatenate([[0.0], np.cumsum(step)])
    e_len = along[e_shape[1:] - 1] - along[e_shape[:-1]]

    tails = np.empty(2 * count, np.int32)
    tails[0::2], tails[1::2] = e_u, e_v
    a_arc = np.argsort(tails, kind="stable").astype(np.int32)
    a_first = np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=len(order)))]).astype(np.int32)
    kerb_vertices = [vertex[ref] for ref in kerbed if ref in vertex]
    cells = _index(s_lat, s_lon, s_edge)
    lat, lon = np.radians(v_lat), np.radians(v_lon)
    xyz = RADIUS * np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    arrays = Arrays(
        v_node=np.array(order, np.int64),
        v_lat=v_lat,
        v_lon=v_lon,
        v_xyz=xyz,
        v_row=v_row,
        v_time=v_time,
        v_ele=dem.heights(v_lat, v_lon) if dem else np.full(len(order), np.nan, np.float32),
        e_way=np.array(way_id, np.int64),
        e_row=np.array(row, np.int32),
        e_time=np.array(time, np.int64),
        e_u=e_u,
        e_v=e_v,
        e_len=e_len,
        e_side=np.array(side, np.int8),
        e_oneway=np.array(oneway, np.int8),
        e_name=np.array(name, np.int32),
        e_shape=e_shape,
        s_node=np.array(shape_node, np.int64),
        s_lat=s_lat,
        s_lon=s_lon,
        a_first=a_first,
        a_arc=a_arc,
        a_gate=_gates(kerb_vertices, a_first, a_arc, np.array(crossing, bool)),
        g_cell=cells[0],
        g_first=cells[1],
        g_segment=cells[2],
        s_edge=s_edge,
        landmark=search.landmarks(a_first, a_arc, e_u, e_v, e_len, LANDMARKS),
    )
    return arrays, rows.rows, list(names)


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
    cells, segments = [(low_y << 32) + low_x], [first]
    for k in np.flatnonzero((low_y != high_y) | (low_x != high_x)):
        y, x = np.meshgrid(np.arange(low_y[k], high_y[k] + 1), np.arange(low_x[k], high_x[k] + 1), indexing="ij")
        more = ((y << 32) + x).ravel()[1:]
        cells.append(more)
        segments.append(np.full(len(more), first[k], np.int32))
    cell, segment = np.concatenate(cells), np.concatenate(segments)
    order = np.lexsort((segment, cell))
    distinct, begin = np.unique(cell[order], return_index=True)
    return distinct, np.append(begin, len(order)).astype(np.int64), segment[order]


def build(
    extract: Path, folder: Path, *, dem: Path | None = None, progress: Progress = lambda stage, count: None
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
        "licence": "© OpenStreetMap contributors, ODbL 1.0",
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
