"""Where streets come from: OpenStreetMap extracts, read in one streaming pass."""

from __future__ import annotations

import hashlib
import math
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import osmium

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.access.graph.tags import walkable

Progress = Callable[[str, int], None]
"""Told a stage and how many elements it has taken."""
WAY_KEYS = ("highway", "railway", "public_transport")
NODE_KEYS = (
    "barrier",
    "kerb",
    "kerb:height",
    "kerb:height:start",
    "kerb:height:end",
    "kerb:start",
    "kerb:end",
    "highway",
    "door",
    "automatic_door",
    "entrance",
    "wheelchair",
    "footway",
    "path",
    "cycleway",
)
"""Nodes with any of these may say something about passing them."""


@dataclass(frozen=True, slots=True)
class Way:
    """A line and its tags; `time` is when it was last edited (Unix seconds, 0 if the file does not say)."""

    id: int
    tags: dict[str, str]
    time: int = 0


@dataclass(slots=True)
class Streets:
    """All that a graph is made of. The points of way `k` are `first[k]` to `first[k + 1]` in `refs` (node numbers),
    `lat` and `lon` (NaN for a node that is not in the file). `tagged` holds tags and edit times of nodes."""

    ways: list[Way] = field(default_factory=list)
    first: array[int] = field(default_factory=lambda: array("q", [0]))
    refs: array[int] = field(default_factory=lambda: array("q"))
    lat: array[float] = field(default_factory=lambda: array("d"))
    lon: array[float] = field(default_factory=lambda: array("d"))
    tagged: dict[int, tuple[dict[str, str], int]] = field(default_factory=dict)
    sha256: str = ""
    dated: str = ""
    sequence: str = ""

    def add(self, way: Way, points: Iterable[tuple[int, float, float]]) -> None:
        """Append a way with its points: node number, latitude, longitude."""
        for ref, lat, lon in points:
            self.refs.append(ref)
            self.lat.append(lat)
            self.lon.append(lon)
        self.ways.append(way)
        self.first.append(len(self.refs))


def broken(path: Path, reason: object) -> Invalid:
    """The refusal of a file that is not a whole extract."""
    return Invalid(
        "extract.broken",
        Text(
            "{name} cannot be read as an OpenStreetMap extract: {reason}. Fetch it again and compare its checksum.",
            "{name} 不是完整的 OpenStreetMap 数据：{reason}。请重新下载并核对校验和。",
        ).format(name=path.name, reason=str(reason)[:200]),
        field="extract",
    )


def fingerprint(path: Path) -> str:
    """The SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_osm(path: Path, progress: Progress = lambda stage, count: None) -> Streets:
    """Read every way one can walk, in one pass. Raises `Invalid` (`extract.missing`, `extract.broken`,
    `extract.empty`)."""
    if not path.is_file():
        raise Invalid(
            "extract.missing",
            Text("There is no file {path}.", "找不到文件 {path}。").format(path=str(path)),
            field="extract",
        )
    streets = Streets()
    nodes, ways = osmium.filter.KeyFilter(*NODE_KEYS), osmium.filter.KeyFilter(*WAY_KEYS)
    nodes.enable_for(osmium.osm.NODE)
    ways.enable_for(osmium.osm.WAY)
    try:
        header = osmium.io.Reader(str(path)).header()
        # Locations are kept in 16 bytes a node by osmium itself; Python sees tagged nodes and streets only.
        processor = (
            osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY)
            .with_locations("sparse_mem_array")
            .with_filter(nodes)
            .with_filter(ways)
        )
        for thing in processor:
            if isinstance(thing, osmium.osm.Node):
                streets.tagged[thing.id] = dict(thing.tags), int(thing.timestamp.timestamp())
            elif isinstance(thing, osmium.osm.Way):
                tags = dict(thing.tags)
                if walkable(tags) and len(thing.nodes) > 1:
                    way = Way(thing.id, tags, int(thing.timestamp.timestamp()))
                    streets.add(way, (_point(node) for node in thing.nodes))
                    if len(streets.ways) % 10_000 == 0:
                        progress("ways", len(streets.ways))
        progress("ways", len(streets.ways))
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        raise broken(path, error) from None
    if not streets.ways or all(math.isnan(lat) for lat in streets.lat):
        raise Invalid(
            "extract.empty",
            Text("{name} holds no street one could walk.", "{name} 中没有可步行的道路。").format(name=path.name),
            field="extract",
        )
    streets.sha256 = fingerprint(path)
    streets.dated = header.get("osmosis_replication_timestamp", "") or header.get("timestamp", "")
    streets.sequence = header.get("osmosis_replication_sequence_number", "")
    return streets


def _point(node: osmium.osm.NodeRef) -> tuple[int, float, float]:
    return (node.ref, node.lat, node.lon) if node.location.valid() else (node.ref, math.nan, math.nan)
