"""The front page: what this is, and how a deed becomes a tree."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from commonweal.services.forest.rules import bubbles


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """What this is and how it goes."""
    hours = (bubbles.RIPENS_AFTER // bubbles.HOUR, bubbles.LASTS // bubbles.HOUR)
    return render(request, "forest/front.html", {"ripens": hours[0], "lasts": hours[1]})


urlpatterns = [path("", front, name="front")]
