"""Sponsors' contracts for actions: offered by a company, accepted by the charity, closed, stated."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from commonweal.kernel import clock
from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import CNY
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import deeds as actions
from commonweal.services.giving.pages.forms import amount, moment, one_of
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import deeds as queries
from commonweal.services.giving.rules import deeds as rules


@require_http_methods(["GET", "POST"])
def sponsors(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """The contracts of a campaign; whoever acts for a company offers one."""
    party, card, refusal = session.visitor(request), campaigns.card(campaign), None
    if request.method == "POST":
        party, form = session.signed_in(request), request.POST
        try:
            asset = rules.action(form.get("asset", ""))
            terms = rules.Sponsorship(
                asset=asset.code,
                per=amount(form, "per", asset),
                pays=amount(form, "pays", CNY),
                most=amount(form, "most", CNY),
                opens_at=clock.now(),
                closes_at=moment(form, "closes_at"),
            )
            id = actions.sponsor(party, Party(id=one_of(form, "company")), campaign, terms)
            return see_other("giving:sponsorship", campaign, id)
        except (Invalid, Conflict) as error:
            refusal = error
    context = {
        "card": card,
        "sponsorships": queries.sponsorships(campaign),
        "companies": [(each.id, each.name) for each in people.organisations_of(party)] if party else [],
        "assets": [(code, asset.title) for code, asset in rules.ACTIONS.items()],
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/sponsors.html", context, status=refusal.status if refusal else 200)


@require_http_methods(["GET", "POST"])
def sponsorship(request: HttpRequest, campaign: uuid.UUID, id: uuid.UUID) -> HttpResponse:
    """The statement of a contract; its charity accepts it, and later says that the money has come."""
    found, party, refusal = queries.sponsorship(id), session.visitor(request), None
    if found.campaign != campaign:
        raise NotFound("sponsorship.unknown", Text("There is no such contract.", "没有这个赞助约定。"))
    if request.method == "POST":
        party = session.signed_in(request)
        try:
            if request.POST.get("word") == "received":
                actions.receive(party, id)
            else:
                actions.accept(party, id)
            return see_other("giving:sponsorship", campaign, id)
        except (Invalid, Conflict, NotAllowed) as error:
            refusal = error
    context = {
        "contract": found,
        "card": campaigns.card(campaign),
        "days": queries.given_by_day(found),
        "officer": party is not None and campaigns.acts_for(party.id, campaign),
        "offered": found.accepted_at is None and clock.now() < found.terms.closes_at,
        "refusal": refusal,
    }
    return render(request, "giving/sponsorship.html", context, status=refusal.status if refusal else 200)
