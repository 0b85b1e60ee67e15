"""A giver's account: the statement of a year, printable receipts, following, counting for a company."""

from __future__ import annotations

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonweal.kernel import clock
from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Invalid
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import CNY
from commonweal.services.giving.actions import givers as actions
from commonweal.services.giving.queries import campaigns, gifts
from commonweal.services.giving.queries import givers as queries
from commonweal.services.giving.rules import companies as company_rules
from commonweal.services.giving.rules import receipts
from commonweal.services.giving.rules.gifts import State


@never_cache
@require_safe
def statement(request: HttpRequest, year: int) -> HttpResponse:
    """What one has given in a year of the local calendar: printable."""
    if not 2000 <= year <= 2200:
        raise Http404
    return show_statement(request, session.signed_in(request), year)


def show_statement(request: HttpRequest, party: Party, year: int) -> HttpResponse:
    """The statement of somebody, or of an organisation."""
    zone = ZoneInfo(settings.LOCAL_ZONE)
    context = {
        "company": party if party.kind == Party.Kind.ORGANISATION else None,
        "year": year,
        "statement": queries.statement(
            party.id, datetime(year, 1, 1, tzinfo=zone), datetime(year + 1, 1, 1, tzinfo=zone)
        ),
        "years": queries.years(party.id, settings.LOCAL_ZONE),
        "taxpayer": queries.taxpayer(party.id),
        "made_at": clock.now(),
    }
    return render(request, "giving/statement.html", context)


@never_cache
@require_safe
def printed(request: HttpRequest, campaign: uuid.UUID, gift: uuid.UUID) -> HttpResponse:
    """The receipt of a gift that has arrived, as a sheet to print."""
    party = session.visitor(request)
    found = gifts.seen_by(party.id if party else None, campaign, gift)
    if found.state is not State.PAID:
        raise gifts.unknown()
    context = {
        "gift": found,
        "page": campaigns.page(campaign),
        "capitals": receipts.capitals(found.kept) if found.asset == CNY else "",
        "taxpayer": queries.taxpayer(found.giver) if found.giver else None,
        "impact": receipts.impact(queries.needs(campaign), found.kept),
    }
    return render(request, "giving/printed.html", context)


@require_http_methods(["GET", "POST"])
def taxpayer(request: HttpRequest) -> HttpResponse:
    """How receipts name one."""
    party = session.signed_in(request)
    refusal = None
    if request.method == "POST":
        try:
            actions.name_on_receipts(party, read_taxpayer(request))
            return see_other("giving:mine")
        except Invalid as error:
            refusal = error
    return show_taxpayer(request, party, refusal)


def read_taxpayer(request: HttpRequest) -> receipts.Taxpayer:
    """What the form says. Raises what `rules.receipts.taxpayer` raises."""
    return receipts.taxpayer(request.POST.get("name", ""), request.POST.get("number", ""))


def show_taxpayer(request: HttpRequest, party: Party, refusal: Invalid | None) -> HttpResponse:
    """The form, for somebody or for an organisation."""
    known = queries.taxpayer(party.id)
    kept = {"name": known.name, "number": known.number} if known else None
    company = party if party.kind == Party.Kind.ORGANISATION else None
    context = {"company": company, "refusal": refusal, "form": request.POST if refusal else kept}
    return render(request, "giving/taxpayer.html", context, status=refusal.status if refusal else 200)


@require_POST
def follow(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """Follow, with or without a reminder, or no longer."""
    party, wanted = session.signed_in(request), request.POST.get("follow", "")
    if wanted == "no":
        actions.unfollow(party, campaign)
    else:
        actions.follow(party, campaign, reminds=wanted == "remind")
    return see_other("giving:campaign", campaign)


@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, link: str) -> HttpResponse:
    """An employee reads what a company will know, and joins."""
    party, company = session.signed_in(request), actions.company_of(link)
    if request.method == "POST":
        if request.POST.get("word") == "leave":
            actions.leave(party, company)
        else:
            actions.join(party, link)
        return see_other("giving:mine")
    joined = company_rules.EMPLOYEE in people.roles(party, company)
    context = {"company": company, "least": company_rules.LEAST, "joined": joined}
    return render(request, "giving/join.html", context)
