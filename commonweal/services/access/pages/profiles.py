"""One's own limits. They are kept encrypted, and shown to nobody else."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, Refusal
from commonweal.kernel.parties import session
from commonweal.kernel.text import Text
from commonweal.services.access import actions, queries
from commonweal.services.access.pages.routes import MODE_TITLES
from commonweal.services.access.rules import MODES, PROFILES, SMOOTHNESS, SURFACE_GRADES, Profile, parse_profile

NUMBERS: tuple[tuple[str, Text, Text], ...] = (
    ("incline_up", Text("Steepest slope up", "最大上坡"), Text("%", "%")),
    ("incline_down", Text("Steepest slope down", "最大下坡"), Text("%", "%")),
    ("cross_slope", Text("Steepest cross slope", "最大横坡"), Text("%", "%")),
    ("kerb_up", Text("Highest kerb up", "可上的路缘石高度"), Text("cm", "厘米")),
    ("kerb_down", Text("Highest kerb down", "可下的路缘石高度"), Text("cm", "厘米")),
    ("width", Text("Width that you need", "所需通行宽度"), Text("cm", "厘米")),
    ("steps", Text("Most steps in one flight", "一段台阶最多级数"), Text("steps", "级")),
    ("speed", Text("Speed on level ground", "平地速度"), Text("km/h", "公里/小时")),
    ("length", Text("Longest route", "最长路程"), Text("m", "米")),
)
CHOICES: tuple[tuple[str, Text, tuple[str, ...]], ...] = (
    ("surface", Text("Roughest surface", "可接受的最差路面"), SURFACE_GRADES),
    ("smoothness", Text("Least smooth", "可接受的最差平整度"), SMOOTHNESS),
)
FLAGS: tuple[tuple[str, Text], ...] = (
    ("lifts", Text("I use lifts", "可乘电梯")),
    ("escalators", Text("I use escalators", "可乘自动扶梯")),
    ("limited", Text("I pass what is marked as limited for wheelchairs", "可通过标为“部分无障碍”的地方")),
    ("wheelchair", Text("Heed wheelchair signs", "遵从轮椅通行标记")),
    ("private", Text("I may use private ways", "可走内部道路")),
)


@require_http_methods(["GET", "POST"])
def profiles(request: HttpRequest) -> HttpResponse:
    """The profiles one keeps, and a new one on the base of another."""
    party = session.signed_in(request)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            base = parse_profile(request.POST.get("base", "manual"))
            name = request.POST.get("name", "").replace("\0", "").strip()
            made = actions.keep_profile(party, dataclasses.replace(base, name=name))
            return see_other("access:profile", made)
        except (Invalid, Conflict) as error:
            refusal = error
    context = {
        "own": queries.own_profiles(party),
        "bases": [(name, title) for name, (_, title) in PROFILES.items()],
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "access/profiles.html", context, status=refusal.status if refusal else 200)


@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest, profile: uuid.UUID) -> HttpResponse:
    """Change one's limits, or remove them."""
    party = session.signed_in(request)
    kept = queries.own_profile(party, profile)
    refusal: Refusal | None = None
    if request.method == "POST":
        if request.POST.get("drop"):
            actions.drop_profile(party, profile)
            return see_other("access:profiles")
        try:
            actions.keep_profile(party, _read(request, kept), profile)
            return see_other("access:profiles")
        except Invalid as error:
            refusal = error
    context = {
        "kept": kept,
        "numbers": [(name, title, unit, f"{getattr(kept, name):g}") for name, title, unit in NUMBERS],
        "choices": [(n, t, [(v, Text(v, v)) for v in values], getattr(kept, n)) for n, t, values in CHOICES],
        "flags": [(name, title, getattr(kept, name)) for name, title in FLAGS],
        "modes": [(name, MODE_TITLES[name]) for name in MODES],
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "access/profile.html", context, status=refusal.status if refusal else 200)


def _read(request: HttpRequest, kept: Profile) -> Profile:
    form = request.POST
    document: dict[str, Any] = kept.to_json()
    for name, _, _ in NUMBERS:
        try:
            document[name] = float(form.get(name, "").strip())
        except ValueError:
            document[name] = float("nan")
    document["steps"] = int(document["steps"]) if document["steps"] == document["steps"] else float("nan")
    for name, _, _ in CHOICES:
        document[name] = form.get(name, "")
    for name, _ in FLAGS:
        document[name] = bool(form.get(name))
    document["unknown"] = form.get("unknown", "")
    return parse_profile(document)
