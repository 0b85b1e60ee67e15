"""GCJ-02, the coordinates of Chinese public maps, to and from WGS-84. Inside, everything is WGS-84.

The shift is the one published with the eviltransform project (public domain formula, Krasovsky 1940 ellipsoid); outside
a rectangle around China there is none.
"""

from __future__ import annotations

import math

_AXIS, _ECCENTRICITY = 6378245.0, 0.00669342162296594323


def in_china(lat: float, lon: float) -> bool:
    """Whether the shift is applied here (the rectangle that everybody uses)."""
    return 0.8293 <= lat <= 55.8271 and 72.004 <= lon <= 137.8347


def from_wgs84(lat: float, lon: float) -> tuple[float, float]:
    """WGS-84 to GCJ-02, degrees."""
    if not in_china(lat, lon):
        return lat, lon
    x, y = lon - 105, lat - 35
    wave = (20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + wave
    north += (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    north += (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + wave
    east += (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    east += (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    latitude = math.radians(lat)
    magic = 1 - _ECCENTRICITY * math.sin(latitude) ** 2
    north = math.degrees(north * magic * math.sqrt(magic) / (_AXIS * (1 - _ECCENTRICITY)))
    east = math.degrees(east * math.sqrt(magic) / (_AXIS * math.cos(latitude)))
    return lat + north, lon + east


def to_wgs84(lat: float, lon: float) -> tuple[float, float]:
    """GCJ-02 to WGS-84, degrees, to better than a centimetre (by iteration)."""
    guess = lat, lon
    for _ in range(6):
        shifted = from_wgs84(*guess)
        guess = guess[0] + lat - shifted[0], guess[1] + lon - shifted[1]
    return guess
