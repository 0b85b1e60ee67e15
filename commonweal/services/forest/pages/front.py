"""The front page: what this is, and how a deed becomes a tree."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from commonweal.services.forest.queries import balances, numbers
from commonweal.services.forest.rules import bubbles


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """What this is, how it goes, and how far it has come."""
    hours = (bubbles.RIPENS_AFTER // bubbles.HOUR, bubbles.LASTS // bubbles.HOUR)
    context = {"ripens": hours[0], "lasts": hours[1], "numbers": numbers.of_all(), "balance": balances.newest()}
    return render(request, "forest/front.html", context)


urlpatterns = [path("", front, name="front")]
