"""For stewards: their notes on charities, and the log of what each of them has looked at."""

from __future__ import annotations

import uuid

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Invalid
from commonweal.kernel.parties import people, session
from commonweal.services.giving.actions import risk_notes as actions
from commonweal.services.giving.pages.forms import one_of
from commonweal.services.giving.queries import campaigns, views
from commonweal.services.giving.queries import risk_notes as queries
from commonweal.services.giving.rules import risk_notes as rules

PER_PAGE = 50


@never_cache
@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """Who looked at what of whom, when and why."""
    steward = session.signed_in(request)
    people.require_role(steward, people.STEWARD)
    page = Paginator(views.Views(), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "giving/views.html", {"page": page, "me": steward.id})


@never_cache
@require_safe
def risks(request: HttpRequest) -> HttpResponse:
    """The charities, and how many notes there are on each."""
    people.require_role(session.signed_in(request), people.STEWARD)
    return render(request, "giving/risks.html", {"charities": queries.charities()})


@never_cache
@require_http_methods(["GET", "POST"])
def notes(request: HttpRequest, organisation: uuid.UUID) -> HttpResponse:
    """The notes on a charity; each look is put on record. A new one is only ever added."""
    steward, form, refusal = session.signed_in(request), request.POST, None
    if request.method == "POST":
        try:
            campaign = one_of(form, "campaign") if form.get("campaign") else None
            actions.add(steward, organisation, campaign, form.get("note", ""), form.get("reason", ""))
            return see_other("giving:risk_notes", organisation)
        except Invalid as error:
            refusal = error
    found = actions.read(steward, organisation)
    context = {
        "charity": people.named(organisation),
        "notes": found,
        "me": steward.id,
        "campaigns": [(each.id, each.title) for each in campaigns.of_organisations([organisation])],
        "longest": rules.LONGEST,
        "refusal": refusal,
        "form": form if refusal else None,
    }
    return render(request, "giving/risk_notes.html", context, status=refusal.status if refusal else 200)
