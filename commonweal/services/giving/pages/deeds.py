"""One page with everything that a campaign needs and has, in every asset; and the forms to give it."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal
from commonweal.kernel.parties import people, session
from commonweal.kernel.quantity import parse_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import deeds as actions
from commonweal.services.giving.pages.charity import officer_of
from commonweal.services.giving.pages.forms import moment
from commonweal.services.giving.queries import campaigns, exchanges, orders
from commonweal.services.giving.queries import deeds as queries
from commonweal.services.giving.rules import deeds as rules
from commonweal.services.giving.rules import texts


@require_safe
def needs(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """What is needed and there."""
    return _show(request, campaign)


def _show(request: HttpRequest, campaign: uuid.UUID, refusal: Refusal | None = None) -> HttpResponse:
    party = session.visitor(request)
    officer = party is not None and campaigns.acts_for(party.id, campaign)
    page = campaigns.page(campaign)
    context = {
        "page": page,
        "card": page.card,
        "got": queries.got(campaign),
        "goods": orders.goods(campaign),
        "shifts": queries.shifts(campaign, party.id if party else None),
        "sponsorships": queries.sponsorships(campaign),
        "to_confirm": queries.to_confirm(campaign) if officer else [],
        "officer": officer,
        "actions": [(code, asset.title) for code, asset in rules.ACTIONS.items()],
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/needs.html", context, status=refusal.status if refusal else 200)


@require_POST
def act(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """Give steps, flowers or books."""
    party = session.signed_in(request)
    try:
        asset = rules.action(request.POST.get("asset", ""))
        amount = parse_amount(request.POST.get("amount", "").strip(), asset)
        actions.act(party, campaign, asset.code, amount, form_key(request))
    except (Invalid, Conflict) as refusal:
        return _show(request, campaign, refusal)
    return see_other("giving:needs", campaign)


@require_POST
def call(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """A charity calls for help."""
    party, _ = officer_of(request, campaign)
    form = request.POST
    try:
        shift = rules.Shift(moment(form, "starts_at"), moment(form, "ends_at"), _number(form, "seats"))
        what = texts.both(form.get("what_en", ""), form.get("what_zh", ""), "what", 200)
        actions.call(party, campaign, what, shift)
    except (Invalid, Conflict) as refusal:
        return _show(request, campaign, refusal)
    return see_other("giving:needs", campaign)


@require_POST
def shift(request: HttpRequest, campaign: uuid.UUID, shift: uuid.UUID) -> HttpResponse:
    """Sign up, check in, dispute; or, for the charity, confirm."""
    party, form = session.signed_in(request), request.POST
    try:
        match form.get("word", ""):
            case "check-in":
                actions.check_in(party, shift)
            case "dispute":
                actions.dispute(party, shift, _number(form, "minutes"))
            case "confirm":
                actions.confirm(party, shift, _person(form), _number(form, "minutes"))
            case _:
                actions.sign_up(party, shift)
    except (Invalid, Conflict, NotAllowed) as refusal:
        return _show(request, campaign, refusal)
    return see_other("giving:needs", campaign)


@require_http_methods(["GET", "POST"])
def disputes(request: HttpRequest) -> HttpResponse:
    """For stewards: hours on which two sides differ."""
    steward = session.signed_in(request)
    refusal: Refusal | None = None
    people.require_role(steward, people.STEWARD)
    if request.method == "POST":
        try:
            shift = uuid.UUID(request.POST.get("shift", ""))
        except ValueError as error:
            raise NotFound("shift.unknown", Text("There is no such shift.", "没有这个班次。")) from error
        try:
            actions.decide(steward, shift, _person(request.POST), _number(request.POST, "minutes"))
            return see_other("giving:disputes")
        except (Invalid, Conflict, NotAllowed) as error:
            refusal = error
    context = {"disputes": queries.disputes(), "exchanges": exchanges.disputes(), "refusal": refusal}
    return render(request, "giving/disputes.html", context, status=refusal.status if refusal else 200)


def _number(form: QueryDict, field: str) -> int:
    return parse_amount(form.get(field, "").strip(), rules.MINUTES, field=field, minimum=0)


def _person(form: QueryDict) -> uuid.UUID:
    try:
        return uuid.UUID(form.get("person", ""))
    except ValueError as error:
        raise Conflict("hours.not-there", Text("They have not checked in.", "该志愿者没有签到。")) from error
