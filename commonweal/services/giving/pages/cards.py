"""Gift cards: buying one, its code, and giving what it holds."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commonweal.kernel import clock
from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid, NotFound, Refusal, TooMany
from commonweal.kernel.parties import people, session
from commonweal.kernel.quantity import CNY, parse_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import card_returns, card_uses
from commonweal.services.giving.actions import cards as actions
from commonweal.services.giving.payment import Order, provider, providers
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import card_returns as return_queries
from commonweal.services.giving.queries import cards as queries
from commonweal.services.giving.queries.campaigns import acts_for
from commonweal.services.giving.rules import cards as rules


@require_http_methods(["GET", "POST"])
def buy(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """Buy a card, or read why this campaign has none."""
    party, card = session.signed_in(request), campaigns.card(campaign)
    refusal: Refusal | None = None
    try:
        rules.check_custody(card.custody)
        if request.method == "POST":
            amount = parse_amount(request.POST.get("amount", "").strip(), card.asset, maximum=card.cap)
            channel = request.POST.get("channel", "") or next(iter(providers()), "")
            bought = actions.buy(party, campaign, amount, channel, form_key(request))
            return HttpResponseRedirect(_checkout(bought), status=303)
    except (Invalid, Conflict) as error:
        refusal = error
    context = {
        "card": card,
        "channels": [(name, each.title) for name, each in providers().items()],
        "possible": refusal is None or refusal.code != "card.mirror",
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/card_buy.html", context, status=refusal.status if request.POST and refusal else 200)


def _checkout(card: queries.Card) -> str:
    return provider(card.channel).create(Order(card.campaign, card.id, card.amount, card.asset.code, card.title))


@never_cache
@require_http_methods(["GET", "POST"])
def bought(request: HttpRequest, campaign: uuid.UUID, id: uuid.UUID) -> HttpResponse:
    """A card that one has bought: its code, shown once, and where it went."""
    party = session.signed_in(request)
    code, refusal = "", None
    if request.method == "POST":
        try:
            code = actions.show_code(party, campaign, id)
        except Conflict as error:
            refusal = error
    card = queries.of_buyer(party.id, campaign, id)
    context = {
        "card": card,
        "code": code,
        "uses": queries.uses(card),
        "card_returns": return_queries.of_card(campaign, id),
        "checkout": "" if card.paid else _checkout(card),
        "refusal": refusal,
    }
    return render(request, "giving/card_bought.html", context, status=refusal.status if refusal else 200)


@require_http_methods(["GET", "POST"])
def refund(request: HttpRequest, campaign: uuid.UUID, id: uuid.UUID) -> HttpResponse:
    """For stewards and the charity: refund what a card still holds, or part of it."""
    party, card = session.signed_in(request), queries.find(campaign, id)
    if card is None or not (people.STEWARD in people.roles(party) or acts_for(party.id, campaign)):
        raise rules.unknown()
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            amount = parse_amount(request.POST.get("amount", "").strip(), card.asset)
            card_returns.refund(party, campaign, id, amount, request.POST.get("reason", ""), form_key(request))
            return see_other("giving:card_refund", campaign, id)
        except (Invalid, Conflict) as error:
            refusal = error
    context = {
        "card": card,
        "card_returns": return_queries.of_card(campaign, id),
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/card_refund.html", context, status=refusal.status if refusal else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def redeem(request: HttpRequest) -> HttpResponse:
    """Give what a card holds, or part of it, to a campaign."""
    party = session.signed_in(request)
    refusal: Refusal | None = None
    if request.method == "POST":
        form = request.POST
        try:
            written = form.get("amount", "").strip()
            amount = parse_amount(written, CNY) if written else None
            target = _campaign(form.get("target", ""))
            gift = card_uses.redeem(party, form.get("code", ""), target, amount, form_key(request))
            return see_other("giving:gift", target, gift)
        except (Invalid, Conflict, NotFound, TooMany) as error:
            refusal = error
    context = {
        "campaigns": queries.open_to(CNY.code, clock.now()),
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/card_redeem.html", context, status=refusal.status if refusal else 200)


def _campaign(written: str) -> uuid.UUID:
    try:
        return uuid.UUID(written)
    except ValueError as error:
        raise Invalid("card.target", Text("Choose a campaign.", "请选择项目。"), field="target") from error
