"""The end of a campaign: a steward stops it, its charity passes on what is left over, and repays what it owes."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid, TooLarge
from commonweal.kernel.parties import people, session
from commonweal.services.giving.actions import endings as actions
from commonweal.services.giving.actions import receivables
from commonweal.services.giving.pages.charity import officer_of
from commonweal.services.giving.pages.forms import amount, one_of
from commonweal.services.giving.queries import campaigns, endings, payouts, returns
from commonweal.services.giving.rules import leftovers, texts
from commonweal.services.giving.rules.plans import Asking


@require_http_methods(["GET", "POST"])
def stop(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """A steward stops a campaign: nothing more is given. What is there moves only by two people's words, as ever."""
    steward, card = session.signed_in(request), campaigns.card(campaign)
    people.require_role(steward, people.STEWARD)
    refusal = None
    if request.method == "POST":
        try:
            why = texts.both(request.POST.get("why_en", ""), request.POST.get("why_zh", ""), "why", 400)
            actions.stop(steward, campaign, why)
            return see_other("giving:campaign", campaign)
        except (Invalid, Conflict) as error:
            refusal = error
    context = {"card": card, "refusal": refusal, "form": request.POST if refusal else None}
    return render(request, "giving/stop.html", context, status=refusal.status if refusal else 200)


@require_http_methods(["GET", "POST"])
def leftover(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """Propose where left-over property goes; two stewards decide on it as on a payout."""
    party, card = officer_of(request, campaign)
    refusal = None
    if request.method == "POST":
        try:
            asking = Asking(
                amount=amount(request.POST, "amount", card.asset),
                what=texts.both(request.POST.get("what_en", ""), request.POST.get("what_zh", ""), "what", 400),
                evidence=tuple(file.read() for file in request.FILES.getlist("evidence")),
            )
            id = actions.pass_on(party, campaign, one_of(request.POST, "target"), asking, form_key(request))
            return see_other("giving:payout", campaign, id)
        except (Invalid, Conflict, TooLarge) as error:
            refusal = error
    context = {
        "card": card,
        "free": campaigns.page(campaign).available - payouts.promised(campaign),
        "targets": [(each.id, each.title) for each in endings.targets(campaign)],
        "source": leftovers.SOURCE,
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/leftover.html", context, status=refusal.status if refusal else 200)


@require_http_methods(["GET", "POST"])
def repay(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """A charity pays back what it owes for spent gifts that were charged back."""
    party, card = officer_of(request, campaign)
    refusal = None
    if request.method == "POST":
        try:
            repaid = amount(request.POST, "amount", card.asset)
            receivables.repay(party, campaign, repaid, form_key(request))
            return see_other("giving:repay", campaign)
        except (Invalid, Conflict) as error:
            refusal = error
    context = {
        "card": card,
        "owed": returns.receivable(campaign),
        "repaid": returns.repayments(campaign),
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/repay.html", context, status=refusal.status if refusal else 200)
