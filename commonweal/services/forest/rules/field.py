"""What comes from the field: plantings by range of positions, and photographs of single trees with where they stand."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.geo import EARTH_RADIUS
from commonweal.kernel.text import Text
from commonweal.services.forest.rules.bubbles import ZONE
from commonweal.services.forest.tracks.fixes import SETTLED, Position, settle

FAR = 10.0
"""Metres from the nearest planted position beyond which a photograph is of none: twice what a telephone errs."""
OLDEST = timedelta(days=90)
AHEAD = timedelta(minutes=5)
"""How far a device's clock may be ahead of ours."""


def check_planting(first: int, last: int, funded: int, day: date, contracted: date, today: date) -> None:
    """Whether positions `first` to `last` can have been planted on `day`.

    Raises `Invalid`: `planting.range`, `planting.future`, `planting.before`; `Conflict`: `planting.unpaid`.
    """
    if not 1 <= first <= last:
        raise Invalid(
            "planting.range", Text("Give the first and the last position.", "请填写起止位置号。"), field="first"
        )
    if day > today:
        raise Invalid("planting.future", Text("This day is still to come.", "这一天还没到。"), field="day")
    if day < contracted:
        raise Invalid(
            "planting.before",
            Text("The ground was not under contract on that day.", "那一天土地尚未签约。"),
            field="day",
        )
    if last > funded:
        raise Conflict(
            "planting.unpaid",
            Text("Only positions up to {n} are paid for.", "只有到第 {n} 号的位置已付款。").format(n=f"{funded:,}"),
            field="last",
        )


@dataclass(frozen=True, slots=True)
class Shot:
    """A photograph of one tree as it comes from the field: plot and species as its taker states them, the telephone's
    fixes (latitude, longitude) while it stood there, and the bytes of the photograph."""

    plot: str
    species: str
    fixes: tuple[tuple[float, float], ...]
    taken_at: datetime
    photo: bytes

    @property
    def original(self) -> bytes:
        """SHA-256 of the photograph as it came."""
        return hashlib.sha256(self.photo).digest()

    @property
    def content(self) -> bytes:
        """SHA-256 of all that was sent: a telephone that sends it again sends the same tree."""
        said = [self.plot, self.species, [list(fix) for fix in self.fixes], self.taken_at.isoformat()]
        return hashlib.sha256(json.dumps(said).encode() + self.original).digest()


def check_shot(shot: Shot, species: str, now: datetime) -> Position:
    """Where the tree stands, by at least five fixes. A position whose fixes disagree is kept and marked.

    Raises `Invalid`: `track.short`, `track.coordinate`, `capture.time-zone`, `capture.future`, `capture.old`,
    `capture.species`.
    """
    if shot.taken_at.tzinfo is None:
        raise Invalid("capture.time-zone", Text("Give the time with its zone.", "时间须带时区。"), field="taken_at")
    if shot.taken_at > now + AHEAD:
        raise Invalid("capture.future", Text("This photo is of the future.", "照片时间在未来。"), field="taken_at")
    if shot.taken_at < now - OLDEST:
        raise Invalid(
            "capture.old",
            Text("Photos count for 90 days; this is older.", "照片须在 90 天内上传，这一张太早了。"),
            field="taken_at",
        )
    if shot.species != species:
        raise Invalid(
            "capture.species",
            Text("Another species was planted in this plot.", "这个地块种的不是这个树种。"),
            field="species",
        )
    return settle(shot.fixes)


def spread_of(position: Position) -> int:
    """How far the fixes disagree, in millimetres on the ground."""
    return round(math.radians(position.spread) * EARTH_RADIUS * 1000)


WIDE = math.ceil(math.radians(SETTLED) * EARTH_RADIUS * 1000)
"""Millimetres: fixes that disagree by more are marked."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A planted position near a tree, `away` metres from it."""

    seq: int
    away: float


def nearest(near: Sequence[Standing]) -> Standing:
    """The position that a photograph is of: the nearest that was planted.

    Telephones err by metres, so in a dense plot this may be a neighbour; two trees can only become one by it, never one
    tree two. Raises `Invalid` (`capture.not-planted`) if none is within 10 m.
    """
    found = min(near, key=lambda standing: standing.away, default=None)
    if found is None or found.away > FAR:
        raise Invalid(
            "capture.not-planted",
            Text("No tree has been planted within 10 m of here.", "10 米之内没有栽植记录。"),
            field="fixes",
        )
    return found


def read_fixes(text: str) -> tuple[tuple[float, float], ...]:
    """Fixes written as `38.6203, 103.0912` a line (or with semicolons between). Raises `Invalid` (`capture.fixes`)."""
    found = []
    for line in text.replace(";", "\n").splitlines():
        if not line.strip():
            continue
        try:
            latitude, longitude = (float(part) for part in line.split(","))
        except ValueError as error:
            raise Invalid(
                "capture.fixes",
                Text("Write one fix a line: latitude, longitude.", "每行一个定位：纬度, 经度。"),
                field="fixes",
            ) from error
        found.append((latitude, longitude))
    if len(found) > 100:
        raise Invalid("capture.fixes", Text("100 fixes are enough.", "最多 100 次定位。"), field="fixes")
    return tuple(found)


def read_moment(text: str) -> datetime:
    """When a photograph was taken, in ISO 8601; without a zone it is the time of China. Raises `Invalid`."""
    try:
        taken = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid("capture.time", Text("Say when it was taken.", "请填写拍摄时间。"), field="taken_at") from error
    return taken if taken.tzinfo else taken.replace(tzinfo=ZONE)
