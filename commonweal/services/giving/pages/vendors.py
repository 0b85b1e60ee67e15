"""Vendors and their lists: admitted by stewards, seen by everybody, priced by the vendors."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import CNY
from commonweal.services.giving.actions import vendors as actions
from commonweal.services.giving.pages.forms import amount, one_of
from commonweal.services.giving.queries import companies
from commonweal.services.giving.queries import vendors as queries
from commonweal.services.giving.rules import orders, texts


@require_http_methods(["GET", "POST"])
def vendors(request: HttpRequest) -> HttpResponse:
    """All vendors; a steward admits one."""
    party, refusal, form = session.visitor(request), None, request.POST
    if request.method == "POST":
        party = session.signed_in(request)
        try:
            organisation = companies.by_registration(form.get("registration", ""))
            about = texts.both(form.get("about_en", ""), form.get("about_zh", ""), "about", 1_000, lines=True)
            actions.admit(party, organisation, about, form.get("contact", ""))
            return see_other("giving:vendor", organisation)
        except (Invalid, Conflict) as error:
            refusal = error
    context = {
        "vendors": queries.vendors(),
        "overrun": orders.OVERRUN,
        "steward": party is not None and people.STEWARD in people.roles(party),
        "refusal": refusal,
        "form": form if refusal else None,
    }
    return render(request, "giving/vendors.html", context, status=refusal.status if refusal else 200)


@require_http_methods(["GET", "POST"])
def vendor(request: HttpRequest, vendor: uuid.UUID) -> HttpResponse:
    """What a vendor offers; its officers offer another thing, or one no longer."""
    found, party, refusal, form = queries.vendor(vendor), session.visitor(request), None, request.POST
    if request.method == "POST":
        party = session.signed_in(request)
        try:
            if form.get("word") == "end":
                actions.end(party, one_of(form, "item"))
            else:
                what = texts.both(form.get("what_en", ""), form.get("what_zh", ""), "what", 200)
                unit = texts.both(form.get("unit_en", ""), form.get("unit_zh", ""), "unit", 40)
                actions.offer(party, vendor, what, unit, amount(form, "price", CNY))
            return see_other("giving:vendor", vendor)
        except Invalid as error:
            refusal = error
    context = {
        "vendor": found,
        "items": queries.items(vendor),
        "officer": party is not None and people.OFFICER in people.roles(party, Party(id=vendor)),
        "refusal": refusal,
        "form": form if refusal else None,
    }
    return render(request, "giving/vendor.html", context, status=refusal.status if refusal else 200)
