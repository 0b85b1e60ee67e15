"""For everybody: published grants and the organisations behind all of this."""

from __future__ import annotations

import uuid

from django.core.paginator import Paginator
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from commonweal.kernel import proof
from commonweal.services.giving.pages.campaigns import LONGEST_SEARCH
from commonweal.services.giving.queries import campaigns, clocks, years
from commonweal.services.giving.queries import grants as queries
from commonweal.services.giving.rules import spending

PER_PAGE = 25


@require_safe
def grants(request: HttpRequest) -> HttpResponse:
    """All grants, with their totals."""
    words = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    search = queries.Grants(words=words)
    page = Paginator(search, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "giving/grants.html", {"page": page, "words": words, "totals": search.totals()})


@require_safe
def grant(request: HttpRequest, programme: uuid.UUID, grant: uuid.UUID) -> HttpResponse:
    """One grant: who gave, who got, and its leaf in the log."""
    found = queries.grant(programme, grant)
    with connection.cursor() as cursor:
        placed = proof.placed(cursor, found.fact)
    return render(request, "giving/grant.html", {"grant": found, "placed": placed})


@require_safe
def organisation(request: HttpRequest, organisation: uuid.UUID) -> HttpResponse:
    """What an organisation raises, gives and gets."""
    found = queries.organisation(organisation)
    given, got = queries.Grants(funder=organisation), queries.Grants(recipient=organisation)
    context = {
        "organisation": found,
        "campaigns": campaigns.of_organisations([organisation]),
        "ratios": clocks.ratios(organisation),
        "years": years.of(organisation),
        "source": spending.SOURCE,
        "given": given[:PER_PAGE],
        "given_totals": given.totals(),
        "got": got[:PER_PAGE],
        "got_totals": got.totals(),
    }
    return render(request, "giving/organisation.html", context)
