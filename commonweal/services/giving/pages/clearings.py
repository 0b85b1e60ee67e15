"""Clearings of time banks: what was struck out, and the statement from which strangers recompute it."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from commonweal.services.giving.queries import clearings as queries


@require_safe
def clearings(request: HttpRequest) -> HttpResponse:
    """All clearings, the newest first."""
    return render(request, "giving/clearings.html", {"clearings": queries.clearings()})


@require_safe
def clearing(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """What each bank owed and was owed, what was struck out, and what is left."""
    found = queries.clearing(id)
    told = found.told
    lines = [
        (
            told.banks[position.debtor],
            told.banks[position.creditor],
            position.minutes,
            struck,
            position.minutes - struck,
        )
        for position, struck in zip(told.positions, told.struck, strict=True)
    ]
    nets = [(told.banks[bank], net) for bank, net in sorted(told.nets().items()) if net]
    context = {"clearing": found, "told": told, "lines": lines, "nets": nets, "left": told.owed - found.struck}
    return render(request, "giving/clearing.html", context)


@require_safe
def statement(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The published file."""
    return HttpResponse(queries.clearing(id).statement, content_type="application/json")
