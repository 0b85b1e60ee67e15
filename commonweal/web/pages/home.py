"""The first page, the search over everything, the way through the site, and how it looks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this is, and what one can do here."""
    return render(request, "web/home.html")


urlpatterns = [path("", home, name="home")]
