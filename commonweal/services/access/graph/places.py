"""Places and how one gets into them: toilets, entrances, lifts, shops. A11yJSON (sozialhelden/a11yjson) in and out."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import osmium

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.access.graph.source import broken
from commonweal.services.access.graph.tags import centimetres, door, plain

KEYS = ("amenity", "shop", "tourism", "healthcare", "office", "leisure", "entrance", "railway", "public_transport")
_SIGN = {"yes": True, "designated": True, "no": False}


@dataclass(frozen=True, slots=True)
class Spot:
    """A place. `wheelchair` is yes, limited, no or empty (not known); widths and heights in centimetres."""

    id: str
    kind: str
    lat: float
    lon: float
    name: str = ""
    wheelchair: str = ""
    toilet: str = ""
    door_width: float | None = None
    door: str = ""
    steps: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    edited: str = ""
    """The day on which the map was last changed here (ISO 8601)."""


_KEPT = re.compile(
    r"(name(:.*)?|alt_name|ref|level|highway|barrier|amenity|opening_hours|wheelchair.*|toilets.*|unisex|changing_table"
    r"|entrance.*|door.*|automatic_door|width|length|step_count|ramp.*|kerb.*|handrail.*|tactile_.*|access|foot|fee)"
)
"""The tags that say what a place is called and how one gets in; nothing about the people in it."""


def read_osm(path: Path) -> Iterator[Spot]:
    """The places of an extract that say something about access, or have a name. Ways stand at their first node.

    Raises `Invalid` (`extract.broken`).
    """
    try:
        entities = osmium.osm.NODE | osmium.osm.WAY
        processor = (
            osmium.FileProcessor(str(path), entities)
            .with_locations()
            .with_filter(osmium.filter.KeyFilter(*KEYS, "highway"))
        )
        for thing in processor:
            if not isinstance(thing, osmium.osm.Node | osmium.osm.Way):
                continue
            tags = dict(thing.tags)
            kind = next((tags[key] for key in KEYS if key in tags), "")
            if tags.get("highway") == "elevator":
                kind = "elevator"
            if not kind or not (
                tags.keys() & {"name", "wheelchair", "toilets:wheelchair", "entrance"}
                or kind in ("elevator", "toilets")
            ):
                continue
            if isinstance(thing, osmium.osm.Node):
                element, where = f"node/{thing.id}", thing.location
            else:
                element = f"way/{thing.id}"
                where = next((node.location for node in thing.nodes if node.location.valid()), osmium.osm.Location())
            if where.valid():
                moment = thing.timestamp.timestamp()
                edited = datetime.datetime.fromtimestamp(moment, datetime.UTC).date().isoformat() if moment > 0 else ""
                yield spot(element, kind, where.lat, where.lon, tags, edited)
    except RuntimeError as error:
        raise broken(path, error) from None


def spot(name: str, kind: str, lat: float, lon: float, tags: dict[str, str], edited: str = "") -> Spot:
    """A place from its tags."""
    width = centimetres(tags.get("door:width", tags.get("entrance:width", tags.get("width", ""))))
    opens = door(tags)
    steps = tags.get("entrance:step_count", tags.get("step_count", ""))
    return Spot(
        id=name,
        kind="entrance" if "entrance" in tags else kind,
        lat=lat,
        lon=lon,
        name=tags.get("name", ""),
        wheelchair=plain(tags.get("wheelchair", "")),
        toilet=plain(tags.get("toilets:wheelchair", tags.get("wheelchair", "") if kind == "toilets" else "")),
        door_width=width[0] if width else None,
        door=str(opens.value or "") if opens else "",
        steps=int(steps) if steps.isdigit() else None,
        tags={key: value for key, value in tags.items() if _KEPT.fullmatch(key)},
        edited=edited,
    )


def to_a11y(places: Iterable[Spot]) -> dict[str, Any]:
    """A FeatureCollection of A11yJSON PlaceInfos; `names`, `tags` and `edited` are our own properties."""
    return {
        "type": "FeatureCollection",
        "featureCount": len(spots := list(places)),
        "features": [_info(s) for s in spots],
    }


def _info(place: Spot) -> dict[str, Any]:
    access: dict[str, Any] = {}
    if place.wheelchair in _SIGN:
        access["accessibleWith"] = {"wheelchair": _SIGN[place.wheelchair]}
    elif place.wheelchair == "limited":
        access["partiallyAccessibleWith"] = {"wheelchair": True}
    entrance: dict[str, Any] = {}
    if place.door_width is not None or place.door:
        entrance["door"] = {
            **({"width": {"value": place.door_width, "unit": "cm"}} if place.door_width is not None else {}),
            **(
                {"isAutomatic": place.door == "automatic", "isRevolving": place.door == "revolving"}
                if place.door
                else {}
            ),
        }
    if place.steps is not None:
        entrance["stairs"] = [{"count": place.steps}] if place.steps else []
        entrance["isLevel"] = place.steps == 0
    if entrance:
        access["entrances"] = [entrance]
    if place.toilet in _SIGN:
        access["restrooms"] = [{"isAccessibleWithWheelchair": _SIGN[place.toilet]}]
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [place.lon, place.lat]},
        "properties": {
            "originalId": place.id,
            "category": place.kind,
            **({"name": place.name} if place.name else {}),
            **({"names": names} if (names := _names(place.tags)) else {}),
            **({"accessibility": access} if access else {}),
            **({"tags": place.tags} if place.tags else {}),
            **({"edited": place.edited} if place.edited else {}),
        },
    }


def _names(tags: dict[str, str]) -> list[str]:
    """What else a place is called, in whatever language."""
    return sorted({value for key, value in tags.items() if key.startswith(("name:", "alt_name"))})


def from_a11y(path: Path) -> list[Spot]:
    """Read a FeatureCollection of PlaceInfos. Raises `Invalid` (`places.form`)."""
    try:
        return [_place(feature) for feature in json.loads(path.read_text(encoding="utf-8"))["features"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise Invalid(
            "places.form",
            Text(
                "{name} is no A11yJSON FeatureCollection of places: {reason}.",
                "{name} 不是 A11yJSON 地点集合：{reason}。",
            ).format(name=path.name, reason=str(error)[:120]),
            field="file",
        ) from None


def _said(answer: Any) -> str:
    """yes, no, or empty for anything else."""
    return "yes" if answer is True else "no" if answer is False else ""


def _place(feature: dict[str, Any]) -> Spot:
    lon, lat = map(float, feature["geometry"]["coordinates"][:2])
    info = feature["properties"]
    access = info.get("accessibility") or {}
    whole, part = ((access.get(key) or {}).get("wheelchair") for key in ("accessibleWith", "partiallyAccessibleWith"))
    entrance: dict[str, Any] = next(iter(access.get("entrances") or []), {})
    opening = entrance.get("door") or {}
    stairs = entrance.get("stairs")
    rooms: list[dict[str, Any]] = access.get("restrooms") or [{}]
    restroom = rooms[0].get("isAccessibleWithWheelchair")
    width = opening.get("width")
    if isinstance(width, dict):
        width = f"{width['value']} {width.get('unit', 'm')}"
    size = centimetres(str(width)) if width is not None else None
    name = info.get("name", "")
    return Spot(
        id=str(info.get("originalId", "")),
        kind=str(info.get("category", "")),
        lat=lat,
        lon=lon,
        name=str(name.get("zh") or name.get("en") or next(iter(name.values()), ""))
        if isinstance(name, dict)
        else str(name),
        wheelchair="limited" if part and not whole else _said(whole),
        toilet=_said(restroom),
        door_width=size[0] if size else None,
        door="revolving" if opening.get("isRevolving") else "automatic" if opening.get("isAutomatic") else "",
        steps=sum(int(stair.get("count", 1)) for stair in stairs) if isinstance(stairs, list) else None,
    )
