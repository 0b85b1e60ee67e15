"""For the people of a charity: their campaigns, telling how it goes, asking for money to be paid out."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, TooLarge
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import parse_amount
from commonweal.services.giving.actions import campaigns as campaign_actions
from commonweal.services.giving.actions import payouts as payout_actions
from commonweal.services.giving.queries import campaigns, deadlines, payouts, threads
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules.plans import Asking, Telling


@require_safe
def console(request: HttpRequest) -> HttpResponse:
    """The campaigns of the organisations for which one acts."""
    party = session.signed_in(request)
    organisations = list(people.organisations_of(party))
    unread = threads.unread([each.id for each in organisations])
    context = {
        "organisations": [(each, unread.get(each.id, 0)) for each in organisations],
        "campaigns": campaigns.of_organisations([each.id for each in organisations]),
        "deadlines": deadlines.of_organisations([each.id for each in organisations]),
    }
    return render(request, "giving/charity.html", context)


@require_http_methods(["GET", "POST"])
def tell(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """Write an update."""
    party, card = officer_of(request, campaign)
    refusal = None
    if request.method == "POST":
        try:
            campaign_actions.tell(party, campaign, _telling(request))
            return see_other("giving:campaign", campaign)
        except (Invalid, Conflict, TooLarge) as error:
            refusal = error
    context = {"card": card, "refusal": refusal, "form": request.POST if refusal else None}
    return render(request, "giving/tell.html", context, status=refusal.status if refusal else 200)


def _telling(request: HttpRequest) -> Telling:
    form = request.POST
    picture = request.FILES.get("picture")
    shows = form.get("shows_en", "") + form.get("shows_zh", "")
    return Telling(
        title=texts.both(form.get("title_en", ""), form.get("title_zh", ""), "title", 200),
        body=texts.both(form.get("body_en", ""), form.get("body_zh", ""), "body", 20_000, lines=True),
        report=bool(form.get("report")),
        picture=picture.read() if picture else None,
        picture_shows=texts.both(form.get("shows_en", ""), form.get("shows_zh", ""), "shows", 200) if shows else None,
    )


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """Ask for a payout."""
    party, card = officer_of(request, campaign)
    refusal = None
    if request.method == "POST":
        try:
            asking = Asking(
                amount=parse_amount(request.POST.get("amount", "").strip(), card.asset),
                what=texts.both(request.POST.get("what_en", ""), request.POST.get("what_zh", ""), "what", 400),
                evidence=tuple(file.read() for file in request.FILES.getlist("evidence")),
            )
            request_id = payout_actions.ask(party, campaign, asking, form_key(request))
            return see_other("giving:payout", campaign, request_id)
        except (Invalid, Conflict, TooLarge) as error:
            refusal = error
    context = {
        "card": card,
        "free": campaigns.page(campaign).available - payouts.promised(campaign),
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/ask.html", context, status=refusal.status if refusal else 200)


def officer_of(request: HttpRequest, campaign: uuid.UUID) -> tuple[Party, campaigns.Card]:
    """Who is here, if they act for the charity of the campaign. Raises `NotFound` for everybody else."""
    party, card = session.signed_in(request), campaigns.card(campaign)
    try:
        people.require_role(party, people.OFFICER, Party(id=card.organisation_id))
    except NotAllowed as error:
        raise campaigns.unknown() from error  # whoever does not act for it need not know of its console
    return party, card
