"""Surveys for everybody: the commitment, the draw that anybody can repeat, the counts; and the planner."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Busy, Conflict, Invalid, NotAllowed, Refusal
from commonweal.kernel.parties import people, session
from commonweal.kernel.quantity import parse_amount
from commonweal.kernel.text import Text
from commonweal.services.forest import TREE
from commonweal.services.forest.actions import surveys as actions
from commonweal.services.forest.pages.plots import draw
from commonweal.services.forest.queries import plots
from commonweal.services.forest.queries import surveys as queries
from commonweal.services.forest.queries.subplots import subplots
from commonweal.services.forest.survey import plan

TREES = Text("{n} ({m} trees)", "{n}（{m} 株）")


@require_http_methods(["GET", "POST"])
def survey(request: HttpRequest, survey: uuid.UUID) -> HttpResponse:
    """One survey; for stewards, the forms that move it on."""
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            _do(request, survey)
            return see_other("forest:survey", survey)
        except (Invalid, Conflict, NotAllowed, Busy) as error:
            refusal = error
    found = queries.survey(survey)
    plot = plots.plot_of(found.plot)
    visitor = session.visitor(request)
    parts = {part.number: part for part in subplots(found.plot)}
    context = {
        "survey": found,
        "plot": plot,
        "map": draw(plot, list(parts.values())),
        "to_count": [(n, TREES.format(n=n, m=parts[n].planted)) for n in found.to_count],
        "may": visitor is not None and people.STEWARD in people.roles(visitor),
        "commitment": found.commitment.hex(),
        "seed": found.draw.seed.hex() if found.draw else "",
        "root": found.draw.root.hex() if found.draw else "",
        "percent": _percent(found.outcome) if found.outcome else None,
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "forest/survey.html", context, status=refusal.status if refusal else 200)


def _percent(outcome: queries.Outcome) -> dict[str, str]:
    return {name: f"{getattr(outcome, name) / 10_000:.1f}" for name in ("survival", "low", "high", "error")}


def _do(request: HttpRequest, survey: uuid.UUID) -> None:
    steward, form = session.signed_in(request), request.POST
    match form.get("word", ""):
        case "draw":
            actions.draw_subplots(steward, survey)
        case "count":
            subplot = parse_amount(form.get("subplot", ""), TREE, field="subplot")
            alive = parse_amount(form.get("alive", "").strip(), TREE, field="alive", minimum=0)
            actions.count(steward, survey, subplot, alive, form.get("diameters", ""))
        case "finish":
            actions.finish(steward, survey)
        case _:
            raise Invalid("survey.word", Text("Choose what to do.", "请选择操作。"))


@require_POST
def begin(request: HttpRequest, code: str) -> HttpResponse:
    """A steward begins a survey of a plot."""
    wanted = parse_amount(request.POST.get("wanted", "").strip(), TREE, field="wanted")
    return see_other("forest:survey", actions.commit(session.signed_in(request), code, wanted))


DEFAULTS = {"survival": "80", "correlation": "0.1", "trees": "49", "population": "", "error": "20"}


@require_safe
def planner(request: HttpRequest) -> HttpResponse:
    """How many sub-plots a survey needs."""
    form: dict[str, str] = {name: request.GET.get(name, value) for name, value in DEFAULTS.items()}
    context: dict[str, Any] = {"form": form}
    status = 200
    if request.GET:
        try:
            context["plan"] = _plan(form)
        except Invalid as refusal:
            context["refusal"], status = refusal, refusal.status
    return render(request, "forest/planner.html", context, status=status)


def _plan(form: dict[str, str]) -> object:
    try:
        return plan(
            survival=float(form["survival"]) / 100,
            correlation=float(form["correlation"]),
            trees=int(form["trees"]),
            population=int(form["population"]) if form["population"].strip() else None,
            relative_error=float(form["error"]) / 100,
        )
    except (ValueError, OverflowError) as error:
        raise Invalid(
            "plan.form",
            Text(
                "Survival and error in per cent, correlation from 0 to 1, whole trees.",
                "成活率与误差填百分数，相关系数 0 到 1，株数为整数。",
            ),
            field="survival",
        ) from error


urlpatterns = [
    path("surveys/<uuid:survey>/", survey, name="survey"),
    path("plots/<slug:code>/survey/", begin, name="begin"),
    path("planner/", planner, name="planner"),
]
