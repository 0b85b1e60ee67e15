"""For everybody: finding a campaign and reading it."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from commonweal.kernel.doors import KEY_FIELD
from commonweal.kernel.errors import Refusal
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import parse_amount
from commonweal.services.giving import SERVICE
from commonweal.services.giving.matching import Estimate
from commonweal.services.giving.payment import Recurring, providers
from commonweal.services.giving.queries import (
    appeals,
    control,
    deeds,
    estimates,
    fees,
    givers,
    orders,
    partners,
    payouts,
    returns,
    teams,
    totals,
    uses,
)
from commonweal.services.giving.queries import campaigns as queries
from commonweal.services.giving.rules import law, topics

PER_PAGE = 12
LONGEST_SEARCH = 100
OFFERED = ("5", "20", "50")
"""The amounts that the form offers, in yuan."""


@require_safe
def campaigns(request: HttpRequest) -> HttpResponse:
    """The list, with its search and filters."""
    words = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    topic = request.GET.get("topic", "")
    search = queries.Search(
        words=words,
        topic=topic if topic in topics.TITLES else "",
        only_open=request.GET.get("state", "open") != "all",
    )
    page = Paginator(search, PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "search": search, "topics": topics.TITLES.items(), "most": queries.MOST}
    context["announcements"] = control.announcements()
    return render(request, "giving/campaigns.html", context)


@require_safe
def campaign(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """One campaign."""
    return show(request, campaign)


def show(
    request: HttpRequest, campaign: uuid.UUID, refusal: Refusal | None = None, *, anew: bool = False
) -> HttpResponse:
    """The page of a campaign; with a refusal, its form as it was sent, `anew` under another key."""
    page, party = queries.page(campaign), session.visitor(request)
    team = teams.find(campaign, request.POST.get("team", "") or request.GET.get("team", ""))
    context: dict[str, Any] = {
        "page": page,
        "card": page.card,
        "guesses": _guesses(page.card, party, team) if page.card.is_open else [],
        "payouts": payouts.payouts_of(campaign),
        "got": deeds.got(campaign),
        "goods": orders.goods(campaign),
        "offered": [(amount, amount) for amount in OFFERED],
        "channels": [(name, each.title) for name, each in providers().items()],
        "recurring": any(isinstance(each, Recurring) for each in providers().values()),
        "rules": law.RULES,
        "follows": party is not None and any(each.campaign == campaign for each in givers.follows(party.id)),
        "appeals": appeals.adopted_by(campaign),
        "overdue": {each.request for each in uses.of_campaign(campaign) if each.overdue},
        "partners": partners.accepted(campaign),
        "passed_on": uses.passed_on_to(campaign),
        "steward": party is not None and people.STEWARD in people.roles(party),
        "announcements": control.announcements(),
        "team": team,
        "refusal": refusal,
        "form": {name: value for name, value in request.POST.items() if not (anew and name == KEY_FIELD)}
        if refusal
        else None,
    }
    return render(request, "giving/campaign.html", context, status=refusal.status if refusal else 200)


def _guesses(
    card: queries.Card, party: Party | None, team: teams.Team | None
) -> list[tuple[estimates.Guess, list[tuple[int, Estimate]]]]:
    """What the offered amounts would be matched with, pool by pool."""
    amounts = [parse_amount(offered, card.asset) for offered in OFFERED]
    people = (team.people or 0) + 1 if team and team.is_open else None
    return [
        (guess, list(zip(amounts, guess.estimates, strict=True)))
        for guess in estimates.of_gift(card.id, amounts, party.id if party else None, people)
    ]


@require_safe
def money(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """Where the money of a campaign is, account by account, and what was kept of it."""
    context = {
        "page": queries.page(campaign),
        "accounts": [(SERVICE.account_kinds[each.kind], each) for each in fees.accounts(campaign)],
        "fees": fees.totals(campaign),
        "returns": returns.of_campaign(campaign),
    }
    return render(request, "giving/money.html", context)


@require_safe
def books(request: HttpRequest) -> HttpResponse:
    """The totals of everything, and how a stranger adds them up again."""
    context = {
        "gifts": totals.gifts(),
        "grants": totals.grants(),
        "rules": law.RULES,
        "counters": control.counters(),
        "announcements": control.announcements(),
    }
    return render(request, "giving/books.html", context)
