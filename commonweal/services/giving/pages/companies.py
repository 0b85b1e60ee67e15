"""For companies: their own pages, the report of a year, and the campaigns that they make their own."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonweal.kernel import clock
from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, Refusal
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.services.giving.actions import givers as giver_actions
from commonweal.services.giving.actions import partners as actions
from commonweal.services.giving.pages.forms import one_of
from commonweal.services.giving.pages.givers import read_taxpayer, show_statement, show_taxpayer
from commonweal.services.giving.queries import campaigns, companies, givers, invoices
from commonweal.services.giving.queries import partners as queries
from commonweal.services.giving.queries.grants import unknown_organisation
from commonweal.services.giving.rules import companies as company_rules
from commonweal.services.giving.rules import partners as rules


@never_cache
@require_safe
def company(request: HttpRequest) -> HttpResponse:
    """The companies for which one acts: the link for their people, reports, campaigns, invoices."""
    party = session.signed_in(request)
    found = [
        {
            "company": each,
            "employees": companies.employees(each.id),
            "link": giver_actions.company_link(party, each),
            "years": companies.years(each.id),
            "given_in": givers.years(each.id, settings.LOCAL_ZONE),
            "partners": _with_cards(queries.of_company(each.id)),
            "invoices": invoices.of_company(each.id),
        }
        for each in people.organisations_of(party)
    ]
    return render(request, "giving/company.html", {"companies": found, "least": company_rules.LEAST})


@never_cache
@require_safe
def report(request: HttpRequest, company: uuid.UUID, year: int) -> HttpResponse:
    """What a company's people have given and worked in a year: a sheet to print."""
    if not 2000 <= year <= 2200:
        raise Http404
    context = {
        "company": _acted_for(session.signed_in(request), company),
        "report": companies.report(company, year),
        "years": companies.years(company),
        "partners": _with_cards(queries.of_company(company)),
        "least": company_rules.LEAST,
        "withheld": company_rules.WITHHELD,
        "made_at": clock.now(),
    }
    return render(request, "giving/company_report.html", context)


@never_cache
@require_safe
def statement(request: HttpRequest, company: uuid.UUID, year: int) -> HttpResponse:
    """What a company itself has given in a year of the local calendar: printable."""
    if not 2000 <= year <= 2200:
        raise Http404
    return show_statement(request, _acted_for(session.signed_in(request), company), year)


@require_http_methods(["GET", "POST"])
def taxpayer(request: HttpRequest, company: uuid.UUID) -> HttpResponse:
    """How receipts name a company."""
    party = session.signed_in(request)
    found, refusal = _acted_for(party, company), None
    if request.method == "POST":
        try:
            giver_actions.name_company(party, found, read_taxpayer(request))
            return see_other("giving:company")
        except Invalid as error:
            refusal = error
    return show_taxpayer(request, found, refusal)


def _acted_for(party: Party, company: uuid.UUID) -> Party:
    found = people.organisations_of(party).filter(pk=company).first()
    if found is None:
        raise unknown_organisation()
    return found


def _with_cards(found: list[queries.Partner]) -> list[tuple[queries.Partner, campaigns.Card]]:
    return [(each, campaigns.card(each.campaign)) for each in found]


@require_http_methods(["GET", "POST"])
def partners(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """The companies that have made a campaign their own; whoever acts for one proposes it."""
    refusal = None
    if request.method == "POST":
        party = session.signed_in(request)
        try:
            actions.propose(party, Party(id=one_of(request.POST, "company")), campaign)
            return see_other("giving:partners", campaign)
        except (Invalid, Conflict, NotAllowed) as error:
            refusal = error
    return _show(request, campaign, refusal)


def _show(request: HttpRequest, campaign: uuid.UUID, refusal: Refusal | None = None) -> HttpResponse:
    party, card, found = session.visitor(request), campaigns.card(campaign), queries.of_campaign(campaign)
    mine = [each.id for each in people.organisations_of(party)] if party else []
    officer = card.organisation_id in mine
    beside = {each.company for each in found} | {card.organisation_id}
    context = {
        "card": card,
        "partners": [each for each in found if officer or each.company in mine or each.state is rules.State.ACCEPTED],
        "officer": officer,
        "companies": [(each.id, each.name) for each in people.organisations_of(party) if each.id not in beside]
        if party
        else [],
        "terms": rules.TERMS,
        "source": rules.SOURCE,
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/partners.html", context, status=refusal.status if refusal else 200)


@require_POST
def answer(request: HttpRequest, campaign: uuid.UUID, company: uuid.UUID) -> HttpResponse:
    """The charity accepts or declines."""
    officer = session.signed_in(request)
    try:
        actions.answer(officer, campaign, company, accepts=request.POST.get("word") == "accept")
    except (Conflict, NotAllowed) as refusal:
        return _show(request, campaign, refusal)
    return see_other("giving:partners", campaign)
