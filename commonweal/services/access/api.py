"""Access for programs: routes, reach, reports. Profiles come in the body, never in the address."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from commonweal.kernel.doors import Body, IdempotencyKey
from commonweal.kernel.parties import session
from commonweal.services.access import actions, queries
from commonweal.services.access.actions import Sighting
from commonweal.services.access.rules import MODES, parse_profile
from commonweal.services.access.spots import check

router = Router()

Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class Place(Body):
    """A point, WGS-84 degrees; a latitude beyond 90 is answered with a word on which comes first."""

    lat: Degrees
    lon: Degrees

    def at(self, field: str) -> tuple[float, float]:
        """Where it is. Raises `Invalid` (`point.form`, `point.swapped`)."""
        return check(self.lat, self.lon, field)


class Question(Body):
    """From where to where, for whom. `profile` is the name of a profile or an object of limits."""

    start: Place
    goal: Place
    profile: str | dict[str, Any] = "manual"
    unknown: Literal["strict", "cautious", "permissive"] | None = None
    objective: Literal["shortest", "fastest", "flattest", "known"] = "shortest"
    alternatives: bool = False


class Around(Body):
    """How far one gets in some minutes."""

    start: Place
    profile: str | dict[str, Any] = "manual"
    minutes: Annotated[float, Field(gt=0, le=120, allow_inf_nan=False)] = 15


class RegionOut(Schema):
    """A map that is here."""

    name: str
    bounds: tuple[float, float, float, float]
    build: str
    edges: int
    metres: int
    coverage: dict[str, float]
    licence: str


class NewReport(Body):
    """A barrier. `kind` is one of those in the description of the service."""

    kind: Literal["parked", "crowd", "lift", "snow", "works", "surface", "kerb", "steps", "other"]
    place: Place


class ReportOut(Schema):
    """A report and what it amounts to. `fact` is its leaf in the public log."""

    id: uuid.UUID
    kind: str
    lat: float
    lon: float
    standing: Literal["doubted", "confirmed", "cleared"]
    votes: int
    fact: uuid.UUID


class Works(Schema):
    """A GeoJSON FeatureCollection: works, or a WZDx feed; or whatever form the feed has."""

    model_config = ConfigDict(extra="allow")
    type: Literal["FeatureCollection"]
    features: Annotated[list[dict[str, Any]], Field(max_length=5000)]


class TakenOut(Schema):
    """How many items are closed on the map, lie elsewhere, and are open again."""

    closed: int
    elsewhere: int
    reopened: int


class ReportWord(Body):
    """Whether it is still there."""

    present: bool


def _report(found: queries.Standing) -> dict[str, Any]:
    return {
        "id": found.id, "kind": found.kind.en, "lat": found.lat, "lon": found.lon, "standing": found.standing,
        "votes": found.votes, "fact": found.fact,
    }  # fmt: skip


def _json(document: dict[str, Any]) -> HttpResponse:
    """A document of the engine's as it is: plain JSON values that need no schema to be written."""
    import json

    return HttpResponse(json.dumps(document, ensure_ascii=False), content_type="application/json")


@router.get("/regions", response=list[RegionOut], auth=None, summary="The maps that are here")
def regions(request: HttpRequest) -> list[dict[str, Any]]:
    """Their bounds (south, west, north, east) and how much of them is on record."""
    return [{"name": each.name} | each.meta for each in queries.regions()]


@router.post("/route", response=dict[str, Any], auth=None, summary="A step-free route, or why there is none")
def route(request: HttpRequest, question: Question) -> HttpResponse:
    """The shortest way that the profile admits, with words, evidence and certificate; see the README of the service."""
    from commonweal.services.access.graph import answer
    from commonweal.services.access.graph.easing import change

    profile = parse_profile(question.profile)
    if question.unknown in MODES:
        profile = change(change(profile, "unknown", question.unknown), "unknown_by", ())  # type: ignore[arg-type]
    start, goal = question.start.at("start"), question.goal.at("goal")
    region = queries.region_of(start, goal)
    found = answer.route(
        queries.router(region),
        profile,
        start,
        goal,
        objective=question.objective,
        alternatives=question.alternatives,
    )
    return _json({"region": region.name} | found)


@router.post("/reach", response=dict[str, Any], auth=None, summary="The streets within reach")
def reach(request: HttpRequest, around: Around) -> HttpResponse:
    """GeoJSON lines with the minutes to each."""
    from commonweal.services.access.graph.reach import reach as spread

    profile = parse_profile(around.profile)
    start = around.start.at("start")
    region = queries.region_of(start)
    return _json({"region": region.name} | spread(queries.router(region), profile, start, around.minutes))


@router.get("/reports", response=list[ReportOut], auth=None, summary="The newest reports")
def reports(request: HttpRequest) -> list[dict[str, Any]]:
    """What people have met."""
    return [_report(each) for each in queries.reports(100)]


@router.post("/reports", response={201: ReportOut}, summary="Report a barrier")
def report(request: HttpRequest, new: NewReport, key: IdempotencyKey) -> Status[dict[str, Any]]:
    """It leads cautious travellers around at once, and everybody once it is confirmed."""
    party = session.signed_in(request)
    made = actions.report(party, Sighting(new.kind, *new.place.at("place"), key))
    return Status(201, _report(queries.report(made)))


@router.put("/feeds/{slug:name}", response=TakenOut, summary="Say what is closed now: works, or lifts")
def feed(request: HttpRequest, name: str, works: Works) -> actions.Taken:
    """The whole present state from an authority: what it no longer names is open again. Routes change at once."""
    return actions.send(session.signed_in(request), name, request.body)


@router.post("/reports/{uuid:report_id}/word", response=ReportOut, summary="Say that it is still there, or gone")
def word(request: HttpRequest, report_id: uuid.UUID, said: ReportWord) -> dict[str, Any]:
    """To take a barrier away needs two people or a steward."""
    actions.say(session.signed_in(request), report_id, present=said.present)
    return _report(queries.report(report_id))
