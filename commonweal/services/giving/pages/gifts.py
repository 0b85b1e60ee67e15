"""For givers: giving, paying, the receipt, and what became of it."""

from __future__ import annotations

import re
import secrets
import uuid
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.paginator import Paginator
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from commonweal.kernel import clock, proof
from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid, NotFound, Refusal
from commonweal.kernel.parties import people, session
from commonweal.kernel.quantity import parse_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import gifts as actions
from commonweal.services.giving.actions.openings import opening
from commonweal.services.giving.pages import teams
from commonweal.services.giving.pages.campaigns import show
from commonweal.services.giving.pages.codes import code_of
from commonweal.services.giving.payment import Order, provider, providers
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import (
    campaigns,
    cards,
    cases,
    fees,
    gifts,
    givers,
    orders,
    pools,
    recurring,
    returns,
    threads,
    uses,
)
from commonweal.services.giving.queries import teams as team_queries
from commonweal.services.giving.rules import receipts
from commonweal.services.giving.rules.cases import KEEP_MARKS
from commonweal.services.giving.rules.gifts import Give, State
from commonweal.services.giving.rules.matches import CHANNEL

PER_PAGE = 20

DEVICE = "device"
"""The cookie with a browser's random name: set when somebody gives, so that one person behind many accounts is seen
before a match is paid. The platform keeps a keyed hash of it, for 90 days."""


