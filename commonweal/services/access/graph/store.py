"""The graph on disk and in memory: plain numpy arrays in one folder, memory-mapped, shared by every process."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from commonweal.kernel.errors import Invalid, NotFound
from commonweal.kernel.text import Text
from commonweal.services.access.rules import Fact

FORMAT = 1
"""Raised whenever older graphs can no longer be read."""


@dataclass(frozen=True, slots=True)
class Row:
    """What many edges or nodes have in common: their facts, and what a text says about them."""

    facts: tuple[Fact, ...]
    about: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Arrays:
    """The graph. `V` vertices, `E` edges, `2E` arcs (`2e` along edge `e`, `2e+1` against it), `S` shape points.

    Lengths are metres on the mean sphere (R = 6 371 008.8 m), coordinates WGS-84 degrees.
    """

    v_node: NDArray[np.int64]
    v_lat: NDArray[np.float64]
    v_lon: NDArray[np.float64]
    v_xyz: NDArray[np.float64]
    """(V, 3) on the sphere, metres: straight distances bound walks from below."""
    v_row: NDArray[np.int32]
    v_time: NDArray[np.int64]
    v_ele: NDArray[np.float32]
    """Metres above sea level from an elevation model, NaN where there is none."""
    e_way: NDArray[np.int64]
    e_row: NDArray[np.int32]
    e_time: NDArray[np.int64]
    e_u: NDArray[np.int32]
    e_v: NDArray[np.int32]
    e_len: NDArray[np.float64]
    e_side: NDArray[np.int8]
    """0 the way itself, 1 the pavement on its left, 2 on its right."""
    e_oneway: NDArray[np.int8]
    """0 both, 1 only along, 2 only against."""
    e_name: NDArray[np.int32]
    e_shape: NDArray[np.int64]
    """(E+1) where each edge's shape points begin."""
    s_node: NDArray[np.int64]
    s_lat: NDArray[np.float64]
    s_lon: NDArray[np.float64]
    a_first: NDArray[np.int32]
    """(V+1) where each vertex's leaving arcs begin in `a_arc`."""
    a_arc: NDArray[np.int32]
    a_gate: NDArray[np.int8]
    """(2E) how the kerb at the arc's tail is passed when leaving by it: -1 down, 1 up, 0 as either."""
    g_cell: NDArray[np.int64]
    g_first: NDArray[np.int64]
    g_segment: NDArray[np.int32]
    """The index for finding the nearest street: sorted cells, and the shape segments in each."""
    s_edge: NDArray[np.int32]
    """(S) the edge of each shape point."""
    landmark: NDArray[np.float32]
    """(V, L) walking distances to landmarks, ignoring every barrier: lower bounds for any profile."""


ARRAY_NAMES = tuple(field.name for field in fields(Arrays))


@dataclass(frozen=True)
class Graph:
    """An immutable graph. `build` identifies it: equal builds hold equal bytes."""

    arrays: Arrays
    rows: tuple[Row, ...]
    names: tuple[str, ...]
    meta: dict[str, Any]

    @property
    def build(self) -> str:
        """The SHA-256 over everything in the graph, hexadecimal."""
        return str(self.meta["build"])

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """South, west, north, east."""
        south, west, north, east = self.meta["bounds"]
        return south, west, north, east

    @cached_property
    def facts(self) -> tuple[tuple[Fact, ...], NDArray[np.int32], NDArray[np.int32]]:
        """The distinct facts as judged, and for each row where its facts are: (facts, first (R+1), index)."""
        table: dict[tuple[str, object, str], int] = {}
        distinct: list[Fact] = []
        first, index = [0], []
        for row in self.rows:
            for fact in row.facts:
                key = (fact.attribute, fact.value, fact.doubt)
                if key not in table:
                    table[key] = len(distinct)
                    distinct.append(Fact(fact.attribute, fact.value, fact.doubt))
                index.append(table[key])
            first.append(len(index))
        return tuple(distinct), np.asarray(first, np.int32), np.asarray(index, np.int32)


def save(arrays: Arrays, rows: list[Row], names: list[str], meta: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Write a graph; the folder appears whole or not at all. Returns the meta data with the build."""
    digest = hashlib.sha256()
    partial = folder.with_name(folder.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    for name in ARRAY_NAMES:
        array = getattr(arrays, name)
        np.save(partial / f"{name}.npy", array)
        digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
    described = [
        {"facts": [[f.attribute, f.value, f.doubt, f.tags, f.note] for f in row.facts], "about": row.about}
        for row in rows
    ]
    text = json.dumps({"rows": described, "names": names}, ensure_ascii=False, separators=(",", ":"))
    digest.update(text.encode())
    (partial / "rows.json").write_text(text, encoding="utf-8")
    meta = meta | {"format": FORMAT, "build": digest.hexdigest()}
    (partial / "meta.json").write_text(json.dumps(meta, ensure_ascii=False, indent=1), encoding="utf-8")
    old = folder.with_name(folder.name + ".old")
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    if old.exists():
        for file in old.iterdir():
            file.unlink()
        old.rmdir()
    return meta


def load(folder: Path) -> Graph:
    """Open a graph without reading it into memory. Raises `NotFound` (`graph.missing`) and `Invalid` (`graph.broken`,
    `graph.format`)."""
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        described = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
        arrays = Arrays(**{name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAY_NAMES})
    except FileNotFoundError:
        raise NotFound(
            "graph.missing",
            Text(
                "There is no graph in {folder}. Make one with: commonweal access build EXTRACT.osm.pbf --out {folder}",
                "{folder} 中没有路网图。请先运行：commonweal access build EXTRACT.osm.pbf --out {folder}",
            ).format(folder=str(folder)),
            field="graph",
        ) from None
    except (ValueError, TypeError, OSError) as error:
        raise Invalid(
            "graph.broken",
            Text("The graph in {folder} is damaged; build it again.", "{folder} 中的路网图已损坏，请重新生成。").format(
                folder=str(folder)
            ),
            field="graph",
        ) from error
    if meta.get("format") != FORMAT:
        raise Invalid(
            "graph.format",
            Text("This graph was built by another version; build it again.", "路网图由其他版本生成，请重新生成。"),
            field="graph",
        )
    rows = tuple(
        Row(
            tuple(Fact(a, v, d, tuple((k, t) for k, t in tags), n) for a, v, d, tags, n in row["facts"]),
            tuple((key, value) for key, value in row["about"]),
        )
        for row in described["rows"]
    )
    return Graph(arrays, rows, tuple(described["names"]), meta)
