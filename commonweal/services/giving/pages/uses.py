"""How what was bought is used: answered by the charity or whoever has its link, watched over by stewards."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, TooLarge
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import uses as actions
from commonweal.services.giving.pages.charity import officer_of
from commonweal.services.giving.pages.forms import one_of
from commonweal.services.giving.pages.stewards import show
from commonweal.services.giving.queries import payouts
from commonweal.services.giving.queries import uses as queries
from commonweal.services.giving.rules import texts
from commonweal.services.giving.rules import uses as rules


@require_http_methods(["GET", "POST"])
def use(request: HttpRequest, campaign: uuid.UUID, request_id: uuid.UUID, after: int) -> HttpResponse:
    """The charity answers."""
    party, _ = officer_of(request, campaign)
    return _answer(request, party, payouts.payout(campaign, request_id), after)


@never_cache
@require_http_methods(["GET", "POST"])
def by_link(request: HttpRequest, link: str, after: int) -> HttpResponse:
    """Whoever has the things answers."""
    return _answer(request, session.signed_in(request), actions.payout_of(link), after, link)


def _answer(request: HttpRequest, by: Party, found: payouts.Payout, after: int, link: str = "") -> HttpResponse:
    refusal, form = None, request.POST
    if request.method == "POST":
        try:
            given = rules.Answer(
                standing=_standing(form.get("standing", "")),
                said=texts.both(form.get("said_en", ""), form.get("said_zh", ""), "said", 2_000, lines=True),
                pictures=tuple(file.read() for file in request.FILES.getlist("pictures")),
            )
            actions.answer(by, found.campaign, found.id, after, given, link)
            return see_other("giving:payout", found.campaign, found.id)
        except (Invalid, Conflict, TooLarge) as error:
            refusal = error
    context = {
        "payout": found,
        "after": after,
        "standings": rules.TITLES.items(),
        "link": "" if link else actions.link(by, found.campaign, found.id),
        "refusal": refusal,
        "form": form if refusal else None,
    }
    return render(request, "giving/use.html", context, status=refusal.status if refusal else 200)


def _standing(written: str) -> rules.Standing:
    if written not in set(rules.Standing):
        raise Invalid("use.standing", Text("Say how it is used.", "请选择使用情况。"), field="standing")
    return rules.Standing(written)


@require_safe
def uses(request: HttpRequest) -> HttpResponse:
    """For stewards: what is overdue or may stand idle."""
    people.require_role(session.signed_in(request), people.STEWARD)
    context = {"uses": queries.to_look_at(), "idle": queries.stands_idle()}
    return render(request, "giving/uses.html", context)


@require_POST
def mark(request: HttpRequest, campaign: uuid.UUID, request_id: uuid.UUID) -> HttpResponse:
    """A steward marks a thing as idle, or passes it on."""
    steward, form = session.signed_in(request), request.POST
    try:
        note = texts.both(form.get("note_en", ""), form.get("note_zh", ""), "note", 400)
        if form.get("word") == "move":
            actions.move(steward, campaign, request_id, one_of(form, "target"), note)
        else:
            actions.mark_idle(steward, campaign, request_id, note)
    except (Invalid, Conflict) as refusal:
        return show(request, payouts.payout(campaign, request_id), refusal)
    return see_other("giving:payout", campaign, request_id)
