"""Pools of matching: for everybody what was promised and what became of it, for the charity the form to enter one."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.parties import session
from commonweal.services.giving.actions import matches as actions
from commonweal.services.giving.pages.charity import officer_of
from commonweal.services.giving.pages.forms import amount, moment, optional_amount
from commonweal.services.giving.queries import campaigns, companies
from commonweal.services.giving.queries import pools as queries
from commonweal.services.giving.rules import matches as rules
from commonweal.services.giving.rules.matches import Promise


@require_http_methods(["GET", "POST"])
def pools(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """The pools of a campaign; its charity enters one whose money it has received."""
    party, card, refusal = session.visitor(request), campaigns.card(campaign), None
    if request.method == "POST":
        party, card = officer_of(request, campaign)
        form = request.POST
        try:
            promise = Promise(
                company=companies.by_registration(form.get("registration", "")),
                rate=rules.parse_rate(form.get("rate", "").strip()),
                gift_cap=optional_amount(form, "gift_cap", card.asset),
                day_cap=optional_amount(form, "day_cap", card.asset),
                opens_at=moment(form, "opens_at"),
                closes_at=moment(form, "closes_at"),
            )
            id = actions.fund(party, campaign, promise, amount(form, "amount", card.asset), form_key(request))
            return see_other("giving:pool", campaign, id)
        except (Invalid, Conflict) as error:
            refusal = error
    context = {
        "card": card,
        "pools": queries.of(campaign),
        "officer": party is not None and campaigns.acts_for(party.id, campaign),
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/pools.html", context, status=refusal.status if refusal else 200)


@require_safe
def pool(request: HttpRequest, campaign: uuid.UUID, pool: uuid.UUID) -> HttpResponse:
    """One pool and its matches. Gifts are known by their numbers."""
    context = {"pool": queries.one(campaign, pool), "matches": queries.matches(campaign, pool)}
    return render(request, "giving/pool.html", context)
