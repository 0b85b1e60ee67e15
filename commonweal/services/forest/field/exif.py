"""What a photograph says of itself: time and place in its EXIF block."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, UnidentifiedImageError


@dataclass(frozen=True, slots=True)
class Exif:
    """What a photograph says of itself: only ever a check of consistency, for it is forged in milliseconds."""

    taken: datetime | None
    latitude: float | None
    longitude: float | None

    def contradicts(self, latitude: float, longitude: float, taken: datetime) -> bool:
        """Whether it disagrees with the device's own fix by more than 200 m or 10 minutes (local time compared)."""
        if self.taken is not None and abs((self.taken - taken.replace(tzinfo=None)).total_seconds()) > 600:
            return True
        if self.latitude is None or self.longitude is None:
            return False
        north = math.radians(self.latitude - latitude) * 6_371_000
        east = math.radians(self.longitude - longitude) * 6_371_000 * math.cos(math.radians(latitude))
        return math.hypot(north, east) > 200


def read_exif(source: Path | bytes) -> Exif:
    """Time and place from a photograph's EXIF block; None for what is missing or senseless."""
    try:
        exif = Image.open(source if isinstance(source, Path) else io.BytesIO(source)).getexif()
        written = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
        place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return Exif(None, None, None)
    try:
        taken = datetime.strptime(str(written), "%Y:%m:%d %H:%M:%S") if written else None  # noqa: DTZ007 (EXIF has no zone)
    except ValueError:
        taken = None
    return Exif(taken, _degrees(place, 2, "S", 90), _degrees(place, 4, "W", 180))


def _degrees(place: Any, tag: int, negative: str, most: float) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in place[tag])
        value = (degrees + minutes / 60 + seconds / 3600) * (-1 if place.get(tag - 1) == negative else 1)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return value if abs(value) <= most else None
