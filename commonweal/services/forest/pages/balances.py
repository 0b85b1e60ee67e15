"""Where every gram is: the balances, for people and as one file for checkers."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from commonweal.kernel.text import Text
from commonweal.services.forest.queries import balances as queries

TITLES = {
    "waiting": Text("waits in bubbles", "在气泡里等待"),
    "held": Text("held by people and groves", "在个人与合种林手里"),
    "spent": Text("has become trees", "已换成树"),
    "expired": Text("expired", "已逾期"),
}


@require_safe
def balance(request: HttpRequest) -> HttpResponse:
    """The newest balance, and those before."""
    latest = queries.latest(15)
    newest = latest[0] if latest else None
    places = [(title, newest.document["total"][place]) for place, title in TITLES.items()] if newest else []
    context = {"newest": newest, "places": places, "latest": [(each, each.document["total"]) for each in latest]}
    return render(request, "forest/balance.html", context)


@require_safe
def conservation(request: HttpRequest) -> StreamingHttpResponse:
    """All balances from the first on: what `commonweal forest conserve` checks."""

    def lines() -> Iterator[str]:
        comma = "["
        for document in queries.documents():
            yield f"{comma}\n{document}"
            comma = ","
        yield "[]\n" if comma == "[" else "\n]\n"

    return StreamingHttpResponse(lines(), content_type="application/json")


urlpatterns = [path("balance/", balance, name="balance"), path("conservation.json", conservation, name="conservation")]
