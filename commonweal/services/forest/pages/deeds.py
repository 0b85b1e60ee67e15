"""One's deeds with what explains them, what one can bring oneself, and the partners one is connected with."""

from __future__ import annotations

from datetime import date

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, Refusal, TooLarge
from commonweal.kernel.parties import session
from commonweal.kernel.text import Text
from commonweal.services.forest import REDUCTION
from commonweal.services.forest.actions import sources as source_actions
from commonweal.services.forest.actions import tracks as actions
from commonweal.services.forest.queries import deeds as queries
from commonweal.services.forest.queries import methods, sources
from commonweal.services.forest.rules.evidence import DAY_LIMITS
from commonweal.services.forest.tracks import WAYS


@never_cache
@require_safe
def deeds(request: HttpRequest) -> HttpResponse:
    """What one has done."""
    return _show(request)


def _show(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    person = session.signed_in(request)
    context = {
        "deeds": queries.deeds(person.id),
        "connections": sources.connections(person.id),
        "ways": list(WAYS.items()),
        "limit": DAY_LIMITS["C"],
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "forest/deeds.html", context, status=refusal.status if refusal else 200)


@require_POST
def bring(request: HttpRequest) -> HttpResponse:
    """Bring a track or a day's steps."""
    person = session.signed_in(request)
    try:
        file = request.FILES.get("track") or request.FILES.get("steps")
        if file is None:
            raise Invalid("track.none", Text("Choose a file.", "请选择文件。"), field="track")
        if file.size is None or file.size > actions.LARGEST:
            raise TooLarge("track.bytes", Text("A track file has at most 5 MB.", "轨迹文件最大 5 MB。"), field="track")
        data = file.read()
        if "steps" in request.FILES:
            actions.bring_steps(person, data)
        else:
            way = request.POST.get("way", "")
            if way not in WAYS:
                raise Invalid("track.way", Text("Say how you went.", "请选择出行方式。"), field="way")
            actions.bring_track(person, data, (file.name or "").rpartition(".")[2].lower(), way)
    except (Invalid, Conflict, TooLarge) as refusal:
        return _show(request, refusal)
    return see_other("forest:deeds")


@require_POST
def connect(request: HttpRequest, source: str) -> HttpResponse:
    """Be known to a partner, or no longer."""
    person, partner = session.signed_in(request), sources.source(source)
    if request.POST.get("word") == "end":
        source_actions.disconnect(person, partner)
    else:
        source_actions.connect(person, partner)
    return see_other("forest:deeds")


@never_cache
@require_safe
def proof(request: HttpRequest, source: str, day: str) -> HttpResponse:
    """A file with which one shows what one did on a closed day."""
    person = session.signed_in(request)
    try:
        when = date.fromisoformat(day)
    except ValueError as error:
        raise Http404 from error
    answer = JsonResponse(queries.proof(person.id, source, when), json_dumps_params={"indent": 1})
    answer["Content-Disposition"] = f'attachment; filename="deeds-{source}-{when}.json"'
    return answer


@require_safe
def factors(request: HttpRequest) -> HttpResponse:
    """Every method in force with its factors and their sources; and the days closed last."""
    seen: dict[str, methods.Method] = {}
    for method in methods.methods():
        seen[method.behaviour] = method
    context = {
        "methods": list(seen.values()),
        "published": methods.published(),
        "closed": queries.closed(),
        "reduction": queries.reduction(),
        "asset": REDUCTION,
    }
    return render(request, "forest/factors.html", context)


@require_safe
def factors_json(request: HttpRequest) -> HttpResponse:
    """The table as published, byte for byte what its fact commits to."""
    return HttpResponse(methods.published().document, content_type="application/json")


urlpatterns = [
    path("deeds/", deeds, name="deeds"),
    path("deeds/bring/", bring, name="bring"),
    path("deeds/connect/<str:source>/", connect, name="connect"),
    path("deeds/proof/<str:source>/<str:day>.json", proof, name="deeds_proof"),
    path("factors/", factors, name="factors"),
    path("factors.json", factors_json, name="factors_json"),
]
