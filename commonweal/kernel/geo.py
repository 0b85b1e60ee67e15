"""Places on earth: WGS-84 inside; GCJ-02 and BD-09, in which Chinese maps show positions, only at the edge. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text

EARTH_RADIUS = 6_371_008.8
"""Mean radius in metres (IUGG)."""

_GCJ_AXIS = 6_378_245.0  # Krasovsky 1940, metres
_GCJ_ECCENTRICITY = 0.006_693_421_622_965_943


@dataclass(frozen=True, slots=True)
class Point:
    """A position in WGS-84: latitude -90..90, longitude -180..180, degrees. Raises `Invalid` with `point.range`."""

    lat: float
    lon: float

    def __post_init__(self) -> None:
        if not (-90 <= self.lat <= 90 and -180 <= self.lon <= 180):  # false for NaN too
            raise Invalid(
                "point.range",
                Text("Latitude lies within ±90 and longitude within ±180.", "纬度须在 ±90 之间，经度须在 ±180 之间。"),
                field="point",
            )


def distance(a: Point, b: Point) -> float:
    """Metres between two points on the sphere (haversine)."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    half_lat, half_lon = (lat_b - lat_a) / 2, math.radians(b.lon - a.lon) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS * math.asin(min(1.0, math.sqrt(chord)))


def in_gcj02_area(point: Point) -> bool:
    """Whether Chinese maps shift this point: the rectangle that the shift itself uses."""
    return 0.8293 <= point.lat <= 55.8271 and 72.004 <= point.lon <= 137.8347


def to_gcj02(point: Point) -> Point:
    """The position under which a Chinese map shows a WGS-84 point; outside of China the same."""
    if not in_gcj02_area(point):
        return point
    x, y = point.lon - 105.0, point.lat - 35.0
    wave = (20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + wave
    north += (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    north += (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + wave
    east += (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    east += (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    lat = math.radians(point.lat)
    root = math.sqrt(1 - _GCJ_ECCENTRICITY * math.sin(lat) ** 2)
    lat_shift = math.degrees(north / (_GCJ_AXIS * (1 - _GCJ_ECCENTRICITY) / root**3))
    lon_shift = math.degrees(east / (_GCJ_AXIS / root * math.cos(lat)))
    return Point(point.lat + lat_shift, point.lon + lon_shift)


def from_gcj02(shown: Point) -> Point:
    """The WGS-84 point that a Chinese map shows at `shown`, to within a millimetre (fixed-point iteration)."""
    found = shown
    for _ in range(10):
        moved = to_gcj02(found)
        lat, lon = found.lat + shown.lat - moved.lat, found.lon + shown.lon - moved.lon
        found = Point(max(-90.0, min(90.0, lat)), max(-180.0, min(180.0, lon)))
    return found


_BD_WAVE = math.pi * 3000 / 180


def to_bd09(shown: Point) -> Point:
    """The position under which Baidu's map shows a GCJ-02 point (as its users found; there is no standard)."""
    reach = math.hypot(shown.lon, shown.lat) + 0.00002 * math.sin(shown.lat * _BD_WAVE)
    angle = math.atan2(shown.lat, shown.lon) + 0.000003 * math.cos(shown.lon * _BD_WAVE)
    return Point(reach * math.sin(angle) + 0.006, reach * math.cos(angle) + 0.0065)


def from_bd09(shown: Point) -> Point:
    """The GCJ-02 point that Baidu's map shows at `shown`, to within a millimetre; outside of China the same."""
    if not in_gcj02_area(shown):
        return shown
    found = shown
    for _ in range(10):
        moved = to_bd09(found)
        found = Point(found.lat + shown.lat - moved.lat, found.lon + shown.lon - moved.lon)
    return found
