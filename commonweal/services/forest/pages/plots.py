"""Plots for everybody: the five numbers, the ground, what stands on record."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from commonweal.kernel.parties import people, session
from commonweal.kernel.text import Text
from commonweal.services.forest import pictures
from commonweal.services.forest.queries import canopy, captures, numbers, record, stock, surveys
from commonweal.services.forest.queries import plots as queries
from commonweal.services.forest.queries.subplots import Subplot, subplots

KEY = (
    ("bare", Text("not yet planted", "尚未栽植")),
    ("planted", Text("planted", "已栽植")),
    ("chosen", Text("drawn for a survey", "抽中待调查")),
    ("counted", Text("counted in a survey", "已调查")),
    ("tree", Text("photographed", "已拍照")),
)


@require_safe
def plots(request: HttpRequest) -> HttpResponse:
    """All plots and the sum of their numbers."""
    return render(request, "forest/plots.html", {"plots": queries.plots(), "numbers": numbers.of_all()})


@require_safe
def plot(request: HttpRequest, code: str) -> HttpResponse:
    """One plot."""
    found = queries.plot(code)
    held = stock.stock(found)
    visitor = session.visitor(request)
    taken = captures.of_plot(found.id, limit=6)
    spots = [pictures.Spot(each.longitude, each.latitude, "tree") for each in taken]
    context = {
        "plot": found,
        "map": draw(found, subplots(found.id), spots),
        "captures": taken,
        "surveys": surveys.surveys(found.id),
        "series": canopy.series(found.id),
        "clearings": canopy.clearings(found.id),
        "stock": held,
        "grown_at": f"{held.grown_at:.1f}" if held.grown_at else "",
        "may": visitor is not None and people.STEWARD in people.roles(visitor),
        "key": KEY,
        "record": record.record(found.id),
        "area": round(found.outline.area),
        "promised_percent": found.season.species.survival / 10,
        "cleared_percent": found.standing.cleared / 10,
    }
    return render(request, "forest/plot.html", context)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawing for the template `forest/drawn.html`: the inside of an SVG, its size, and what it shows in words."""

    inside: SafeString
    width: int
    height: int
    label: Text


def draw(plot: queries.Plot, parts: list[Subplot], spots: list[pictures.Spot] | None = None) -> Drawn:
    """The map of a plot, with its description in words."""
    patches = [pictures.Patch(each.west, each.south, each.east, each.north, _kind(each)) for each in parts]
    inside, width, height = pictures.plot_map(plot.outline, patches, spots or [])
    label = Text(
        "Map of plot {code}: {n} sub-plots, {planted} with trees, {counted} counted",
        "地块 {code} 平面图：{n} 个样地，{planted} 个已栽植，{counted} 个已调查",
    ).format(
        code=plot.code,
        n=len(parts),
        planted=sum(each.planted > 0 for each in parts),
        counted=sum(each.alive is not None for each in parts),
    )
    return Drawn(mark_safe(inside), width, height, label)  # noqa: S308 (numbers and our own classes)


def _kind(each: Subplot) -> str:
    if each.alive is not None:
        return "counted"
    if each.chosen:
        return "chosen"
    return "planted" if each.planted else "bare"


urlpatterns = [path("plots/", plots, name="plots"), path("plots/<slug:code>/", plot, name="plot")]
