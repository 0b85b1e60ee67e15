"""My energy: a meadow with bubbles, what is in hand, and how one wants it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from commonweal.kernel import clock
from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, NotFound, Refusal
from commonweal.kernel.parties import session
from commonweal.kernel.text import Text
from commonweal.services.forest.actions import gardens as actions
from commonweal.services.forest.queries import friends, gardens, seasons, study
from commonweal.services.forest.queries.gardens import Shown
from commonweal.services.forest.queries.holdings import held
from commonweal.services.forest.queries.seasons import Species


@dataclass(frozen=True, slots=True)
class Meadow:
    """What is drawn of somebody's energy: the tree grows from a seedling to the next tree's price."""

    bubbles: list[Shown]
    held: int
    next: Species | None

    @property
    def ripe(self) -> list[Shown]:
        """Those to gather now."""
        return [each for each in self.bubbles if each.state == "ripe"]

    @property
    def ripe_grams(self) -> int:
        """Grams to gather now."""
        return sum(each.bubble.left for each in self.ripe)

    @property
    def percent(self) -> int:
        """How far it is to the next tree."""
        return min(100, self.held * 100 // self.next.grams) if self.next else 0

    @property
    def scale(self) -> str:
        """The size of the drawn tree, 0.30 to 1.00."""
        return f"{0.3 + 0.7 * self.percent / 100:.2f}"


def meadow(owner: uuid.UUID, at: datetime) -> Meadow:
    """The meadow of somebody now; the next tree is the cheapest that can be planted, else the cheapest there is."""
    open_now = [season.species for season in seasons.open_seasons(at)] or seasons.all_species()
    return Meadow(gardens.bubbles(owner, at), held(owner), min(open_now, key=lambda one: one.grams, default=None))


def read_bubble(value: str) -> tuple[date, int]:
    """A bubble as a button says it: `2026-11-24.3`. Raises `NotFound` (`bubble.unknown`)."""
    day, _, kind = value.partition(".")
    try:
        number = int(kind)
        if not 0 < number < 32768:
            raise ValueError
        return date.fromisoformat(day), number
    except ValueError as error:
        raise NotFound("bubble.unknown", Text("There is no such bubble.", "没有这个气泡。")) from error


@never_cache
@require_safe
def energy(request: HttpRequest) -> HttpResponse:
    """One's meadow; for whoever is not signed in, what it would be."""
    if session.visitor(request) is None:
        return render(request, "forest/energy_guest.html")
    return _show(request)


def _show(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    person, now = session.signed_in(request), clock.now()
    if waits := study.waits_until(person.id, now):
        return render(request, "forest/energy_waiting.html", {"waits": waits, "held": held(person.id)})
    wishes = gardens.wishes(person.id)
    kept = {"name": wishes.name}
    context = {
        "meadow": meadow(person.id, now),
        "now": now,
        "wishes": wishes,
        "shielded": wishes.shielded_until is not None and now < wishes.shielded_until,
        "child": gardens.child(person.id),
        "friends": friends.friends(person.id, now),
        "refusal": refusal,
        "form": request.POST if refusal else kept,
    }
    return render(request, "forest/energy.html", context, status=refusal.status if refusal else 200)


@require_POST
def harvest(request: HttpRequest) -> HttpResponse:
    """Gather one bubble, or all that is ripe. Nothing ripe is no fault."""
    person = session.signed_in(request)
    value = request.POST.get("bubble", "all")
    actions.harvest(person, None if value == "all" else read_bubble(value))
    return see_other("forest:energy")


@require_POST
def wish(request: HttpRequest) -> HttpResponse:
    """Say how one wants it, or put up a shield."""
    person, form = session.signed_in(request), request.POST
    try:
        if form.get("word") == "shield":
            actions.shield(person)
        else:
            actions.wish(
                person,
                open_to_friends=form.get("open") == "yes",
                notices=form.get("notices") == "yes",
                name=form.get("name", ""),
            )
    except (Invalid, Conflict) as refusal:
        return _show(request, refusal)
    return see_other("forest:energy")


urlpatterns = [
    path("energy/", energy, name="energy"),
    path("energy/gather/", harvest, name="harvest"),
    path("energy/wishes/", wish, name="wish"),
]
