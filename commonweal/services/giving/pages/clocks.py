"""For charities: whether what was bought is in use."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid
from commonweal.services.giving.actions import clocks as actions
from commonweal.services.giving.pages.charity import officer_of
from commonweal.services.giving.queries import payouts
from commonweal.services.giving.rules import texts


@require_http_methods(["GET", "POST"])
def use(request: HttpRequest, campaign: uuid.UUID, request_id: uuid.UUID, after: int) -> HttpResponse:
    """Answer the question."""
    party, _ = officer_of(request, campaign)
    found, refusal = payouts.payout(campaign, request_id), None
    if request.method == "POST":
        try:
            said = texts.both(
                request.POST.get("said_en", ""), request.POST.get("said_zh", ""), "said", 2_000, lines=True
            )
            actions.answer(party, campaign, request_id, after, said)
            return see_other("giving:payout", campaign, request_id)
        except (Invalid, Conflict) as error:
            refusal = error
    context = {"payout": found, "after": after, "refusal": refusal, "form": request.POST if refusal else None}
    return render(request, "giving/use.html", context, status=refusal.status if refusal else 200)
