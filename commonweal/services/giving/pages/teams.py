"""Giving together: the teams of a campaign, and founding one."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, Refusal
from commonweal.kernel.parties import people, session
from commonweal.services.giving.actions import teams as actions
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import teams as queries


def named(request: HttpRequest) -> uuid.UUID | None:
    """The team that a form names, None if it names none. Raises `NotFound` (`team.unknown`) for what is no id."""
    written = request.POST.get("team", "")
    try:
        return uuid.UUID(written) if written else None
    except ValueError as error:
        raise queries.unknown() from error


@require_http_methods(["GET", "POST"])
def teams(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """All teams; founding another one."""
    card, refusal = campaigns.card(campaign), None
    if request.method == "POST":
        try:
            actions.found(session.signed_in(request), campaign, request.POST.get("name", ""))
        except (Invalid, Conflict) as error:
            refusal = error
        else:
            return see_other("giving:teams", campaign)
    return _shown(request, card, refusal)


@require_POST
def hide(request: HttpRequest, campaign: uuid.UUID, team: uuid.UUID) -> HttpResponse:
    """A steward hides a team."""
    try:
        actions.hide(session.signed_in(request), campaign, team, request.POST.get("note", ""))
    except Invalid as refusal:
        return _shown(request, campaigns.card(campaign), refusal)
    return see_other("giving:teams", campaign)


def _shown(request: HttpRequest, card: campaigns.Card, refusal: Refusal | None) -> HttpResponse:
    party = session.visitor(request)
    context = {
        "card": card,
        "teams": queries.teams(card.id),
        "steward": party is not None and people.STEWARD in people.roles(party),
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/teams.html", context, status=refusal.status if refusal else 200)
