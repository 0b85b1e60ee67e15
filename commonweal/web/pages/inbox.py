"""One's messages."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from ninja import Router, Schema

from commonweal.kernel.notices.inbox import inbox, mark_read
from commonweal.kernel.parties.session import signed_in
from commonweal.web import languages

SHOWN = 200
A_PAGE = 20


@never_cache
@require_safe
def messages(request: HttpRequest) -> HttpResponse:
    """The newest messages, newest first."""
    page = Paginator(inbox(signed_in(request), SHOWN), A_PAGE).get_page(request.GET.get("page"))
    return render(request, "account/inbox.html", {"page": page})


@never_cache
@require_safe
def message(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """One message; opening it is reading it."""
    opened = mark_read(signed_in(request), id)
    link = f"/{languages.current()}{opened.link}" if opened.link else ""
    return render(request, "account/message.html", {"message": opened, "link": link})


urlpatterns = [path("inbox/", messages, name="inbox"), path("inbox/<uuid:id>/", message, name="message")]

router = Router(tags=["Inbox"])


class NoticeOut(Schema):
    """A message in both languages. `link` is a path on this site without its language."""

    id: uuid.UUID
    kind: str
    title_en: str
    title_zh: str
    body_en: str
    body_zh: str
    link: str
    at: datetime
    read: bool


@router.get("/", response=list[NoticeOut], summary="One's messages")
def api_inbox(request: HttpRequest) -> list[NoticeOut]:
    """The newest messages (50 at most), newest first. Reading them here does not mark them as read."""
    return [
        NoticeOut(
            id=each.id, kind=each.kind, title_en=each.title.en, title_zh=each.title.zh, body_en=each.body.en,
            body_zh=each.body.zh, link=each.link, at=each.at, read=each.read,
        )
        for each in inbox(signed_in(request))
    ]  # fmt: skip
