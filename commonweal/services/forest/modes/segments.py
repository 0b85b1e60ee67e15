"""Segments to judge: from a file of their features, or from a directory of tracks."""

from __future__ import annotations

import bisect
import csv
import io
import lzma
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.forest.modes.motion import FEATURES, motion
from commonweal.services.forest.tracks.fixes import Fix
from commonweal.services.forest.tracks.reading import read_csv, read_gpx, read_plt

PAUSE = timedelta(minutes=20)
"""A silence that ends a segment where nobody has said where segments end."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of travel: `features` as in `FEATURES`, `fixes` if the track itself is at hand.

    `mode` is what its traveller says it was, None if that is not known; it is never looked at when judging.
    """

    name: str
    user: str
    mode: str | None
    features: NDArray[np.float64]
    fixes: tuple[Fix, ...] = ()


def read_segments(path: Path) -> list[Segment]:
    """Segments from a CSV (plain or .xz) with the columns of `FEATURES` and, if it has them, `user` and `mode`.

    Raises `Invalid` `modes.file` naming a missing column or the line that holds no number.
    """
    data = path.read_bytes()
    text = (lzma.decompress(data) if path.suffix == ".xz" else data).decode("utf-8-sig")
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in FEATURES if name not in (reader.fieldnames or ())]
    if missing:
        raise _wrong(path, f"no column {missing[0]}")
    found: list[Segment] = []
    for row in reader:
        try:
            values = [float(row[name]) for name in FEATURES]
        except (TypeError, ValueError) as error:
            raise _wrong(path, f"line {reader.line_num}") from error
        if not all(map(math.isfinite, values)):
            raise _wrong(path, f"line {reader.line_num}")
        found.append(Segment(str(len(found) + 1), row.get("user") or "", row.get("mode") or None, np.array(values)))
    return found


def read_tracks(directory: Path) -> list[Segment]:
    """Segments of a directory of tracks.

    Either one folder a person with `labels.txt` (start, end and possibly mode, tab-separated, UTC) and
    `Trajectory/*.plt`, as GeoLife has it, or files `.plt`, `.gpx`, `.csv` themselves. Where no labels say where
    segments begin and end, a silence of 20 minutes does. Segments with fewer than three steps are left out.
    """
    people = [folder for folder in sorted(directory.iterdir()) if (folder / "Trajectory").is_dir()]
    if (directory / "Trajectory").is_dir():
        people = [directory]
    found: list[Segment] = []
    for person in people:
        found += _labelled(person) if (person / "labels.txt").exists() else _paused(person / "Trajectory", person.name)
    if not people:
        found = list(_paused(directory, ""))
    if not found:
        raise _wrong(directory, "no track with three steps")
    return found


def _labelled(person: Path) -> Iterator[Segment]:
    fixes = [fix for path in sorted((person / "Trajectory").glob("*.plt")) for fix in _read(path)]
    fixes.sort(key=lambda fix: fix.at)
    times = [fix.at for fix in fixes]
    for number, line in enumerate((person / "labels.txt").read_text("utf-8").splitlines()[1:], 2):
        parts = [part.strip() for part in line.split("\t")]
        if len(parts) < 2:
            continue
        try:
            start, end = (datetime.strptime(part, "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC) for part in parts[:2])
        except ValueError as error:
            raise _wrong(person / "labels.txt", f"line {number}") from error
        inside = tuple(fixes[bisect.bisect_left(times, start) : bisect.bisect_right(times, end)])
        features = motion(inside, end - start)
        if features is not None:
            mode = parts[2] if len(parts) > 2 and parts[2] else None
            yield Segment(f"{parts[0]} - {parts[1]}", person.name, mode, features, inside)


def _paused(directory: Path, user: str) -> Iterator[Segment]:
    for path in sorted(p for p in directory.iterdir() if p.suffix.lower() in (".plt", ".gpx", ".csv")):
        fixes = sorted(_read(path), key=lambda fix: fix.at)
        cuts = [i for i in range(1, len(fixes)) if fixes[i].at - fixes[i - 1].at > PAUSE]
        for part, (a, b) in enumerate(zip([0, *cuts], [*cuts, len(fixes)], strict=True), 1):
            features = motion(fixes[a:b])
            if features is not None:
                yield Segment(f"{path.name}#{part}", user, None, features, tuple(fixes[a:b]))


def _read(path: Path) -> list[Fix]:
    suffix = path.suffix.lower()
    if suffix == ".gpx":
        return read_gpx(path.read_bytes())
    text = path.read_text("utf-8")
    return read_plt(text) if suffix == ".plt" else read_csv(text)


def _wrong(path: Path, why: str) -> Invalid:
    return Invalid(
        "modes.file",
        Text("{name} holds no segments: {why}", "{name} 中没有可用的行程段：{why}").format(name=path.name, why=why),
        field="file",
    )
