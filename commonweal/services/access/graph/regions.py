"""A region in the data directory: the graph of an extract, and beside it the places that are in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from commonweal.services.access.graph import answer, places, tiles
from commonweal.services.access.graph.build import OPENSTREETMAP, build
from commonweal.services.access.graph.router import Router
from commonweal.services.access.graph.source import Progress
from commonweal.services.access.rules import PROFILES

_ENDINGS = re.compile(r"(\.osm)?\.(pbf|geojson|json|osm|bz2)$|\.osm$")


def bring(
    extract: Path,
    home: Path,
    *,
    dem: Path | None = None,
    licence: str = OPENSTREETMAP,
    progress: Progress = lambda stage, count: None,
) -> tuple[Path, dict[str, Any]]:
    """Build the graph of `extract` in `home`, named after the file, with its places, and its tiles where what makes
    them is installed. Returns folder and meta data."""
    home.mkdir(parents=True, exist_ok=True)
    folder = home / name_of(extract)
    meta = build(extract, folder, dem=dem, licence=licence, progress=progress)
    if extract.suffix not in (".json", ".geojson"):
        found = places.to_a11y(places.read_osm(extract))
        (folder / "places.json").write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
        if tiles.can_make():
            tiles.make(extract, folder / tiles.FILE, progress)
    _ask_once(folder)
    return folder, meta


def _ask_once(folder: Path) -> None:
    """Ask the new graph for a short way: numba compiles what answers, and keeps it, before somebody waits for it."""
    router = Router.open(folder)
    a = router.arrays
    near, far = ((float(a.s_lat[k]), float(a.s_lon[k])) for k in (0, min(50, len(a.s_lat) - 1)))
    answer.route(router, PROFILES["pram"][0], near, far, alternatives=True)


def name_of(extract: Path) -> str:
    """What a region is called: its file without its endings."""
    return _ENDINGS.sub("", extract.name)
