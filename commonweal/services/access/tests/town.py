"""Towns drawn in ASCII: letters are nodes, 20 m apart a column and 40 m a row; ways and tags stand beside them."""

from __future__ import annotations

import os
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from commonweal.services.access.graph.build import build
from commonweal.services.access.graph.router import Router

NORTH, WEST = 31.2304, 121.4737
ROW, COLUMN = 40 / 111_195, 20 / (111_195 * 0.8552)


def data(name: str) -> Path:
    """A file of real data. Skips loudly where it is not there."""
    path = Path(os.environ.get("COMMONWEAL_DATA", "../shared/data")) / "access" / name
    if not path.exists():
        pytest.skip(
            f"{path} is missing: test extracts of OpenTripPlanner, openrouteservice and motis osr (OpenStreetMap, ODbL)"
        )
    return path


class Town:
    """A drawn town, written as OSM XML and built."""

    def __init__(self, folder: Path, drawing: str, ways: dict[str, str], nodes: dict[str, str] | None = None) -> None:
        lines = [line for line in drawing.splitlines() if line.strip()]
        self.at = {
            letter: (NORTH - row * ROW, WEST + column * COLUMN)
            for row, line in enumerate(lines)
            for column, letter in enumerate(line)
            if letter.isalnum()
        }
        self.id = {letter: number for number, letter in enumerate(sorted(self.at), 1)}
        self.way_id = {name: 100 + number for number, name in enumerate(ways)}
        parts = ["<osm version='0.6'>"]
        for letter, (lat, lon) in sorted(self.at.items()):
            tags = _tags((nodes or {}).get(letter, ""))
            parts.append(f"<node id='{self.id[letter]}' lat='{lat:.7f}' lon='{lon:.7f}' version='1'>{tags}</node>")
        for name, tags in ways.items():
            refs = "".join(f"<nd ref='{self.id[letter]}'/>" for letter in name)
            parts.append(f"<way id='{self.way_id[name]}' version='1'>{refs}{_tags(tags)}</way>")
        self.extract = folder / "town.osm"
        self.extract.write_text("".join([*parts, "</osm>"]), encoding="utf-8")
        build(self.extract, folder / "town.graph")
        self.router = Router.open(folder / "town.graph")

    def letters(self, answer: dict[str, object]) -> str:
        """The nodes of a route, as letters."""
        back = {number: letter for letter, number in self.id.items()}
        path = ""
        for segment in answer["segments"]:  # type: ignore[attr-defined]
            for ref in segment["nodes"]:
                path += back[ref] if not path.endswith(back[ref]) else ""
        return path


def _tags(text: str) -> str:
    pairs = (pair.split("=", 1) for pair in text.split() if pair)
    return "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in pairs)
