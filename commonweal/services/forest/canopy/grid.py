"""Where the pixels of a patch lie on the globe: outlines in degrees become parcels of the patch."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.forest.canopy.patch import LEAST_PIXELS, Parcel, Patch, pixels_within

AXIS, FLATTENING = 6_378_137.0, 1 / 298.257223563  # WGS 84
SCALE, FALSE_EAST, FALSE_NORTH = 0.9996, 500_000.0, 10_000_000.0  # UTM


@dataclass(frozen=True, slots=True)
class Grid:
    """The box of a patch in its own coordinates; `zone` is that of UTM (negative in the south), 0 for degrees."""

    west: float
    south: float
    east: float
    north: float
    zone: int

    def at(self, longitude: float, latitude: float) -> tuple[float, float]:
        """A position in degrees, in the coordinates of the patch."""
        return utm(longitude, latitude, self.zone) if self.zone else (longitude, latitude)


def read_grid(directory: Path) -> Grid:
    """The grid of a patch directory. Raises `Invalid` `patch.grid` for a reference system other than UTM or degrees."""
    try:
        box = json.loads((directory / "bbox.geojson").read_text(encoding="utf-8"))
        ring = box["coordinates"][0]
        named = str(box.get("crs", {}).get("properties", {}).get("name", "EPSG::4326"))
        code = re.search(r"(\d+)$", named)
        epsg = int(code[1]) if code else 4326
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise _unreadable(directory) from error
    if epsg not in (4326, 84) and epsg // 100 not in (326, 327):
        raise _unreadable(directory)
    zone = 0 if epsg in (4326, 84) else epsg % 100 * (1 if epsg // 100 == 326 else -1)
    xs, ys = [float(p[0]) for p in ring], [float(p[1]) for p in ring]
    return Grid(min(xs), min(ys), max(xs), max(ys), zone)


def _unreadable(directory: Path) -> Invalid:
    return Invalid(
        "patch.grid",
        Text("{name} does not say in UTM or degrees where it lies.", "{name} 没有用 UTM 或经纬度说明位置。").format(
            name=directory.name
        ),
        field="directory",
    )


def with_outlines(patch: Patch, grid: Grid, outlines: dict[str, Sequence[tuple[float, float]]]) -> Patch:
    """The patch with parcels of outlines (longitude, latitude) in place of its own: those that lie in it wholly."""
    rows, columns = patch.shape
    x = grid.west + (np.arange(columns) + 0.5) * (grid.east - grid.west) / columns
    y = grid.north - (np.arange(rows) + 0.5) * (grid.north - grid.south) / rows
    parcels = []
    for name, corners in outlines.items():
        ring = np.asarray([grid.at(*corner) for corner in (*corners, corners[0])])
        within = (ring >= (grid.west, grid.south)).all() and (ring <= (grid.east, grid.north)).all()
        pixels = pixels_within([ring], x, y) if within else np.zeros(0, np.int64)
        if len(pixels) >= LEAST_PIXELS:
            parcels.append(Parcel(name, "", pixels))
    return replace(patch, parcels=parcels)


def utm(longitude: float, latitude: float, zone: int) -> tuple[float, float]:
    """Easting and northing in metres by Krueger's series to the third order: right to a millimetre within a zone.

    Source: C. F. F. Karney 2011, "Transverse Mercator with an accuracy of a few nanometers", J. Geodesy 85:475-485.
    """
    n = FLATTENING / (2 - FLATTENING)
    radius = AXIS / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    series = (
        n / 2 - 2 * n**2 / 3 + 5 * n**3 / 16,
        13 * n**2 / 48 - 3 * n**3 / 5,
        61 * n**3 / 240,
    )
    phi, lam = math.radians(latitude), math.radians(longitude - (abs(zone) * 6 - 183))
    e = 2 * math.sqrt(n) / (1 + n)
    t = math.sinh(math.atanh(math.sin(phi)) - e * math.atanh(e * math.sin(phi)))
    xi, eta = math.atan2(t, math.cos(lam)), math.atanh(math.sin(lam) / math.sqrt(1 + t * t))
    east = eta + sum(a * math.cos(2 * j * xi) * math.sinh(2 * j * eta) for j, a in enumerate(series, 1))
    north = xi + sum(a * math.sin(2 * j * xi) * math.cosh(2 * j * eta) for j, a in enumerate(series, 1))
    return FALSE_EAST + SCALE * radius * east, SCALE * radius * north + (FALSE_NORTH if zone < 0 else 0)
