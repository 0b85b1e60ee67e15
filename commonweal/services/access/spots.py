"""Where somebody means, from what they write or paste: coordinates, or the address of a map. Pure.

Chinese maps show positions in GCJ-02 (Amap, Tencent) or BD-09 (Baidu). They are shifted to WGS-84 here, at the edge,
and whoever asked is told so. The forms of the addresses are those that Amap, Baidu and Tencent publish for developers.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from commonweal.kernel import geo
from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text

LONGEST = 1_000
"""Characters of what is pasted."""
_PAIR = re.compile(r"(?<![\w.])(-?\d{1,3}(?:\.\d+)?)\s*[,，\s]\s*(-?\d{1,3}(?:\.\d+)?)")
_ADDRESS = re.compile(r"(?:https?://|geo:)\S+", re.IGNORECASE)
_HOSTS: dict[str, tuple[Text, str]] = {
    "amap.com": (Text("Amap", "高德地图"), "gcj02"),
    "gaode.com": (Text("Amap", "高德地图"), "gcj02"),
    "baidu.com": (Text("Baidu Maps", "百度地图"), "bd09"),
    "qq.com": (Text("Tencent Maps", "腾讯地图"), "gcj02"),
    "openstreetmap.org": (Text("OpenStreetMap", "OpenStreetMap"), "wgs84"),
}
_KEYS = (
    "position",
    "q",
    "p",
    "to",
    "dest",
    "location",
    "latlng",
    "center",
    "destination",
    "marker",
    "tocoord",
    "coord",
    "ll",
)
_SPLIT_KEYS = (("lat", "lng"), ("lat", "lon"), ("mlat", "mlon"), ("pointy", "pointx"), ("dlat", "dlon"))


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in WGS-84, and what was done to get there; no note if it was written so."""

    lat: float
    lon: float
    note: Text | None = None


def swapped(lat: float, lon: float, field: str) -> Invalid:
    """The refusal of longitude before latitude."""
    return Invalid(
        "point.swapped",
        Text(
            "This looks like longitude before latitude. Write latitude first: {lat:g},{lon:g}.",
            "经纬度似乎写反了。请先写纬度：{lat:g},{lon:g}。",
        ).format(lat=lat, lon=lon),
        field=field,
    )


def check(lat: float, lon: float, field: str) -> tuple[float, float]:
    """The coordinates, if they can be a place on Earth. Raises `Invalid` (`point.form`, `point.swapped`)."""
    if 90 < abs(lat) <= 180 and abs(lon) <= 90:
        raise swapped(lon, lat, field)
    if not (math.isfinite(lat) and math.isfinite(lon) and -90 <= lat <= 90 and -180 <= lon <= 180):
        raise _impossible(field)
    return lat, lon


def read(text: str, field: str, *, gcj02: bool = False) -> Spot | None:
    """The spot that a text names by its coordinates; None if it names none (a name of a place, perhaps).

    `gcj02` says that bare coordinates come from a Chinese map. Raises `Invalid` with `point.swapped`, `point.form`
    (impossible numbers) or `point.address` (an address of a map that does not say where).
    """
    text = text.replace("\0", "").strip()[:LONGEST]
    if address := _ADDRESS.search(text):
        return _of_address(address[0].rstrip(".,;，。；)）"), field)
    pair = _PAIR.fullmatch(text)
    if pair is None:
        if re.fullmatch(r"[-+\d.,，\s]*(nan|inf\w*|\d+e\d+|\d{4,})[-+\w.,，\s]*", text, re.IGNORECASE):
            raise _impossible(field)
        return None
    lat, lon = check(float(pair[1]), float(pair[2]), field)
    return _shifted(lat, lon, "gcj02" if gcj02 else "wgs84", Text("your coordinates", "您填写的坐标"), field)


def _impossible(field: str) -> Invalid:
    return Invalid(
        "point.form",
        Text(
            "Write the place as latitude, longitude in degrees, for example 31.2304,121.4737.",
            "请按“纬度,经度”（单位：度）填写地点，例如 31.2304,121.4737。",
        ),
        field=field,
    )


def _of_address(address: str, field: str) -> Spot:
    if address.lower().startswith("geo:"):  # RFC 5870
        pair = _PAIR.match(address[4:])
        if pair is None:
            raise _silent(field)
        return _shifted(float(pair[1]), float(pair[2]), "wgs84", Text("the address", "该地址"), field)
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    named = next((entry for name, entry in _HOSTS.items() if host == name or host.endswith(f".{name}")), None)
    if named is None:
        raise _silent(field)
    title, system = named
    query = {key.lower(): values[-1] for key, values in parse_qs(parts.query).items()}
    system = {"wgs84": "wgs84", "wgs84ll": "wgs84", "gcj02": "gcj02", "gcj02ll": "gcj02"}.get(
        query.get("coord_type", query.get("coordinate", "")).lower(), system
    )
    found = _written(query, unquote(parts.path + "#" + parts.fragment))
    if found is None:
        raise _silent(field)
    first, second = found
    # Amap writes longitude first, the others latitude; in China they cannot be confused.
    lat, lon = (second, first) if abs(first) > 60 >= abs(second) else (first, second)
    return _shifted(lat, lon, system, title, field)


def _written(query: dict[str, str], rest: str) -> tuple[float, float] | None:
    """The two numbers of an address, in whatever order."""
    for one, two in _SPLIT_KEYS:
        if one in query and two in query:
            pair = _PAIR.fullmatch(f"{query[one]},{query[two]}")
            if pair:
                return float(pair[1]), float(pair[2])
    for key in _KEYS:
        for pair in _PAIR.finditer(query.get(key, "")):
            if "." in pair[1] and "." in pair[2]:
                return float(pair[1]), float(pair[2])
    if place := re.search(r"#map=\d+/(-?\d+\.\d+)/(-?\d+\.\d+)", rest):
        return float(place[1]), float(place[2])
    return None


def _silent(field: str) -> Invalid:
    return Invalid(
        "point.address",
        Text(
            "This address does not say where (short links often do not). Copy the coordinates instead.",
            "该链接中没有坐标（短链接、分享链接常常如此），请改为复制坐标。",
        ),
        field=field,
    )


def _shifted(lat: float, lon: float, system: str, title: Text, field: str) -> Spot:
    shown = true = geo.Point(*check(lat, lon, field))
    if system == "bd09":
        true = geo.from_gcj02(geo.from_bd09(shown))
    elif system == "gcj02":
        true = geo.from_gcj02(shown)
    metres = geo.distance(shown, true)
    if metres < 1:
        return Spot(true.lat, true.lon)
    name = {"bd09": "BD-09", "gcj02": "GCJ-02"}[system]
    note = Text(
        "Read from {title} ({name}) and moved by {metres:.0f} m to WGS-84: {lat:.6f},{lon:.6f}.",
        "按{title}（{name}）读取，已换算为 WGS-84，移动 {metres:.0f} 米：{lat:.6f},{lon:.6f}。",
    )
    en = note.en.format(title=title.en, name=name, metres=metres, lat=true.lat, lon=true.lon)
    zh = note.zh.format(title=title.zh, name=name, metres=metres, lat=true.lat, lon=true.lon)
    return Spot(true.lat, true.lon, Text(en, zh))
