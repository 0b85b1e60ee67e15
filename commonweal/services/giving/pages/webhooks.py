"""For people who write programs: the feed of a campaign, and the addresses that are called when something happens."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.parties import session
from commonweal.services.giving import webhooks as calls
from commonweal.services.giving.actions import webhooks as actions
from commonweal.services.giving.pages.forms import one_of
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import webhooks as queries


@never_cache
@require_http_methods(["GET", "POST"])
def webhooks(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """One's own webhooks, and another for this campaign: its secret is shown this once."""
    party, card, form = session.signed_in(request), campaigns.card(campaign), request.POST
    refusal = secret = None
    if request.method == "POST":
        if form.get("word") == "end":
            actions.end(party, one_of(form, "webhook"))
            return see_other("giving:webhooks", campaign)
        try:
            _, secret = actions.add(party, campaign, form.get("address", "").strip())
        except (Invalid, Conflict) as error:
            refusal = error
    context = {
        "card": card,
        "webhooks": [(each, campaigns.card(each.campaign)) for each in queries.of(party.id)],
        "secret": secret,
        "header": calls.HEADER,
        "longest": calls.LONGEST,
        "refusal": refusal,
        "form": form if refusal else None,
    }
    return render(request, "giving/webhooks.html", context, status=refusal.status if refusal else 200)
