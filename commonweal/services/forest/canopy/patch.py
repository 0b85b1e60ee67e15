"""A patch of satellite scenes: NDVI by date and pixel, cloud mask, and the parcels that lie in it.

A patch is a directory in the layout of an EOPatch: `NDVI.npy` and `CLM.npy` (dates, rows, columns, 1),
`timestamps.json`, `bbox.geojson`, if there is one `IS_VALID.npy`, and the parcels in `LULC.gpkg` (or areas of
one value in `LULC.npy`).
"""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text

LEAST_PIXELS = 10
"""A parcel with fewer whole pixels is too small to be seen at 10 m."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A piece of land: the flat indices of the pixels whose centres lie in it."""

    id: str
    cover: str
    pixels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Patch:
    """`ndvi` (dates, pixels) in -1..1, `clear` (dates, pixels): neither cloud nor outside the swath."""

    dates: list[datetime]
    shape: tuple[int, int]
    ndvi: NDArray[np.float32]
    clear: NDArray[np.bool_]
    parcels: list[Parcel]


def read_patch(directory: Path) -> Patch:
    """Read a patch directory. Raises `Invalid` `patch.form` naming what is missing or does not fit."""
    try:
        ndvi = np.load(directory / "NDVI.npy")
        clouds = np.load(directory / "CLM.npy")
        stamps = json.loads((directory / "timestamps.json").read_text(encoding="utf-8"))
        dates = [_utc(datetime.fromisoformat(stamp)) for stamp in stamps]
        if ndvi.ndim == 3:
            ndvi, clouds = ndvi[..., None], clouds.reshape(*ndvi.shape, 1)
        if ndvi.shape != clouds.shape or len(dates) != len(ndvi):
            raise ValueError("NDVI, CLM and timestamps differ in size")
        if dates != sorted(dates):
            raise ValueError("the dates are not in order")
        count, rows, columns, _ = ndvi.shape
        flat = ndvi.reshape(count, rows * columns).astype(np.float32)
        clear = (clouds.reshape(count, -1) == 0) & np.isfinite(flat) & (np.abs(flat) <= 1)
        valid = directory / "IS_VALID.npy"
        if valid.exists():
            clear &= np.load(valid).reshape(count, -1).astype(bool)
        return Patch(dates, (rows, columns), np.nan_to_num(flat), clear, _parcels(directory, rows, columns))
    except (OSError, ValueError, KeyError, TypeError, struct.error, sqlite3.DatabaseError) as error:
        raise Invalid(
            "patch.form",
            Text("{name} is not a patch of scenes: {why}", "{name} 不是影像目录：{why}").format(
                name=directory.name, why=error
            ),
            field="directory",
        ) from error


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _parcels(directory: Path, rows: int, columns: int) -> list[Parcel]:
    if (directory / "LULC.gpkg").exists():
        ring = json.loads((directory / "bbox.geojson").read_text(encoding="utf-8"))["coordinates"][0]
        west, east = min(p[0] for p in ring), max(p[0] for p in ring)
        south, north = min(p[1] for p in ring), max(p[1] for p in ring)
        x = west + (np.arange(columns) + 0.5) * (east - west) / columns
        y = north - (np.arange(rows) + 0.5) * (north - south) / rows
        found = [
            Parcel(id, cover, pixels_within(shape, x, y)) for id, cover, shape in _features(directory / "LULC.gpkg")
        ]
    elif (directory / "LULC.npy").exists():
        found = _areas(np.load(directory / "LULC.npy").reshape(rows, columns))
    else:
        found = [Parcel("all", "", np.arange(rows * columns))]
    return [parcel for parcel in found if len(parcel.pixels) >= LEAST_PIXELS]


def _features(path: Path) -> Iterator[tuple[str, str, list[NDArray[np.float64]]]]:
    """Id, land cover and rings of each feature of a GeoPackage (OGC 12-128): SQLite with WKB after a short header."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
        table, column = file.execute("SELECT table_name, column_name FROM gpkg_geometry_columns").fetchone()
        rows = file.execute(f'SELECT * FROM "{table}"')
        names = [described[0] for described in rows.description]
        for row in rows:
            fields: dict[str, Any] = dict(zip(names, row, strict=True))
            blob: bytes = fields[column]
            envelope = (0, 32, 48, 48, 64)[(blob[3] >> 1) & 7]
            cover = next((str(fields[n]) for n in names if n.upper().endswith("_NAME")), "")
            yield str(fields[names[0]]), cover, list(_rings(blob[8 + envelope :]))


def _rings(wkb: bytes) -> Iterator[NDArray[np.float64]]:
    order = "<" if wkb[0] else ">"
    kind, count = struct.unpack_from(order + "II", wkb, 1)
    at = 9
    if kind % 1000 == 6:  # a multipolygon: polygons one after another
        for _ in range(count):
            length, rings = _polygon(wkb, at, order)
            yield from rings
            at += length
    elif kind % 1000 == 3:
        yield from _polygon(wkb, 0, order)[1]
    else:
        raise ValueError(f"a parcel of geometry type {kind}")


def _polygon(wkb: bytes, at: int, order: str) -> tuple[int, list[NDArray[np.float64]]]:
    kind, count = struct.unpack_from(order + "II", wkb, at + 1)
    size = 3 if kind // 1000 in (1, 2) else 2
    here, rings = at + 9, []
    for _ in range(count):
        (corners,) = struct.unpack_from(order + "I", wkb, here)
        ring = np.frombuffer(wkb, order + "f8", corners * size, here + 4).reshape(-1, size)[:, :2]
        rings.append(ring)
        here += 4 + corners * size * 8
    return here - at, rings


def pixels_within(
    rings: list[NDArray[np.float64]], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Flat indices of the pixel centres inside, by crossings of each row's line (even-odd, so holes are left out)."""
    ends = np.concatenate([np.hstack([ring[:-1], ring[1:]]) for ring in rings])
    found = []
    for row, line in enumerate(y):
        above = (ends[:, 1] > line) != (ends[:, 3] > line)
        side = ends[above]
        if not len(side):
            continue
        cuts = np.sort((side[:, 2] - side[:, 0]) * (line - side[:, 1]) / (side[:, 3] - side[:, 1]) + side[:, 0])
        inside = np.searchsorted(cuts, x) % 2 == 1
        found.append(np.flatnonzero(inside) + row * len(x))
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _areas(cover: NDArray[Any]) -> list[Parcel]:
    """Connected areas of one value, where no outlines are given."""
    rows, columns = cover.shape
    label = np.arange(rows * columns).reshape(rows, columns)
    while True:
        before = label.copy()
        for axis in (0, 1):
            a, b = (label[:-1], label[1:]) if axis == 0 else (label[:, :-1], label[:, 1:])
            same = cover[:-1] == cover[1:] if axis == 0 else cover[:, :-1] == cover[:, 1:]
            least = np.where(same, np.minimum(a, b), a)
            a[...] = least
            b[...] = np.where(same, np.minimum(a, b), b)
        if (label == before).all():
            break
    flat, values = label.ravel(), cover.ravel()
    return [Parcel(str(n), str(values[n]), np.flatnonzero(flat == n)) for n in np.unique(flat)]
