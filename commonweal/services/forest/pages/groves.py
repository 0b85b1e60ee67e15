"""Groves: founding one, joining by a code, putting energy in, planting, ending."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commonweal.kernel import clock
from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal
from commonweal.kernel.parties import session
from commonweal.kernel.quantity import parse_amount
from commonweal.services.forest import GREEN
from commonweal.services.forest.actions import groves as actions
from commonweal.services.forest.queries import groves as queries
from commonweal.services.forest.queries import seasons
from commonweal.services.forest.queries.certificates import Trees
from commonweal.services.forest.queries.holdings import held


@never_cache
@require_http_methods(["GET", "POST"])
def groves(request: HttpRequest) -> HttpResponse:
    """One's groves; found one, or join one."""
    person = session.signed_in(request)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            if request.POST.get("word") == "join":
                return see_other("forest:grove", actions.join(person, request.POST.get("code", "")[:60]))
            return see_other("forest:grove", actions.found(person, request.POST.get("name", "")))
        except (Invalid, Conflict, NotFound) as error:
            refusal = error
    context = {
        "groves": queries.groves(person.id),
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "forest/groves.html", context, status=refusal.status if refusal else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def grove(request: HttpRequest, grove: uuid.UUID) -> HttpResponse:
    """A grove, for its members."""
    person = session.signed_in(request)
    found = queries.grove_of(person.id, grove)
    refusal: Refusal | None = None
    code = ""
    if request.method == "POST":
        form = request.POST
        try:
            match form.get("word", ""):
                case "invite":
                    code = actions.invite(person, grove)
                case "plant":
                    actions.plant(person, grove, form.get("season", ""), form_key(request))
                case "end":
                    actions.end(person, grove)
                case _:
                    grams = parse_amount(form.get("grams", "").strip(), GREEN, field="grams", maximum=10_000_000)
                    actions.put_in(person, grove, grams, form_key(request))
            if not code:
                return see_other("forest:grove", grove)
        except (Invalid, Conflict, NotAllowed) as error:
            refusal = error
        found = queries.grove_of(person.id, grove)
    trees = Trees([grove])
    context = {
        "grove": found,
        "me": person.id,
        "held": held(person.id),
        "seasons": seasons.open_seasons(clock.now()),
        "trees": trees[0:20],
        "code": code,
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "forest/grove.html", context, status=refusal.status if refusal else 200)


urlpatterns = [
    path("groves/", groves, name="groves"),
    path("groves/<uuid:grove>/", grove, name="grove"),
]
