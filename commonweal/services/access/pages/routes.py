"""Finding a way. The question comes in the body of a form: where somebody goes, and what they can pass, is nobody's."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from commonweal.kernel.errors import Invalid, Refusal
from commonweal.kernel.parties import session
from commonweal.kernel.text import Text
from commonweal.services.access import queries, spots
from commonweal.services.access.pages.maps import Mark, drawn
from commonweal.services.access.rules import MODES, PROFILES, Profile, parse_profile
from commonweal.services.access.spots import Spot

MODE_TITLES = {
    "strict": Text("only where all is known", "只走资料齐全的路"),
    "cautious": Text("nothing that is in doubt", "避开存疑的地方"),
    "permissive": Text("also what is in doubt", "存疑的地方也走"),
}


def read_place(text: str, field: str, *, gcj02: bool = False) -> Spot:
    """Coordinates, the address of a map (`spots.read`), or the name of a place on our maps.

    Raises `Invalid` (`place.unknown` and what `spots.read` raises) naming the field.
    """
    spot = spots.read(text, field, gcj02=gcj02)
    if spot is not None:
        return spot
    if words := text.replace("\0", "").strip()[:100]:
        for region in queries.regions():
            for place in queries.gazetteer(region).search(words, 1):
                lon, lat = place["geometry"]["coordinates"]
                return Spot(lat, lon)
    raise Invalid(
        "place.unknown",
        Text(
            "Write the name of a place on our maps, or latitude and longitude, for example 31.2304, 121.4737.",
            "请填写地图上的地点名称，或“纬度,经度”，例如 31.2304,121.4737。",
        ),
        field=field,
    )


def choose_profile(request: HttpRequest, wanted: str) -> Profile:
    """A profile by name, or one that this visitor keeps."""
    if re.fullmatch(r"[0-9a-f-]{36}", wanted):
        try:
            return queries.own_profile(session.signed_in(request), uuid.UUID(wanted))
        except ValueError:
            pass
    return parse_profile(wanted)


def profile_options(request: HttpRequest) -> list[tuple[str, Text]]:
    """The visitor's own profiles, then those to start from."""
    party = session.visitor(request)
    own = [(str(name), Text(kept.name, kept.name)) for name, kept in queries.own_profiles(party)] if party else []
    return own + [(name, title) for name, (_, title) in PROFILES.items()]


@require_http_methods(["GET", "POST"])
def route(request: HttpRequest) -> HttpResponse:
    """The question, and its answer below it."""
    context: dict[str, Any] = {
        "profiles": profile_options(request),
        "modes": [(name, MODE_TITLES[name]) for name in MODES],
        "regions": queries.regions(),
        "from": request.GET.get("from", "")[:100],
        "to": request.GET.get("to", "")[:100],
    }
    status = 200
    if request.method == "POST":
        context["form"] = request.POST
        try:
            context |= _answer(request)
        except Refusal as refusal:
            context["refusal"] = refusal
            status = refusal.status
    return render(request, "access/route.html", context, status=status)


def _answer(request: HttpRequest) -> dict[str, Any]:
    from commonweal.services.access.graph import answer
    from commonweal.services.access.graph.easing import change

    form = request.POST
    gcj02 = bool(form.get("gcj02"))
    ends = [read_place(form.get(name, ""), name, gcj02=gcj02) for name in ("from", "to")]
    start, goal = ((spot.lat, spot.lon) for spot in ends)
    profile = choose_profile(request, form.get("profile", "manual"))
    if form.get("unknown") in MODES:
        profile = change(change(profile, "unknown", form["unknown"]), "unknown_by", ())  # type: ignore[arg-type]
    region = queries.region_of(start, goal)
    router = queries.router(region)
    found = answer.route(router, profile, start, goal, alternatives=True)
    line = found["geometry"]["coordinates"] if found["status"] == "ok" else ()
    marks: list[Mark] = [(*start, "start"), (*goal, "goal")]
    if found["status"] != "ok":
        marks += [(r["lat"], r["lon"], "barrier") for r in found["reasons"] if "lat" in r]
    title = Text("The streets between the two places", "两地之间的街道")
    steps = zip(*(found["instructions"][name] for name in ("en", "zh")), strict=True) if line else ()
    return {
        "found": found,
        "notes": [spot.note for spot in ends if spot.note],
        "region": region,
        "map": drawn(region, title, line, marks),
        "steps": [Text(en, zh) for en, zh in steps],
        "reasons": [Text(**r["text"]) if "text" in r else None for r in found.get("reasons", ())],
        "told": Text(**found["text"]) if "text" in found else None,
        "minutes": round(found["time_s"] / 60) if line else 0,
        "kilometres": f"{found['length_m'] / 1000:.2f}" if line else "",
        "unknown": sorted(
            ((_attribute(name), round(metres)) for name, metres in found.get("unknown_m", {}).items()),
            key=lambda row: -row[1],
        ),
    }


def _attribute(name: str) -> Text:
    from commonweal.services.access.rules import ATTRIBUTES

    return ATTRIBUTES[name]
