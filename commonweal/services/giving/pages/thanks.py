"""A charity thanks everyone who gave to a campaign."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid
from commonweal.services.giving.actions import thanks as actions
from commonweal.services.giving.pages.charity import officer_of
from commonweal.services.giving.queries import thanks as queries
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules import thanks as rules


@require_http_methods(["GET", "POST"])
def thank(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """One text for all of them, and what was sent before."""
    party, card = officer_of(request, campaign)
    refusal = None
    if request.method == "POST":
        try:
            form = request.POST
            said = texts.both(form.get("said_en", ""), form.get("said_zh", ""), "said", rules.LONGEST, lines=True)
            actions.thank(party, campaign, said, form_key(request))
            return see_other("giving:thank", campaign)
        except (Invalid, Conflict) as error:
            refusal = error
    last = queries.last(campaign)
    context = {
        "card": card,
        "people": queries.people(campaign),
        "sent": queries.of_campaign(campaign),
        "again": last + rules.EVERY if last else None,
        "days": rules.EVERY.days,
        "longest": rules.LONGEST,
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/thank.html", context, status=refusal.status if refusal else 200)
