"""The steward's console: seasons that open and close, sites, ground under contract, and the money paid for it."""

from __future__ import annotations

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_http_methods

from commonweal.kernel import clock
from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, NotFound, Refusal, TooLarge
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import CNY, Asset, parse_amount
from commonweal.kernel.text import Text
from commonweal.services.forest import TREE
from commonweal.services.forest.actions import captures
from commonweal.services.forest.actions import plots as actions
from commonweal.services.forest.queries import captures as captures_known
from commonweal.services.forest.queries import numbers, plots, seasons, surveys


@require_http_methods(["GET", "POST"])
def console(request: HttpRequest) -> HttpResponse:
    """Every season and plot; forms to open, contract, pay and close."""
    steward = session.signed_in(request)
    people.require_role(steward, people.STEWARD)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            _do(steward, request.POST)
            return see_other("forest:console")
        except (Invalid, Conflict, NotFound, TooLarge) as error:
            refusal = error
    context = {
        "seasons": [(each, numbers.of_season(each.key)) for each in seasons.seasons()],
        "plots": plots.plots(),
        "species": [(each.key, each.name) for each in seasons.all_species()],
        "open": [(each.key, each.key) for each in seasons.seasons() if each.closes_at > clock.now()],
        "sites": [(str(each.id), each.name) for each in plots.sites()],
        "funders": [(str(each.id), each.name) for each in plots.organisations()],
        "codes": [(each.code, each.code) for each in plots.plots() if each.numbers.funded < each.numbers.pledged],
        "held": captures_known.held(),
        "surveys": surveys.surveys(only_open=True),
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "forest/console.html", context, status=refusal.status if refusal else 200)


def _do(steward: Party, form: QueryDict) -> None:
    match form.get("word", ""):
        case "open":
            opens, closes = _day(form, "opens_at"), _day(form, "closes_at")
            actions.open_season(steward, form.get("half", "").strip().upper(), form.get("species", ""), opens, closes)
        case "close":
            actions.close_season(steward, form.get("season", ""))
        case "site":
            name = Text(form.get("name_en", "") or form.get("name_zh", ""), form.get("name_zh", ""))
            place = Text(form.get("place_en", "") or form.get("place_zh", ""), form.get("place_zh", ""))
            actions.open_site(steward, Party(id=_id(form, "partner")), name, place)
        case "contract":
            wish = actions.Contract(
                _id(form, "site"),
                form.get("season", ""),
                form.get("code", "").strip().upper(),
                form.get("outline", ""),
                _count(form, "capacity"),
            )
            actions.contract(steward, wish)
        case "fund":
            paid = parse_amount(form.get("paid", "").strip(), CNY, field="paid")
            funding = actions.Funding(
                _id(form, "funder"), _count(form, "positions"), paid, form.get("reference", "").strip()
            )
            actions.fund(steward, form.get("plot", ""), funding)
        case "counts" | "void" as word:
            captures.judge(steward, _id(form, "capture"), counts=word == "counts")
        case _:
            raise Invalid("console.word", Text("Choose what to do.", "请选择操作。"))


def _count(form: QueryDict, field: str, asset: Asset = TREE) -> int:
    return parse_amount(form.get(field, "").strip(), asset, field=field, maximum=1_000_000)


def _day(form: QueryDict, field: str) -> datetime:
    try:
        return datetime.fromisoformat(form.get(field, "")).replace(tzinfo=ZoneInfo(settings.LOCAL_ZONE))
    except ValueError as error:
        raise Invalid("moment.form", Text("Give a day.", "请填写日期。"), field=field) from error


def _id(form: QueryDict, field: str) -> uuid.UUID:
    try:
        return uuid.UUID(form.get(field, ""))
    except ValueError as error:
        raise Invalid("console.choice", Text("Choose one from the list.", "请从列表中选择。"), field=field) from error


urlpatterns = [path("console/", console, name="console")]
