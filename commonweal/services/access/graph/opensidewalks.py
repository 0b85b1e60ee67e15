"""OpenSidewalks GeoJSON (schema 0.2) in and out.

Read, an OpenSidewalks data set becomes streets with the tags OpenStreetMap would have for them, so that there is one
table of meanings. Written, a graph becomes nodes and edges with the schema's properties.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from commonweal.services.access.graph.source import Progress, Streets, Way, broken, fingerprint
from commonweal.services.access.graph.store import Graph
from commonweal.services.access.rules import Fact

SCHEMA = "https://sidewalks.washington.edu/opensidewalks/0.2/schema.json"
_COPIED = (
    "highway",
    "footway",
    "surface",
    "name",
    "crossing:markings",
    "tactile_paving",
    "kerb",
    "barrier",
    "step_count",
    "foot",
)
_ONE_WAY_HOME = 1_000_000_000_000_000
"""Identifiers of a data set that are no numbers are numbered from here on."""


def read(path: Path, progress: Progress = lambda stage, count: None) -> Streets:
    """Read a data set. Lines whose ends carry `_u_id` and `_v_id` join there; others join where coordinates are equal.

    Raises `Invalid` (`extract.broken`).
    """
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        points = [f for f in features if f["geometry"]["type"] == "Point"]
        lines = [f for f in features if f["geometry"]["type"] == "LineString"]
        numbers, streets = _Numbers(), Streets()
        for feature in points:
            lon, lat = feature["geometry"]["coordinates"][:2]
            ref = numbers.named(feature["properties"].get("_id"), lat, lon)
            streets.tagged[ref] = _tags(feature["properties"]), 0
        for number, feature in enumerate(lines):
            properties, line = feature["properties"], feature["geometry"]["coordinates"]
            ends = {0: properties.get("_u_id"), len(line) - 1: properties.get("_v_id")}
            tags = {"highway": "footway"} | _tags(properties)
            name = str(properties.get("_id", ""))
            streets.add(
                Way(int(name) if name.isdigit() else number + 1, tags),
                [
                    (numbers.named(ends.get(k), lat, lon), float(lat), float(lon))
                    for k, (lon, lat, *_) in enumerate(line)
                ],
            )
        progress("ways", len(streets.ways))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise broken(path, error) from None
    if not streets.ways:
        raise broken(path, "no lines")
    streets.sha256 = fingerprint(path)
    return streets


class _Numbers:
    """A whole number for every identifier and every place."""

    def __init__(self) -> None:
        self._known: dict[object, int] = {}

    def named(self, name: object, lat: float, lon: float) -> int:
        """The number of `name`, or of the place if there is no name."""
        if name is None:
            return self._known.setdefault((round(lat, 7), round(lon, 7)), _ONE_WAY_HOME + len(self._known))
        if str(name).isdigit():
            return int(str(name))
        return self._known.setdefault(str(name), _ONE_WAY_HOME + len(self._known))


def _tags(properties: dict[str, Any]) -> dict[str, str]:
    """The tags of a feature's properties: incline is a ratio there, width is metres."""
    tags = {key: str(properties[key]) for key in _COPIED if properties.get(key) is not None}
    tags |= {
        key.removeprefix("ext:"): str(v) for key, v in properties.items() if key.startswith("ext:") and v is not None
    }
    if isinstance(properties.get("incline"), int | float):
        tags["incline"] = f"{round(properties['incline'] * 100, 2):g}%"
    if isinstance(properties.get("width"), int | float):
        tags["width"] = f"{properties['width']:g} m"
    for key in ("tactile_paving",):
        if key in tags:
            tags[key] = {"true": "yes", "false": "no"}.get(tags[key].lower(), tags[key])
    return tags


def write(graph: Graph, out: Callable[[str], object]) -> int:
    """Write a graph as one FeatureCollection, piece by piece. Returns how many features."""
    a, count = graph.arrays, 0
    out(f'{{"type":"FeatureCollection","$schema":{json.dumps(SCHEMA)},"features":[\n')
    for vertex in range(len(a.v_node)):
        row = int(a.v_row[vertex])
        properties = {"_id": str(int(a.v_node[vertex]))} | (
            _node(graph.rows[row].facts, graph.rows[row].about) if row >= 0 else {}
        )
        point = {"type": "Point", "coordinates": [float(a.v_lon[vertex]), float(a.v_lat[vertex])]}
        out((",\n" if count else "") + _feature(point, properties))
        count += 1
    for edge in range(len(a.e_way)):
        first, last = int(a.e_shape[edge]), int(a.e_shape[edge + 1])
        line = [[float(x), float(y)] for x, y in zip(a.s_lon[first:last], a.s_lat[first:last], strict=True)]
        said = graph.rows[int(a.e_row[edge])]
        properties = {
            "_id": str(edge + 1),
            "_u_id": str(int(a.v_node[a.e_u[edge]])),
            "_v_id": str(int(a.v_node[a.e_v[edge]])),
            "ext:osm_id": str(int(a.e_way[edge])),
            "length": round(float(a.e_len[edge]), 2),
        } | _edge(said.facts, said.about)
        if name := graph.names[int(a.e_name[edge])]:
            properties["name"] = name
        out(",\n" + _feature({"type": "LineString", "coordinates": line}, properties))
        count += 1
    out("\n]}\n")
    return count


def _feature(geometry: dict[str, Any], properties: dict[str, Any]) -> str:
    return json.dumps(
        {"type": "Feature", "geometry": geometry, "properties": properties}, ensure_ascii=False, separators=(",", ":")
    )


def _node(facts: tuple[Fact, ...], about: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    found: dict[str, Any] = {key: value for key, value in about if key in ("barrier", "tactile_paving")}
    for fact in facts:
        if fact.attribute in ("kerb", "barrier", "steps", "lift", "door", "wheelchair"):
            found |= {key if key in _COPIED else f"ext:{key}": value for key, value in fact.tags}
    return found


def _edge(facts: tuple[Fact, ...], about: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    found: dict[str, Any] = {key: value for key, value in about if key in ("highway", "footway", "tactile_paving")}
    for fact in facts:
        match fact.attribute, fact.value:
            case "incline", float(value):
                found["incline"] = round(value / 100, 4)
            case "width", float(value):
                found["width"] = round(value / 100, 2)
            case "surface", str(value) if value != "usable":
                found["surface"] = value
            case _:
                found |= {f"ext:{key}" if key not in _COPIED else key: value for key, value in fact.tags}
    return found
