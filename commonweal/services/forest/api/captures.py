"""Photographs from the field for other programs: sent again, a capture is the same capture."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import File, Form, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from commonweal.kernel.doors import Body
from commonweal.kernel.parties import session
from commonweal.services.forest.actions import captures as actions
from commonweal.services.forest.queries import captures as queries
from commonweal.services.forest.rules.field import Shot, read_fixes, read_moment

router = Router()


class Capture(Schema):
    """A photograph of one tree.

    `seq` is the planted position nearest to it, `away_mm` from it; `spread_mm` says how far its fixes disagree,
    `settled` whether that is about a metre; `exif` is what its own words say; `compared` whether it was
    looked for among all others, copies included. `fact` is its leaf in the public log.
    """

    fact: uuid.UUID
    plot: str
    seq: int
    latitude: float
    longitude: float
    spread_mm: int
    settled: bool
    away_mm: int
    exif: str
    compared: bool
    held: bool
    photo: str
    taken_at: datetime

    @classmethod
    def of(cls, found: queries.Capture) -> Capture:
        return cls(
            fact=found.id,
            plot=found.plot,
            seq=found.seq,
            latitude=found.latitude,
            longitude=found.longitude,
            spread_mm=found.spread,
            settled=found.settled,
            away_mm=found.away,
            exif=found.exif,
            compared=found.compared,
            held=found.held,
            photo=f"/files/{found.photo}",
            taken_at=found.taken_at,
        )


class Told(Body):
    """What comes with a photograph, as form fields: `fixes` is one `latitude, longitude` a line, five or more;
    `taken_at` is ISO 8601."""

    plot: Annotated[str, Field(max_length=8)]
    species: Annotated[str, Field(max_length=20)]
    fixes: Annotated[str, Field(max_length=5_000)]
    taken_at: Annotated[str, Field(max_length=40)]


@router.post("/captures", response={200: Capture, 201: Capture}, summary="Send a photograph of a tree")
def capture(request: HttpRequest, told: Form[Told], photo: File[UploadedFile]) -> Status[Capture]:
    """201 is a new one, 200 one that was known: the same content may be sent as often as a bad network needs."""
    shot = Shot(told.plot, told.species, read_fixes(told.fixes), read_moment(told.taken_at), photo.read())
    taken = actions.capture(session.signed_in(request), shot)
    return Status(200 if taken.existed else 201, Capture.of(queries.capture(taken.id)))


@router.get("/captures/{uuid:fact}", response=Capture, auth=None, summary="One photograph of a tree")
def one(request: HttpRequest, fact: uuid.UUID) -> Capture:
    """A capture by its leaf."""
    return Capture.of(queries.capture(fact))
