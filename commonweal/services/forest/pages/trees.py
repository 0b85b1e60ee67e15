"""My trees: the places promised to me, and the seasons in which I can ask for one; a certificate and its chain."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_safe

from commonweal.kernel import clock
from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid, NotFound, Refusal
from commonweal.kernel.parties import session
from commonweal.services.forest import pictures
from commonweal.services.forest.actions import certificates as actions
from commonweal.services.forest.pages.map import map_of
from commonweal.services.forest.pages.plots import draw
from commonweal.services.forest.queries import captures, groves, holdings, plots, record, seasons
from commonweal.services.forest.queries import certificates as queries
from commonweal.services.forest.queries.subplots import subplots
from commonweal.services.forest.rules.trees import TITLES

SHRUBS = ("saxaul", "tamarisk")
PER_PAGE = 24


@require_http_methods(["GET", "POST"])
def mine(request: HttpRequest) -> HttpResponse:
    """My trees and those of my groves, and the form that asks for one more."""
    person = session.signed_in(request)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            made = actions.ask(person, request.POST.get("season", ""), form_key(request))
            return see_other("forest:tree", made.number)
        except (Invalid, Conflict, NotFound) as error:
            refusal = error
    owners = [person.id, *(grove.id for grove in groves.groves(person.id))]
    page = Paginator(queries.Trees(owners), PER_PAGE).get_page(request.GET.get("page"))
    held = holdings.held(person.id)
    context = {
        "page": page,
        "map": map_of(list(page.object_list)),
        "trees": [(each, TITLES[each.state]) for each in page.object_list],
        "held": held,
        "seasons": [(each, max(0, each.species.grams - held)) for each in seasons.open_seasons(clock.now())],
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "forest/trees.html", context, status=refusal.status if refusal else 200)


@require_safe
def tree(request: HttpRequest, number: str) -> HttpResponse:
    """One certificate: its tree, its place, and every step with its proof. It names nobody."""
    found = queries.by_number(number)
    plot = plots.plot(found.plot)
    visitor = session.visitor(request)
    own = visitor is not None and visitor.id == found.owner
    spot = pictures.Spot(found.longitude, found.latitude, "mine")
    context = {
        "tree": found,
        "state": TITLES[found.state],
        "grams": f"{found.grams:,}",
        "plot": plot,
        "mine": own,
        "earned": record.earned_before(found.owner, found.at) if own else [],
        "frame": "10 50 140 105" if found.species in SHRUBS else "0 0 160 160",
        "picture": mark_safe(pictures.tree(str(found.number), shrub=found.species in SHRUBS)),  # noqa: S308
        "map": draw(plot, subplots(plot.id), [spot]),
        "captures": captures.of_plot(plot.id, found.seq),
        "chain": record.chain(found, plot.id),
    }
    return render(request, "forest/tree.html", context)


urlpatterns = [path("trees/", mine, name="trees"), path("trees/<str:number>/", tree, name="tree")]
