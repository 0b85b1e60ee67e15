"""For those who plant: what was planted, and photographs of trees. Plain forms; with its script it works offline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_safe

from commonweal.kernel import clock
from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal, TooLarge
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import parse_amount
from commonweal.kernel.text import Text
from commonweal.services.forest import TREE
from commonweal.services.forest.actions import captures, plantings
from commonweal.services.forest.queries import captures as queries
from commonweal.services.forest.queries import photos, plots
from commonweal.services.forest.rules.field import Shot, read_fixes, read_moment


@require_http_methods(["GET", "POST"])
def field(request: HttpRequest) -> HttpResponse:
    """The plots of my organisation, and the forms."""
    officer = session.signed_in(request)
    own = _own_plots(officer)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            _do(officer, request)
            return see_other("forest:field")
        except (Invalid, Conflict, NotFound, TooLarge) as error:
            refusal = error
    funded = [plot for plot in own if plot.numbers.funded]
    context = {
        "plots": own,
        "captures": [each for plot in own for each in queries.of_plot(plot.id, limit=6)][:12],
        "codes": [(plot.code, plot.code) for plot in funded],
        "owing": [(plot.code, plot.code) for plot in funded if plot.standing.owed],
        "species": [(s.key, s.name) for s in {plot.season.species.key: plot.season.species for plot in own}.values()],
        "planted": [(plot.code, plot.code) for plot in own if plot.numbers.planted],
        "compares": photos.COMPARES,
        "now": clock.now().astimezone(ZoneInfo(settings.LOCAL_ZONE)).strftime("%Y-%m-%dT%H:%M"),
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "forest/field.html", context, status=refusal.status if refusal else 200)


def _own_plots(officer: Party) -> Sequence[plots.Plot]:
    """The plots of the organisations that somebody acts for. Raises `NotAllowed` (`field.nobody`) if there are none."""
    acts_for = {organisation.id for organisation in people.organisations_of(officer)}
    own = [plot for plot in plots.plots() if plot.site.partner in acts_for]
    if not own:
        raise NotAllowed(
            "field.nobody", Text("This is for organisations that plant.", "本页供种植机构的工作人员使用。")
        )
    return own


def _do(officer: Party, request: HttpRequest) -> None:
    form = request.POST
    match form.get("word", ""):
        case "plant" | "replant" as word:
            act = plantings.plant if word == "plant" else plantings.replant
            first, last = (parse_amount(form.get(name, "").strip(), TREE, field=name) for name in ("first", "last"))
            act(officer, form.get("plot", ""), first, last, _day(form.get("day", "")))
        case "capture":
            photo = request.FILES.get("photo")
            if photo is None:
                raise Invalid("capture.photo", Text("Add the photograph.", "请添加照片。"), field="photo")
            fixes, taken = read_fixes(form.get("fixes", "")), read_moment(form.get("taken_at", ""))
            captures.capture(officer, Shot(form.get("plot", ""), form.get("species", ""), fixes, taken, photo.read()))
        case _:
            raise Invalid("field.word", Text("Choose what to do.", "请选择操作。"))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid("moment.form", Text("Give a day.", "请填写日期。"), field="day") from error


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The script that keeps the field page for when there is no network; served here, so that it may speak for it."""
    found = finders.find("forest/worker.js")
    with open(str(found), "rb") as file:  # noqa: PTH123 (a path of the finder)
        return HttpResponse(file.read(), content_type="text/javascript", headers={"Cache-Control": "no-cache"})


urlpatterns = [path("field/", field, name="field"), path("field/worker.js", worker, name="worker")]
