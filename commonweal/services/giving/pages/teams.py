"""Giving together: the teams of a campaign, the page of each, its poster, and greetings."""

from __future__ import annotations

import uuid
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, Refusal
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import Asset, format_amount
from commonweal.services.giving.actions import team_pages
from commonweal.services.giving.actions import teams as actions
from commonweal.services.giving.pages import forms
from commonweal.services.giving.pages.codes import code_of
from commonweal.services.giving.queries import campaigns, gifts, givers
from commonweal.services.giving.queries import teams as queries
from commonweal.services.giving.rules import receipts
from commonweal.services.giving.rules import teams as rules


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
        founder = session.signed_in(request)
        try:
            page = _page(request.POST, card.asset)
            team = actions.found(founder, campaign, request.POST.get("name", ""), page)
        except (Invalid, Conflict) as error:
            refusal = error
        else:
            return see_other("giving:team", campaign, team)
    context = {
        "card": card,
        "teams": queries.teams(card.id),
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/teams.html", context, status=refusal.status if refusal else 200)


@require_safe
def team(request: HttpRequest, campaign: uuid.UUID, team: uuid.UUID) -> HttpResponse:
    """The page of a team: to share, to give through, to greet."""
    return _shown(request, campaign, team)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, campaign: uuid.UUID, team: uuid.UUID) -> HttpResponse:
    """Who founded a team tells something else of it."""
    party, card, found = session.signed_in(request), campaigns.card(campaign), queries.one(campaign, team)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            team_pages.rewrite(party, campaign, team, _page(request.POST, card.asset))
            return see_other("giving:team", campaign, team)
        except (Invalid, Conflict) as error:
            refusal = error
    page = found.page
    kept = {
        "story": page.story,
        "goal": format_amount(page.goal, card.asset).replace(",", "") if page.goal else "",
        "ends": (page.ends_at.astimezone(_zone()) - timedelta(days=1)).date().isoformat() if page.ends_at else "",
        "organiser": page.organiser,
        "named": "on" if page.named else "",
    }
    if found.founder != party.id:
        return see_other("giving:team", campaign, team)
    context = {"card": card, "team": found, "refusal": refusal, "form": request.POST if refusal else kept}
    return render(request, "giving/team_edit.html", context, status=refusal.status if refusal else 200)


@require_POST
def close(request: HttpRequest, campaign: uuid.UUID, team: uuid.UUID) -> HttpResponse:
    """Who founded a team closes it."""
    team_pages.close(session.signed_in(request), campaign, team)
    return see_other("giving:team", campaign, team)


@require_safe
def poster(request: HttpRequest, campaign: uuid.UUID, team: uuid.UUID) -> HttpResponse:
    """A sheet to print, with the code of the team's page."""
    found = queries.one(campaign, team)
    address = _address(found)
    context = {"card": campaigns.card(campaign), "team": found, "address": address, "code": code_of(address)}
    return render(request, "giving/team_poster.html", context)


@require_http_methods(["GET", "POST"])
def greet(request: HttpRequest, campaign: uuid.UUID, gift: uuid.UUID) -> HttpResponse:
    """Write to the team with which one gave."""
    visitor = session.visitor(request)
    found = gifts.gift_of(visitor.id if visitor else None, campaign, gift)
    team = queries.of_gift(campaign, gift)
    if team is None:
        raise queries.unknown()
    refusal: Refusal | None = None
    if request.method == "POST" and visitor:
        try:
            team_pages.greet(visitor, campaign, gift, request.POST.get("greeting", ""))
            return see_other("giving:team", campaign, team.id)
        except (Invalid, Conflict) as error:
            refusal = error
    context = {"gift": found, "team": team, "refusal": refusal, "form": request.POST if refusal else None}
    return render(request, "giving/greet.html", context, status=refusal.status if refusal else 200)


@require_POST
def hide(request: HttpRequest, campaign: uuid.UUID, team: uuid.UUID) -> HttpResponse:
    """A steward hides a team."""
    try:
        actions.hide(session.signed_in(request), campaign, team, request.POST.get("note", ""))
    except Invalid as refusal:
        return _shown(request, campaign, team, refusal)
    return see_other("giving:teams", campaign)


@require_POST
def hide_greeting(request: HttpRequest, campaign: uuid.UUID, greeting: uuid.UUID) -> HttpResponse:
    """Its writer, the team's founder or a steward hides a greeting."""
    party, note = session.signed_in(request), request.POST.get("note", "")
    try:
        team = team_pages.hide_greeting(party, campaign, greeting, note)
    except Invalid as refusal:
        return _shown(request, campaign, queries.of_greeting(campaign, greeting), refusal)
    return see_other("giving:team", campaign, team)


def _shown(request: HttpRequest, campaign: uuid.UUID, team: uuid.UUID, refusal: Refusal | None = None) -> HttpResponse:
    party, found = session.visitor(request), queries.one(campaign, team)
    founder, steward = party is not None and party.id == found.founder, _is_steward(party)
    context = {
        "card": campaigns.card(campaign),
        "team": found,
        "address": _address(found),
        "impact": receipts.impact(givers.needs(campaign), found.amount or 0),
        "greetings": [
            (each, founder or steward or (party is not None and party.id == each.giver))
            for each in queries.greetings(found)
        ],
        "founder": founder,
        "steward": steward,
        "refusal": refusal,
    }
    return render(request, "giving/team.html", context, status=refusal.status if refusal else 200)


def _is_steward(party: Party | None) -> bool:
    return party is not None and people.STEWARD in people.roles(party)


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.LOCAL_ZONE)


def _address(team: queries.Team) -> str:
    """Without a language: whoever opens it reads their own."""
    return f"{settings.ADDRESS}/giving/{team.campaign}/teams/{team.id}/"


def _page(form: QueryDict, asset: Asset) -> rules.Page:
    """What a form tells of a team. It ends with the day that is named, in the local zone."""
    last = forms.day(form, "ends") if form.get("ends", "").strip() else None
    return rules.Page(
        story=form.get("story", ""),
        goal=forms.optional_amount(form, "goal", asset),
        ends_at=datetime.combine(last + timedelta(days=1), time(), _zone()) if last else None,
        organiser=form.get("organiser", ""),
        named=bool(form.get("named")),
    )
