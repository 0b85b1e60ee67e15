"""Recurring gifts for their givers: beginning one, and pausing, changing or ending it in one click."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commonweal.kernel import clock
from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid, NotFound
from commonweal.kernel.parties import session
from commonweal.kernel.quantity import parse_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import agreements, gifts
from commonweal.services.giving.actions import recurring as actions
from commonweal.services.giving.pages import teams
from commonweal.services.giving.pages.campaigns import show
from commonweal.services.giving.payment import providers
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import recurring as queries
from commonweal.services.giving.rules.recurring import EVERY, Charge, Every, Word


@require_http_methods(["GET", "POST"])
def begin(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """Write the wish down and lead to the provider's agreement. Only who can sign in can end it, so they sign in."""
    card = campaigns.card(campaign)
    if request.method == "GET":
        return see_other("giving:campaign", campaign)
    party = session.signed_in(request)
    form = request.POST
    try:
        wish = actions.Wish(
            campaign=campaign,
            amount=parse_amount(form.get("amount", "").strip() or form.get("choice", ""), card.asset, maximum=card.cap),
            asset=card.asset.code,
            every=Every.WEEK if form.get("every") == "week" else Every.MONTH,
            channel=form.get("channel", "") or next(iter(providers()), ""),
            foretold=bool(form.get("foretold")),
            team=teams.named(request),
        )
        id = actions.begin(party, wish, form_key(request))
    except (Invalid, Conflict, NotFound) as refusal:
        return show(request, campaign, refusal)
    return HttpResponseRedirect(agreements.where_to_agree(queries.recurring_of(party.id, campaign, id)), status=303)


@never_cache
@require_http_methods(["GET", "POST"])
def recurring(request: HttpRequest, campaign: uuid.UUID, id: uuid.UUID) -> HttpResponse:
    """One recurring gift of one's own."""
    party = session.signed_in(request)
    refusal = None
    if request.method == "POST":
        try:
            found = queries.recurring_of(party.id, campaign, id)
            word = _word(request.POST.get("word", ""))
            amount = None
            if word is Word.CHANGED:
                amount = parse_amount(request.POST.get("amount", "").strip(), found.asset)
            agreements.say(party, campaign, id, word, amount)
            return see_other("giving:recurring", campaign, id)
        except (Invalid, Conflict) as error:
            refusal = error
    found = queries.recurring_of(party.id, campaign, id)
    context = {
        "found": found,
        "renewals": queries.renewals(campaign, id),
        "agree": agreements.where_to_agree(found) if found.needs_agreement else "",
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/recurring.html", context, status=refusal.status if refusal else 200)


def _word(said: str) -> Word:
    words = {"pause": Word.PAUSED, "resume": Word.RESUMED, "change": Word.CHANGED, "end": Word.ENDED}
    if said not in words:
        raise Invalid("recurring.word", Text("Pause, resume, change or end it.", "请选择暂停、恢复、修改或结束。"))
    return words[said]


@require_http_methods(["GET", "POST"])
def agree(request: HttpRequest, token: str) -> HttpResponse:
    """The simulator's own page: where a payer agrees, says how the charges will end, or takes it back."""
    simulator = providers().get("simulator")
    if not isinstance(simulator, Simulator):
        raise NotFound("order.unknown", Text("There is no such order.", "没有这个订单。"))
    agreeing = simulator.agreeing(token)
    if request.method == "POST":
        said = request.POST.get("charges", "")
        charges = Charge(said) if said in set(Charge) else Charge.PAID
        gifts.confirm(simulator.name, *simulator.report_agreement(agreeing, clock.now(), charges))
        return see_other("giving:recurring", agreeing.book, agreeing.recurring)
    context = {
        "agreeing": agreeing,
        "every": EVERY[agreeing.every],
        "asset": campaigns.asset_of(agreeing.asset),
        "agreed": simulator.agreed(agreeing.recurring),
        "endings": [
            (Charge.PAID.value, Text("They are paid", "扣款成功")),
            (Charge.INSUFFICIENT.value, Text("The money does not suffice", "余额不足")),
            (Charge.GONE.value, Text("The card is gone", "银行卡失效")),
        ],
    }
    return render(request, "giving/agree.html", context)
