"""What the forest changes: studies that were fixed beforehand, and what came of each."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commonweal.kernel import clock
from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Refusal
from commonweal.kernel.parties import session
from commonweal.services.forest.actions import study as actions
from commonweal.services.forest.queries import study as queries
from commonweal.services.forest.rules import study as rules


@dataclass(frozen=True, slots=True)
class Shown:
    """A study with what may be shown of it now: no outcome before the end."""

    study: queries.Study
    commitment: str
    opened: int
    waiting: int
    over: bool

    @property
    def scale(self) -> dict[str, str] | None:
        """The interval drawn on a line of 600 for -2 to 2 trips a week; None without a result."""
        result = self.study.result
        if not result or not result["enough"]:
            return None
        place = {name: 300 + max(-2000, min(2000, result[f"{name}_per_mille"])) * 0.14 for name in _PLACES}
        return {name: f"{x:.0f}" for name, x in place.items()}

    @property
    def said(self) -> dict[str, str]:
        """The figures in words, with a sign and two places."""
        result = self.study.result or {}
        figures = {name: result.get(f"{name}_per_mille", 0) / 1000 for name in (*_PLACES, "mean_open", "mean_waiting")}
        return {name: f"{value:+.2f}" if name in _PLACES else f"{value:.2f}" for name, value in figures.items()}


_PLACES = ("difference", "low", "high")


@never_cache
@require_http_methods(["GET", "POST"])
def effect(request: HttpRequest) -> HttpResponse:
    """All studies; joining or leaving the one that is open."""
    refusal: Refusal | None = None
    if request.method == "POST":
        person = session.signed_in(request)
        try:
            if request.POST.get("word") == "leave":
                actions.leave(person)
            else:
                actions.join(person)
            return see_other("forest:effect")
        except Conflict as error:
            refusal = error
    now, visitor = clock.now(), session.visitor(request)
    shown = []
    for study in queries.studies():
        count = queries.counts(study.design.key)
        commitment = rules.commitment(study.seed)
        shown.append(Shown(study, commitment, count[False], count[True], now >= study.design.over))
    joinable = queries.joinable(now)
    context = {
        "studies": shown,
        "joinable": joinable,
        "takes_part": bool(visitor and joinable and queries.takes_part(visitor.id, joinable.design.key)),
        "waits": queries.waits_until(visitor.id, now) if visitor else None,
        "refusal": refusal,
    }
    return render(request, "forest/effect.html", context, status=refusal.status if refusal else 200)


urlpatterns = [path("effect/", effect, name="effect")]
