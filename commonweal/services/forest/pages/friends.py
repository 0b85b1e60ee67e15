"""Friends: codes both ways, and a visit to a friend's meadow."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonweal.kernel import clock
from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal
from commonweal.kernel.parties import session
from commonweal.kernel.text import Text
from commonweal.services.forest.actions import friends as actions
from commonweal.services.forest.actions import gardens as garden_actions
from commonweal.services.forest.pages.energy import meadow, read_bubble
from commonweal.services.forest.queries import friends as queries
from commonweal.services.forest.queries import gardens
from commonweal.services.forest.rules import bubbles as rules


@never_cache
@require_http_methods(["GET", "POST"])
def friends(request: HttpRequest) -> HttpResponse:
    """One's friends; a code to give, a code to accept."""
    person = session.signed_in(request)
    refusal: Refusal | None = None
    code = ""
    if request.method == "POST":
        try:
            if request.POST.get("word") == "invite":
                code = actions.invite(person)
            else:
                return see_other("forest:friend", actions.accept(person, request.POST.get("code", "")[:60]))
        except (Conflict, NotFound) as error:
            refusal = error
    context = {
        "friends": queries.friends(person.id, clock.now()),
        "code": code,
        "named": gardens.wishes(person.id).name,
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "forest/friends.html", context, status=refusal.status if refusal else 200)


@never_cache
@require_safe
def friend(request: HttpRequest, friend: uuid.UUID) -> HttpResponse:
    """A friend's meadow."""
    return _show(request, friend)


def _show(request: HttpRequest, id: uuid.UUID, refusal: Refusal | None = None) -> HttpResponse:
    person, now = session.signed_in(request), clock.now()
    found = queries.friend(person.id, id)
    garden = gardens.garden(found.party)
    theirs = meadow(found.party, now)
    bubbles = [(each, _share(person.id, found.party, each)) for each in theirs.bubbles if each.state != "gone"]
    context = {
        "friend": found,
        "meadow": theirs,
        "bubbles": bubbles,
        "open": garden.lets_in(now) and not gardens.child(person.id),
        "waterings": [(str(grams), Text(f"{grams} g", f"{grams} 克")) for grams in rules.WATERINGS],
        "left": rules.WATERINGS_A_DAY - queries.waterings_today(person.id, found.party, now),
        "drawing": request.GET.get("draw") == "1",
        "refusal": refusal,
    }
    return render(request, "forest/friend.html", context, status=refusal.status if refusal else 200)


def _share(person: uuid.UUID, owner: uuid.UUID, shown: gardens.Shown) -> int:
    """What one could have of a bubble: 0 if it is growing, gathered from, or down to its owner's part."""
    bubble = shown.bubble
    if shown.state != "ripe" or gardens.has_gathered(person, owner, bubble.day, shown.kind):
        return 0
    return max(0, min(rules.share_for_friend(bubble), bubble.left - bubble.floor))


@require_POST
def visit(request: HttpRequest, friend: uuid.UUID) -> HttpResponse:
    """Gather at a friend's, water, or end the friendship."""
    person = session.signed_in(request)
    found = queries.friend(person.id, friend)
    try:
        match request.POST.get("word", ""):
            case "water":
                garden_actions.water(person, found.party, _grams(request.POST.get("grams", "")))
            case "part":
                actions.part(person, friend)
                return see_other("forest:friends")
            case _:
                day, kind = read_bubble(request.POST.get("bubble", ""))
                collected = garden_actions.collect(person, found.party, day, kind)
                if collected.drawn_at:
                    answer = see_other("forest:friend", friend)
                    answer["Location"] += "?draw=1"
                    return answer
    except (Invalid, Conflict, NotAllowed) as refusal:
        return _show(request, friend, refusal)
    return see_other("forest:friend", friend)


def _grams(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


urlpatterns = [
    path("friends/", friends, name="friends"),
    path("friends/<uuid:friend>/", friend, name="friend"),
    path("friends/<uuid:friend>/visit/", visit, name="visit"),
]
