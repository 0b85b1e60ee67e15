"""Messages between givers and charities: the giver's, the charity's inbox, and the stewards' who are called."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonweal.kernel.doors import form_key, see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal, TooMany, Unauthenticated
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import threads as actions
from commonweal.services.giving.pages.founding import acted_for
from commonweal.services.giving.queries import campaigns, gifts
from commonweal.services.giving.queries import threads as queries
from commonweal.services.giving.rules import threads as rules
from commonweal.services.giving.rules.threads import Side


def _reader(request: HttpRequest) -> Party:
    """Who is here: a guest who has given may write, too."""
    party = session.visitor(request)
    if party is None:
        raise Unauthenticated("sign-in.needed", Text("Sign in to go on.", "请先登录再继续。"))
    return party


@never_cache
@require_safe
def messages(request: HttpRequest) -> HttpResponse:
    """What one has written to charities, and their answers."""
    return render(request, "giving/messages.html", {"threads": queries.of_giver(_reader(request).id)})


@never_cache
@require_http_methods(["GET", "POST"])
def write(request: HttpRequest, campaign: uuid.UUID) -> HttpResponse:
    """Begin a thread, about a campaign or (`?gift=`) a gift of one's own."""
    party, card, refusal = _reader(request), campaigns.card(campaign), None
    gift = _gift(request, party, campaign)
    if request.method == "POST":
        try:
            opening = actions.Opening(
                request.POST.get("text", ""), request.POST.get("name", ""), gift.id if gift else None
            )
            return see_other("giving:thread", campaign, actions.begin(party, campaign, opening, form_key(request)))
        except (Invalid, Conflict, NotAllowed, TooMany) as error:
            refusal = error
    context = {
        "card": card,
        "gift": gift,
        "has_given": gifts.has_given(party.id, campaign),
        "longest": rules.LONGEST,
        "longest_name": rules.LONGEST_NAME,
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/write.html", context, status=refusal.status if refusal else 200)


def _gift(request: HttpRequest, party: Party, campaign: uuid.UUID) -> gifts.Gift | None:
    written = request.POST.get("gift", "") or request.GET.get("gift", "")
    if not written:
        return None
    try:
        return gifts.gift_of(party.id, campaign, uuid.UUID(written))
    except ValueError as error:
        raise gifts.unknown() from error


@never_cache
@require_http_methods(["GET", "POST"])
def thread(request: HttpRequest, campaign: uuid.UUID, thread: uuid.UUID) -> HttpResponse:
    """One thread, for its giver, the charity, and a steward who was called (whose look is logged)."""
    party = _reader(request)
    if request.method == "POST":
        try:
            actions.write(party, campaign, thread, request.POST.get("text", ""), form_key(request))
            return see_other("giving:thread", campaign, thread)
        except (Invalid, Conflict, TooMany) as error:
            return _show(request, party, campaign, thread, error)
    return _show(request, party, campaign, thread)


def _show(
    request: HttpRequest, party: Party, campaign: uuid.UUID, id: uuid.UUID, refusal: Refusal | None = None
) -> HttpResponse:
    side: Side | None
    try:
        found, side = actions.of_reader(party, campaign, id)
    except NotFound:
        if people.STEWARD not in people.roles(party):
            raise
        found, side = actions.look(party, campaign, id), None
    said = queries.messages(found)
    if side is not None and side in found.unread:
        actions.see(found, side, said[-1].nth)
    context = {
        "thread": found,
        "side": side,
        "said": said,
        "calls": queries.calls(found),
        "may_write": side is not None and not found.rule.closed,
        "may_call": side is not None and not found.rule.closed and not found.rule.called,
        "may_judge": side is None and found.rule.called,
        "longest": rules.LONGEST,
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/thread.html", context, status=refusal.status if refusal else 200)


@require_POST
def call(request: HttpRequest, campaign: uuid.UUID, thread: uuid.UUID) -> HttpResponse:
    """Call a steward."""
    party = _reader(request)
    try:
        actions.call(party, campaign, thread, request.POST.get("reason", ""))
    except (Invalid, Conflict) as refusal:
        return _show(request, party, campaign, thread, refusal)
    return see_other("giving:thread", campaign, thread)


@require_POST
def judge(request: HttpRequest, campaign: uuid.UUID, thread: uuid.UUID) -> HttpResponse:
    """A steward's word."""
    steward, form = session.signed_in(request), request.POST
    try:
        actions.judge(steward, campaign, thread, closes=form.get("word") == "close", note=form.get("note", ""))
    except (Invalid, Conflict) as refusal:
        return _show(request, steward, campaign, thread, refusal)
    return see_other("giving:calls")


@never_cache
@require_safe
def calls(request: HttpRequest) -> HttpResponse:
    """For stewards: the threads to which one has been called. What stands in them is a page of its own."""
    people.require_role(session.signed_in(request), people.STEWARD)
    return render(request, "giving/calls.html", {"threads": queries.called()})


@never_cache
@require_safe
def inbox(request: HttpRequest, organisation: uuid.UUID) -> HttpResponse:
    """What givers have written to a charity, unread first."""
    charity = acted_for(session.signed_in(request), organisation)
    return render(request, "giving/inbox.html", {"charity": charity, "threads": queries.of_charity(organisation)})
