"""For stewards: gifts whose match waits for a check. For a giver: the objection."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed
from commonweal.kernel.parties import people, session
from commonweal.services.giving.actions import cases as actions
from commonweal.services.giving.pages.gifts import show_gift
from commonweal.services.giving.queries import cases as queries


@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """The queue, the nearest deadline first."""
    people.require_role(session.signed_in(request), people.STEWARD)
    return render(request, "giving/cases.html", {"waiting": queries.waiting(), "decided": queries.decided()})


@require_http_methods(["GET", "POST"])
def case(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """One case: the reasons, the gifts, what was said, and the form for a word."""
    steward, refusal = session.signed_in(request), None
    people.require_role(steward, people.STEWARD)
    if request.method == "POST":
        try:
            actions.judge(steward, id, withholds=request.POST.get("word") != "clear", note=request.POST.get("note", ""))
            return see_other("giving:case", id)
        except (Invalid, Conflict, NotAllowed) as error:
            refusal = error
    found = actions.read(steward, id)
    gifts = queries.gifts(found)
    context = {
        "case": found,
        "reasons": queries.reasons(found),
        "gifts": gifts,
        "objections": [each for each in gifts if each.said],
        "words": queries.words(id),
        "may_judge": steward.id in queries.callees(found),
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/case.html", context, status=refusal.status if refusal else 200)


@require_POST
def object_to(request: HttpRequest, campaign: uuid.UUID, gift: uuid.UUID, case: uuid.UUID) -> HttpResponse:
    """The giver says why it is wrong."""
    try:
        actions.object_to(session.signed_in(request), case, campaign, gift, request.POST.get("words", ""))
    except (Invalid, Conflict) as refusal:
        return show_gift(request, campaign, gift, refusal)
    return see_other("giving:gift", campaign, gift)