@require_http_methods(["GET", "POST"])
def give(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """Take a gift and lead to its payment."""
    card = campaigns.card(campaign)
    if request.method == "GET":
        return see_other("giving:campaign", campaign)
    try:
        written = request.POST.get("amount", "").strip() or request.POST.get("choice", "")
        wish = Give(
            campaign=campaign,
            giver=None,
            amount=parse_amount(written, card.asset, maximum=card.cap),
            asset=card.asset.code,
            channel=request.POST.get("channel", "") or next(iter(providers()), ""),
            key=form_key(request),
            tip=_tip(request, card),
            team=teams.named(request),
            device=device_of(request),
        )
        provider(wish.channel)
        taken = actions.give(wish.by(session.giver(request).id))
    except (Invalid, Conflict, NotFound) as refusal:
        return show(request, campaign, refusal)
    order = Order(campaign, taken.id, wish.whole, wish.asset, card.title)
    try:
        address = provider(wish.channel).create(order)
    except Conflict as refusal:  # this promise stays unpaid and ends by itself
        return show(request, campaign, refusal, anew=True)
    if is_scanned(address):
        answer = see_other("giving:gift", campaign, taken.id)  # the code stands there until it is paid
    else:
        answer = HttpResponseRedirect(address, status=303)
    answer.set_cookie(
        DEVICE, wish.device, max_age=KEEP_MARKS, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )
    return answer


def device_of(request: HttpRequest) -> str:
    """The random name of this browser, a new one if it has none."""
    name = request.COOKIES.get(DEVICE, "")
    return name if re.fullmatch("[0-9a-f]{32}", name) else secrets.token_hex(16)


def is_scanned(address: str) -> bool:
    """Whether a payment is opened by a telephone's camera: WeChat Pay's addresses are no web pages."""
    return address.startswith("weixin://")


def _tip(request: HttpRequest, card: campaigns.Card) -> int:
    written = request.POST.get("tip", "").strip()
    return parse_amount(written, card.asset, field="tip", minimum=0) if written else 0


def _simulator() -> Simulator:
    found = providers().get("simulator")
    if not isinstance(found, Simulator):
        raise NotFound("order.unknown", Text("There is no such order.", "没有这个订单。"))
    return found


@require_http_methods(["GET", "POST"])
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """The simulator's own page: what a payment provider would show."""
    simulator = _simulator()
    order = simulator.order(token)
    if request.method == "POST":
        body, headers = simulator.report(order, clock.now())
        actions.confirm(simulator.name, body, headers)
        page = "giving:card" if cards.find(order.book, order.gift) else "giving:gift"
        return see_other(page, order.book, order.gift)
    promised = cards.find(order.book, order.gift) or gifts.gift(order.book, order.gift)
    context = {"order": order, "title": promised.title, "asset": promised.asset, "token": token}
    return render(request, "giving/pay.html", context)


@never_cache
@require_safe
def gift(request: HttpRequest, campaign: uuid.UUID, gift: uuid.UUID) -> HttpResponse:
    """The receipt: waiting, then proved; and what the gift paid for."""
    return show_gift(request, campaign, gift)


def show_gift(
    request: HttpRequest, campaign: uuid.UUID, gift: uuid.UUID, refusal: Invalid | Conflict | None = None
) -> HttpResponse:
    """The receipt; with a refusal, its form of objection as it was sent."""
    found = _seen(request, campaign, gift)
    placed = None
    if found.fact:
        with connection.cursor() as cursor:
            placed = proof.placed(cursor, found.fact)
    parts = gifts.trace(campaign, gift)
    used = [(part, uses.of_payout(campaign, part.request), uses.idle(campaign, part.request)) for part in parts]
    bought = [(part, orders.shares(campaign, part.request, gift)) for part in parts]
    checkout = _checkout(found) if found.state is State.WAITING else ""
    visitor = session.visitor(request)
    company = people.named(found.giver) if visitor and found.giver and found.giver != visitor.id else None
    context = {
        "gift": found,
        "company": company,
        "year": found.paid_at.astimezone(ZoneInfo(settings.LOCAL_ZONE)).year if found.paid_at else None,
        "code": code_of(checkout) if is_scanned(checkout) else "",
        "proved": placed is not None and placed.index is not None,
        "index": placed.index if placed else None,
        "parts": parts,
        "used": [(part, asked, idle) for part, asked, idle in used if asked or idle],
        "bought": [(part, shares) for part, shares in bought if shares],
        "fees": fees.of_gift(campaign, gift),
        "back": returns.of_gift(campaign, gift),
        "renewal": recurring.renewed_by(campaign, gift),
        "impact": receipts.impact(givers.needs(campaign), found.kept),
        "checkout": checkout,
        "sent_back": not found.paid_at and found.state in (State.GOING_BACK, State.RETURNED),
        "team": team_queries.of_gift(campaign, gift),
        "greeted": team_queries.has_greeted(campaign, gift),
        "checks": [] if company else cases.of_gift(campaign, gift),
        "lots": pools.drawing(campaign, found.at) if found.fact and found.channel != CHANNEL else [],
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/gift.html", context, status=refusal.status if refusal else 200)


@require_safe
def receipt(request: HttpRequest, campaign: uuid.UUID, gift: uuid.UUID) -> HttpResponse:
    """The file with which a stranger checks the gift, offline."""
    found = _seen(request, campaign, gift)
    key = proof.load_verifier(settings.HOME)
    made = None
    if found.fact and found.giver and key:
        with connection.cursor() as cursor:
            made = proof.receipt_of(cursor, found.fact, key, opening(found.giver, found.fact))
    if made is None:
        raise NotFound(
            "receipt.waiting",
            Text(
                "The proof is being made; it is there within a second or two of the payment. Load this again.",
                "凭据正在生成，付款后一两秒内即可下载，请稍后再试。",
            ),
        )
    name = f"commonweal-{found.fact}.tlog-proof"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(str(made), content_type="text/plain; charset=utf-8", headers=headers)


@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """What one has given, and what became of it."""
    party = session.visitor(request)
    page = Paginator(gifts.Gifts(party.id) if party else [], PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page)
    traces = gifts.traces_of(shown)
    written = threads.of_giver(party.id) if party else []
    context = {
        "page": page,
        "gifts": [(each, traces.get(each.id, [])) for each in shown],
        "signed_in": party is not None,
        "years": givers.years(party.id, settings.LOCAL_ZONE) if party else [],
        "recurring": recurring.of(party.id) if party else [],
        "cards": cards.bought(party.id) if party else [],
        "follows": givers.follows(party.id) if party else [],
        "threads": written,
        "answers": sum(each.new_to_giver for each in written),
        "teams": team_queries.founded(party.id) if party else [],
    }
    return render(request, "giving/mine.html", context)


def _seen(request: HttpRequest, campaign: uuid.UUID, gift: uuid.UUID) -> gifts.Gift:
    party = session.visitor(request)
    return gifts.seen_by(party.id if party else None, campaign, gift)


def _checkout(found: gifts.Gift) -> str:
    channel = providers().get(found.channel)
    order = Order(found.campaign, found.id, found.whole, found.asset.code, found.title)
    try:
        return channel.create(order) if channel else ""
    except Refusal:  # the page is there without it
        return ""
