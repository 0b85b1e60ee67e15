"""For a city: how much of its streets is on record, and which repair would open most trips."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from commonweal.kernel.text import Text
from commonweal.services.access import queries
from commonweal.services.access.pages.maps import drawn
from commonweal.services.access.rules import ATTRIBUTES, PROFILES, parse_profile


@require_safe
def cities(request: HttpRequest) -> HttpResponse:
    """The maps that are here."""
    return render(request, "access/cities.html", {"regions": queries.regions()})


@require_safe
def city(request: HttpRequest, region: str) -> HttpResponse:
    """One of them. The profile is one of those to start from: nobody's own."""
    from commonweal.services.access.graph import text
    from commonweal.services.access.graph.repairs import repairs

    found = queries.region(region)
    wanted = request.GET.get("profile", "manual")
    profile = parse_profile(wanted if wanted in PROFILES else "manual")
    router = queries.router(found)
    best = repairs(router, profile)
    context = {
        "region": found,
        "coverage": [(ATTRIBUTES[name], round(100 * share)) for name, share in found.meta["coverage"].items()],
        "profiles": [(name, title) for name, (_, title) in PROFILES.items()],
        "profile": profile.name,
        "pack": _pack(found),
        "kilometres": f"{found.meta['metres'] / 1000:,.1f}",
        "repairs": [
            {
                "element": repair.element,
                "facts": [text.say_fact(fact) for fact in repair.facts],
                "opens": f"{100 * repair.opens:.2f}",
                "at": f"{repair.lat:.5f},{repair.lon:.5f}",
            }
            for repair in best
        ],
        "map": drawn(found, Text("Map of repairs", "改造点地图"), marks=[(r.lat, r.lon, "barrier") for r in best]),
    }
    return render(request, "access/city.html", context)


def _pack(found: queries.Region) -> dict[str, str] | None:
    """Where the pack is, how large, and when it was made."""
    from commonweal.services.access.downloads import PREFIX
    from commonweal.services.access.graph.pack import FILE

    path = found.folder / FILE
    if not path.exists():
        return None
    stat = path.stat()
    made = datetime.fromtimestamp(stat.st_mtime, UTC)
    return {"url": f"{PREFIX}{found.name}/{FILE}", "size": f"{stat.st_size / 1e6:.1f} MB", "made": f"{made:%Y-%m-%d}"}
