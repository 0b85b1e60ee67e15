"""For stewards: what the foundation that holds the money has earned, and paying it out by two approvals."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid, NotFound, Refusal
from commonweal.kernel.parties import people, session
from commonweal.services.giving.actions import incomes as actions
from commonweal.services.giving.pages import forms
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import incomes as queries
from commonweal.services.giving.rules import texts


@require_http_methods(["GET", "POST"])
def incomes(request: HttpRequest) -> HttpResponse:
    """What is there, what was asked for, and asking."""
    steward = session.signed_in(request)
    people.require_role(steward, people.STEWARD)
    if request.method == "POST":
        form = request.POST
        try:
            campaign = forms.one_of(form, "campaign")
            amount = forms.amount(form, "amount", campaigns.card(campaign).asset)
            what = texts.both(form.get("what_en", ""), form.get("what_zh", ""), "what", 400)
            actions.ask(steward, campaign, amount, what, form_key(request))
        except (Invalid, Conflict, NotFound) as refusal:
            return _shown(request, refusal)
        return see_other("giving:incomes")
    return _shown(request)


@require_POST
def judge(request: HttpRequest, campaign: uuid.UUID, id: uuid.UUID) -> HttpResponse:
    """A steward's word."""
    steward, form = session.signed_in(request), request.POST
    try:
        actions.judge(steward, campaign, id, approves=form.get("word") == "approve", note=form.get("note", "").strip())
    except (Invalid, Conflict) as refusal:
        return _shown(request, refusal)
    return see_other("giving:incomes")


def _shown(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    there = queries.everywhere()
    context = {
        "there": there,
        "open": [(each.campaign, each.title) for each in there if each.free],
        "incomes": queries.incomes(),
        "visitor": session.signed_in(request).id,
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/incomes.html", context, status=refusal.status if refusal else 200)
