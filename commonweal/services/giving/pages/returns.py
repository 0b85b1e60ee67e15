"""Money back: for stewards all of it, and for whoever may refund, one gift."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.parties import people, session
from commonweal.kernel.quantity import parse_amount
from commonweal.services.giving.actions import returns as actions
from commonweal.services.giving.queries import card_returns, cards, gifts
from commonweal.services.giving.queries import returns as queries
from commonweal.services.giving.queries.campaigns import acts_for


@require_safe
def returns(request: HttpRequest) -> HttpResponse:
    """Refunds and chargebacks, and what charities owe."""
    people.require_role(session.signed_in(request), people.STEWARD)
    context = {
        "returns": queries.newest(),
        "receivables": queries.receivables(),
        "card_returns": card_returns.newest(),
        "cards": cards.newest(),
    }
    return render(request, "giving/returns.html", context)


@require_http_methods(["GET", "POST"])
def refund(request: HttpRequest, campaign: uuid.UUID, gift: uuid.UUID) -> HttpResponse:
    """Refund a gift or part of it."""
    party, found = session.signed_in(request), gifts.gift(campaign, gift)
    if not (people.STEWARD in people.roles(party) or acts_for(party.id, campaign)):
        raise gifts.unknown()
    refusal = None
    if request.method == "POST":
        try:
            amount = parse_amount(request.POST.get("amount", "").strip(), found.asset)
            actions.refund(party, campaign, gift, amount, request.POST.get("reason", ""), form_key(request))
            return see_other("giving:refund", campaign, gift)
        except (Invalid, Conflict) as error:
            refusal = error
    context = {
        "gift": found,
        "returns": queries.of_gift(campaign, gift),
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/refund.html", context, status=refusal.status if refusal else 200)
