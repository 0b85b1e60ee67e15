"""Reading tracks. XML is read without entities or document types, so that no file can be more than it is."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from xml.parsers import expat

from commonweal.kernel.errors import Invalid, TooLarge
from commonweal.kernel.text import Text
from commonweal.services.forest.tracks.fixes import MOST_FIXES, Fix

MOST_BYTES = 20_000_000


def read_gpx(data: bytes) -> list[Fix]:
    """The track points of a GPX 1.0 or 1.1 file, in the order written; points without a time are left out.

    Raises `TooLarge` (`track.bytes`, `track.long`) or `Invalid` (`track.form`); whether the fixes can be true is for
    `check_track` to say.
    """
    if len(data) > MOST_BYTES:
        raise TooLarge("track.bytes", Text("A track file has at most 20 MB.", "轨迹文件最大 20 MB。"), field="track")
    parser = expat.ParserCreate(namespace_separator=" ")
    fixes: list[Fix] = []
    point: list[float] = []
    words: list[str] | None = None

    def opened(name: str, attributes: dict[str, str]) -> None:
        nonlocal words
        tag = name.rpartition(" ")[2]
        if tag == "trkpt":
            point[:] = [float(attributes["lat"]), float(attributes["lon"])]
        elif tag == "time" and point:
            words = []

    def said(text: str) -> None:
        if words is not None:
            words.append(text)

    def closed(name: str) -> None:
        nonlocal words
        tag = name.rpartition(" ")[2]
        if tag == "time" and words is not None and point:
            fixes.append(Fix(point[0], point[1], _moment("".join(words))))
            words = None
            if len(fixes) > MOST_FIXES:
                raise TooLarge(
                    "track.long", Text("A track has at most 100,000 fixes.", "轨迹最多 100,000 个点。"), field="track"
                )
        elif tag == "trkpt":
            point.clear()

    def refused(*_: object) -> None:
        raise ValueError("a document type is not allowed")

    parser.StartElementHandler = opened
    parser.CharacterDataHandler = said
    parser.EndElementHandler = closed
    parser.StartDoctypeDeclHandler = refused
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, KeyError) as error:
        raise _form(f"GPX: {error}") from error
    return fixes


def read_plt(text: str) -> list[Fix]:
    """The fixes of a GeoLife .plt file: six lines of heading, then latitude, longitude, ..., date, time (UTC)."""
    fixes = []
    for number, line in enumerate(text.splitlines()[6:], 7):
        if not line.strip():
            continue
        parts = line.split(",")
        try:
            at = datetime.fromisoformat(f"{parts[5]}T{parts[6]}").replace(tzinfo=UTC)
            fixes.append(Fix(float(parts[0]), float(parts[1]), at))
        except (IndexError, ValueError) as error:
            raise _form(f"PLT, line {number}") from error
    return fixes


def read_csv(text: str) -> list[Fix]:
    """Fixes from a CSV with columns `latitude`, `longitude`, `time` (ISO 8601 with a zone)."""
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    if not {"latitude", "longitude", "time"} <= set(reader.fieldnames or ()):
        raise _form("CSV: latitude, longitude, time")
    fixes = []
    for row in reader:
        try:
            fixes.append(Fix(float(row["latitude"]), float(row["longitude"]), _moment(row["time"])))
        except (TypeError, ValueError) as error:
            raise _form(f"CSV, line {reader.line_num}") from error
    return fixes


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    # GPX says that its times are UTC, whether or not they end in Z.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _form(why: str) -> Invalid:
    return Invalid(
        "track.form",
        Text("This track cannot be read ({why}).", "无法读取这条轨迹（{why}）。").format(why=why),
        field="track",
    )
