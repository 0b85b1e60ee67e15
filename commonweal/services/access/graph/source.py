"""Where streets come from: OpenStreetMap extracts, read in two streaming passes (ways, then only their nodes)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import osmium

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.access.graph.tags import walkable

Progress = Callable[[str, int], None]
"""Told a stage and how many elements it has taken."""


@dataclass(slots=True)
class Way:
    """A line of nodes and its tags; `time` is when it was last edited (Unix seconds, 0 if the file does not say)."""

    id: int
    tags: dict[str, str]
    refs: list[int]
    time: int = 0


@dataclass(slots=True)
class Node:
    """A point; only tagged nodes and those of streets are kept."""

    lat: float
    lon: float
    tags: dict[str, str] = field(default_factory=dict)
    time: int = 0


@dataclass(slots=True)
class Streets:
    """All that a graph is made of, and what identifies the file it came from."""

    ways: list[Way]
    nodes: dict[int, Node]
    sha256: str
    dated: str = ""
    sequence: str = ""


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
    """Read every way one can walk and the nodes of those ways. Raises `Invalid` (`extract.missing`, `extract.broken`,
    `extract.empty`)."""
    if not path.is_file():
        raise Invalid(
            "extract.missing",
            Text("There is no file {path}.", "找不到文件 {path}。").format(path=str(path)),
            field="extract",
        )
    ways: list[Way] = []
    nodes: dict[int, Node] = {}
    try:
        header = osmium.io.Reader(str(path)).header()
        wanted: set[int] = set()
        keys = osmium.filter.KeyFilter("highway", "railway", "public_transport")
        for way in osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(keys):
            tags = dict(way.tags)
            if not walkable(tags) or len(way.nodes) < 2:
                continue
            refs = [node.ref for node in way.nodes]
            ways.append(Way(way.id, tags, refs, int(way.timestamp.timestamp())))
            wanted.update(refs)
            if len(ways) % 20_000 == 0:
                progress("ways", len(ways))
        progress("ways", len(ways))
        if ways:
            points = osmium.FileProcessor(str(path), osmium.osm.NODE).with_filter(osmium.filter.IdFilter(wanted))
            for node in points:
                if not node.location.valid():
                    continue
                tags = dict(node.tags) if len(node.tags) else {}
                nodes[node.id] = Node(node.location.lat, node.location.lon, tags, int(node.timestamp.timestamp()) if tags else 0)
                if len(nodes) % 200_000 == 0:
                    progress("nodes", len(nodes))
        progress("nodes", len(nodes))
    except (RuntimeError, ValueError, osmium.InvalidLocationError) as error:
        raise broken(path, error) from None
    if not ways or not nodes:
        raise Invalid(
            "extract.empty",
            Text("{name} holds no street one could walk.", "{name} 中没有可步行的道路。").format(name=path.name),
            field="extract",
        )
    dated = header.get("osmosis_replication_timestamp", "") or header.get("timestamp", "")
    return Streets(ways, nodes, fingerprint(path), dated, header.get("osmosis_replication_sequence_number", ""))
