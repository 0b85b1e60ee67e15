"""The control room of a giving day, for stewards."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Invalid
from commonweal.kernel.parties import people, session
from commonweal.services.giving.actions import control as actions
from commonweal.services.giving.queries import control as queries


@never_cache
@require_http_methods(["GET", "POST"])
def room(request: HttpRequest) -> HttpResponse:
    """The figures of this moment, and what is announced; announcing."""
    steward = session.signed_in(request)
    people.require_role(steward, people.STEWARD)
    refusal = None
    if request.method == "POST":
        try:
            hours = request.POST.get("hours", "")
            en, zh = (request.POST.get(field, "") for field in ("text_en", "text_zh"))
            actions.announce(steward, en, zh, int(hours) if hours.isdecimal() else 0)
        except Invalid as refused:
            refusal = refused
        else:
            return see_other("giving:control")
    found = queries.room()
    context = {
        "room": found,
        "figures": found.figures(),
        "counters": queries.counters(),
        "announcements": queries.announcements(),
        "stream": f"/live/giving/room/{actions.ticket(steward)}",
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/control.html", context, status=refusal.status if refusal else 200)


@require_POST
def withdraw(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """End an announcement."""
    actions.withdraw(session.signed_in(request), id)
    return see_other("giving:control")
