"""Barriers that people meet: telling of one, and saying that it is still there or gone."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid, NotFound, TooLarge
from commonweal.kernel.parties import session
from commonweal.kernel.text import Text
from commonweal.services.access import actions, queries
from commonweal.services.access.actions import Sighting
from commonweal.services.access.pages.maps import drawn
from commonweal.services.access.pages.routes import read_place


@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """The newest."""
    return render(request, "access/reports.html", {"reports": queries.reports()})


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Tell of a barrier."""
    party = session.signed_in(request)
    refusal = None
    if request.method == "POST":
        try:
            spot = read_place(request.POST.get("place", ""), "place", gcj02=bool(request.POST.get("gcj02")))
            picture = request.FILES.get("picture")
            data = picture.read() if picture else None
            made = actions.report(
                party, Sighting(request.POST.get("kind", ""), spot.lat, spot.lon, form_key(request), data)
            )
            return see_other("access:report", made)
        except (Invalid, Conflict, NotFound, TooLarge) as error:
            refusal = error
    context: dict[str, Any] = {
        "kinds": list(queries.KINDS.items()),
        "at": request.GET.get("at", "")[:60],
        "kind": request.GET.get("kind", "works") if request.GET.get("kind") in queries.KINDS else "works",
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "access/new.html", context, status=refusal.status if refusal else 200)


@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, report: uuid.UUID) -> HttpResponse:
    """One barrier; signed in, one can say what has become of it."""
    found = queries.report(report)
    if request.method == "POST":
        actions.say(session.signed_in(request), report, present=request.POST.get("present") == "yes")
        return see_other("access:report", report)
    map_ = None
    if any(region.name == found.region for region in queries.regions()):
        title = Text(f"Map: {found.kind.en}", f"地图：{found.kind.zh}")
        map_ = drawn(queries.region(found.region), title, marks=[(found.lat, found.lon, "barrier")])
    return render(request, "access/report.html", {"report": found, "map": map_})
