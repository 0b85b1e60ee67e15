"""A photograph of a tree, taken in from the field: once, whole, and only if it can be what it says."""

from __future__ import annotations

import functools
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.files.store import take_picture
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.forest.field import read_exif
from commonweal.services.forest.queries import captures as queries
from commonweal.services.forest.queries import photos, plots
from commonweal.services.forest.rules import field as rules
from commonweal.services.forest.rules.bubbles import ZONE

if TYPE_CHECKING:
    from commonweal.services.forest.photos import Picture


@dataclass(frozen=True, slots=True)
class Taken:
    """The capture, and whether it had been there before."""

    id: uuid.UUID
    existed: bool


@transaction.atomic
def capture(officer: Party, shot: rules.Shot) -> Taken:
    """Take in a photograph of a tree. The same content again, however often, is the same capture.

    Raises `NotFound` (`plot.unknown`), `NotAllowed`, `TooLarge`, `Conflict` (`photo.reused`) and `Invalid`
    (`capture.*`, `track.*`, `picture.*`, `photo.*`).
    """
    plot, now = plots.plot(shot.plot), clock.now()
    people.require_role(officer, people.OFFICER, Party(id=plot.site.partner))
    with connection.cursor() as cursor:
        # One at a time, so that two copies of a photograph cannot pass one another.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('forest_photos'))")
        if known := queries.by_content(shot.content):
            return Taken(known.id, existed=True)
        position = rules.check_shot(shot, plot.season.species.key, now)
        if not plot.outline.holds((position.longitude, position.latitude)):
            raise Invalid("capture.outside", Text("This is outside the plot.", "这个位置不在地块内。"), field="fixes")
        standing = rules.nearest(queries.standing_near(plot.id, position.latitude, position.longitude))
        exif = read_exif(shot.photo)
        silent = exif.taken is None and exif.latitude is None
        contradicts = exif.contradicts(position.latitude, position.longitude, shot.taken_at.astimezone(ZONE))
        if queries.original_known(shot.original):
            raise _reused()
        picture = _new_picture(shot.photo) if photos.COMPARES else None
        stored = take_picture(shot.photo, field="photo")
        spread = rules.spread_of(position)
        said = "contradicts" if contradicts else "silent" if silent else "agrees"
        fields = {
            "plot": plot.code,
            "seq": standing.seq,
            "photo": stored.digest,
            "latitude": round(position.latitude * 10**7),
            "longitude": round(position.longitude * 10**7),
            "spread": spread,
            "taken": shot.taken_at.isoformat(),
            "exif": said,
            "compared": picture is not None,
        }
        fact = Fact("forest.capture", now, fields)
        cursor.execute(
            """
            INSERT INTO forest_capture (id, content, original, photo, plot, seq, latitude, longitude, spread, away,
                                        exif, compared, by, taken_at, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                *(fact.id, shot.content, shot.original, stored.digest, plot.id, standing.seq, position.latitude),
                *(position.longitude, spread, round(standing.away * 1000), said),
                *(picture is not None, officer.id, shot.taken_at, now),
            ],
        )
        if picture is not None:
            _keep(cursor, fact.id, picture)
        append(cursor, fact)
    return Taken(fact.id, existed=False)


@functools.cache
def _known() -> photos.Known:
    """What this process knows of all photographs."""
    return photos.Known()


def _new_picture(data: bytes) -> Picture:
    from commonweal.services.forest.photos import read_picture

    probe = read_picture(data)
    if _known().seen_before(probe) is not None:
        raise _reused()
    return probe[0]


def _keep(cursor: Cursor, capture: uuid.UUID, picture: Picture) -> None:
    kept = photos.as_row(picture) | {"capture": capture}
    cursor.execute(
        """
        INSERT INTO forest_picture (capture, keys, points, descriptors, small, scale)
        VALUES (%(capture)s, %(keys)s, %(points)s, %(descriptors)s, %(small)s, %(scale)s)
        """,
        kept,
    )


def _reused() -> Conflict:
    return Conflict(
        "photo.reused",
        Text(
            "This photo, or a copy of it, is evidence of another tree already.", "这张照片（或其副本）已用于另一棵树。"
        ),
        field="photo",
    )


@transaction.atomic
def judge(steward: Party, id: uuid.UUID, *, counts: bool) -> None:
    """A steward says whether a held capture counts, once.

    Raises `NotAllowed`, `NotFound` (`capture.unknown`), `Conflict` (`capture.not-held`).
    """
    people.require_role(steward, people.STEWARD)
    found, now = queries.capture(id), clock.now()
    fact = Fact("forest.capture", now, {"capture": str(id), "plot": found.plot, "word": "counts" if counts else "void"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM forest_capture WHERE id = %s FOR UPDATE", [id])
        if not queries.capture(id).held:
            raise Conflict("capture.not-held", Text("This photo waits for nobody.", "这张照片无须处理。"))
        cursor.execute(
            "INSERT INTO forest_capture_word (capture, counts, by, fact, at) VALUES (%s, %s, %s, %s, %s)",
            [id, counts, steward.id, fact.id, now],
        )
        append(cursor, fact)
