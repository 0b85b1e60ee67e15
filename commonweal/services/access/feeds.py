"""What authorities say of lifts and works, read from the forms in which they say it. Pure.

- `gtfs-rt`: a GTFS-Realtime feed (gtfs.org/documentation/realtime): alerts with the effect ACCESSIBILITY_ISSUE. They
  name a stop, not a lift: where several lifts stand at a stop, each of them is in doubt.
- `fasta`: the list of facilities of Deutsche Bahn's station data ("FaSta", v2): every lift with its state and place.
- `a11y`: A11yJSON EquipmentInfo features (sozialhelden/a11yjson): lifts with `isWorking`.
- `works`: GeoJSON, plain or as a WZDx work zone feed (v4): what is closed, where, from when to when.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from commonweal.kernel.errors import Invalid, TooLarge
from commonweal.kernel.text import Text

MOST_ITEMS = 5_000
ACCESSIBILITY_ISSUE = 11
"""`transit_realtime.Alert.Effect.ACCESSIBILITY_ISSUE`."""
Point = tuple[float, float]
Stops = Mapping[str, Point]
"""The places of stops by their id, latitude and longitude (`stops.txt` of a GTFS feed)."""


@dataclass(frozen=True, slots=True)
class Item:
    """One lift out of service, or one site of works.

    `exact`: the points are where it stands; else they say only near what. `sure`: it closes the way; else it may.
    `points` are latitude and longitude; of an area, its ring.
    """

    key: str
    kind: str
    points: tuple[Point, ...]
    area: bool = False
    exact: bool = True
    sure: bool = True
    title: str = ""
    starts: datetime | None = None
    ends: datetime | None = None


def broken(reason: object) -> Invalid:
    """The refusal of what is not in the form that was promised."""
    return Invalid(
        "feed.form",
        Text("This cannot be read as such a feed: {why}.", "内容不符合该数据格式：{why}。").format(
            why=str(reason)[:160]
        ),
        field="feed",
    )


def read(form: str, data: bytes, stops: Stops) -> list[Item]:
    """The items of a feed. Raises `Invalid` (`feed.form`, `feed.unknown-form`) and `TooLarge` (`feed.items`)."""
    if form not in FORMS:
        raise Invalid(
            "feed.unknown-form",
            Text("Choose one of {forms}.", "请从 {forms} 中选择。").format(forms=", ".join(FORMS)),
            field="form",
        )
    try:
        items = FORMS[form](data, stops)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise broken(f"{type(error).__name__}: {error}") from None
    if len(items) > MOST_ITEMS:
        raise TooLarge(
            "feed.items",
            Text("A feed has at most {most} items.", "每次最多 {most} 条。").format(most=MOST_ITEMS),
            field="feed",
        )
    return list({item.key: item for item in items}.values())


def read_stops(table: str) -> dict[str, Point]:
    """The places in `stops.txt`; a stop without its own stands where its parent does. Raises `Invalid`."""
    import csv

    try:
        rows = {row["stop_id"]: row for row in csv.DictReader(table.lstrip("\ufeff").splitlines())}
        found: dict[str, Point] = {}
        for name, row in rows.items():
            placed = row if row.get("stop_lat") else rows.get(row.get("parent_station") or "", row)
            if placed.get("stop_lat"):
                found[name] = float(placed["stop_lat"]), float(placed["stop_lon"])
    except (KeyError, TypeError, ValueError) as error:
        raise broken(f"stops.txt: {type(error).__name__}: {error}") from None
    return found


def _gtfs_rt(data: bytes, stops: Stops) -> list[Item]:
    from google.protobuf.message import DecodeError
    from google.transit import gtfs_realtime_pb2

    message = gtfs_realtime_pb2.FeedMessage()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise ValueError(error) from None
    if not message.header.gtfs_realtime_version:
        raise ValueError("no header")
    items = []
    for entity in message.entity:
        if entity.is_deleted or not entity.HasField("alert") or entity.alert.effect != ACCESSIBILITY_ISSUE:
            continue
        alert = entity.alert
        periods = [(period.start, period.end) for period in alert.active_period] or [(0, 0)]
        starts, ends = min(start for start, _ in periods), max(end or 2**62 for _, end in periods)
        title = next((text.text for text in alert.header_text.translation), "")[:300]
        for stop in dict.fromkeys(one.stop_id for one in alert.informed_entity if one.stop_id in stops):
            items.append(
                Item(
                    f"{entity.id}/{stop}"[:200], "lift", (stops[stop],), exact=False, title=title,
                    starts=datetime.fromtimestamp(starts, UTC) if starts else None,
                    ends=datetime.fromtimestamp(ends, UTC) if ends < 2**62 else None,
                )
            )  # fmt: skip
    return items


def _fasta(data: bytes, stops: Stops) -> list[Item]:
    return [
        Item(
            str(one["equipmentnumber"]),
            "lift",
            ((float(one["geocoordY"]), float(one["geocoordX"])),),
            sure=one["state"] == "INACTIVE",
            title=str(one.get("description", ""))[:300],
        )
        for one in json.loads(data)
        if one["type"] == "ELEVATOR" and one["state"] != "ACTIVE" and one.get("geocoordX") is not None
    ]


def _a11y(data: bytes, stops: Stops) -> list[Item]:
    items = []
    for feature in json.loads(data)["features"]:
        about = feature["properties"]
        if about.get("category") == "elevator" and about.get("isWorking") is False:
            lon, lat = map(float, feature["geometry"]["coordinates"][:2])
            title = about.get("longDescription") or about.get("shortDescription") or about.get("description") or ""
            title = next(iter(title.values()), "") if isinstance(title, dict) else title
            name = str(about.get("originalId") or about.get("_id") or f"{lat:.6f},{lon:.6f}")
            items.append(Item(name[:200], "lift", ((lat, lon),), title=str(title)[:300]))
    return items


def _works(data: bytes, stops: Stops) -> list[Item]:
    features = json.loads(data)["features"]
    return [_work(number, feature) for number, feature in enumerate(features, 1)]


def _work(number: int, feature: dict[str, Any]) -> Item:
    about: dict[str, Any] = feature.get("properties") or {}
    core: dict[str, Any] = about.get("core_details") or {}
    shape, area = _shape(feature["geometry"])
    return Item(
        str(feature.get("id") or about.get("id") or number)[:200],
        "works",
        shape,
        area=area,
        sure=_closes(about, wzdx=bool(core)),
        title=str(core.get("description") or about.get("title") or about.get("description") or "")[:300],
        starts=_moment(about.get("start_date") or about.get("starts")),
        ends=_moment(about.get("end_date") or about.get("ends")),
    )


def _closes(about: dict[str, Any], *, wzdx: bool) -> bool:
    """Whether people on foot are surely kept out: said so, or a pavement among the lanes that are closed. A zone that
    closes lanes for cars only says nothing of the pavement: it stays a doubt."""
    if not wzdx:
        return about.get("closed", True) is not False
    walks = [
        lane for lane in about.get("lanes") or () if lane.get("type") in ("sidewalk", "shared-use-path", "crosswalk")
    ]
    return any(lane.get("status") == "closed" for lane in walks)


def _shape(geometry: dict[str, Any]) -> tuple[tuple[Point, ...], bool]:
    points: Any = geometry["coordinates"]
    match geometry["type"]:
        case "Point":
            points = [points]
        case "LineString" | "MultiPoint":
            pass
        case "MultiLineString":
            points = [point for line in points for point in line]
        case "Polygon":
            points = points[0][:-1] if points[0][0] == points[0][-1] else points[0]
        case other:
            raise ValueError(f"geometry {other}")
    return tuple((float(lat), float(lon)) for lon, lat, *_ in points), geometry["type"] == "Polygon"


def _moment(text: object) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(str(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


FORMS: dict[str, Callable[[bytes, Stops], list[Item]]] = {
    "gtfs-rt": _gtfs_rt,
    "fasta": _fasta,
    "a11y": _a11y,
    "works": _works,
}
