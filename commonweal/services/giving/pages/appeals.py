"""Persons who ask for help: their pages look like no campaign, and none of them takes money."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal, TooLarge
from commonweal.kernel.files import store
from commonweal.kernel.files.models import StoredFile
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import CNY, parse_amount
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import appeals as actions
from commonweal.services.giving.actions import views
from commonweal.services.giving.queries import appeals as queries
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.rules import appeals as rules
from commonweal.services.giving.rules import texts, topics
from commonweal.services.giving.rules.views import What


@require_safe
def appeals(request: HttpRequest) -> HttpResponse:
    """What is public; for stewards also what waits to be checked, for askers their own."""
    party = session.visitor(request)
    steward = party is not None and people.STEWARD in people.roles(party)
    context = {
        "appeals": queries.public(),
        "waiting": queries.waiting() if steward else [],
        "own": queries.of(party.id) if party else [],
        "warning": rules.WARNING,
        "source": rules.SOURCE,
    }
    return render(request, "giving/appeals.html", context)


@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for help."""
    party = session.signed_in(request)
    refusal = None
    if request.method == "POST":
        form = request.POST
        try:
            appeal = rules.Appeal(
                title=texts.both(form.get("title_en", ""), form.get("title_zh", ""), "title", 200),
                story=texts.both(form.get("story_en", ""), form.get("story_zh", ""), "story", 10_000, lines=True),
                topic=form.get("topic", ""),
                amount=parse_amount(form.get("amount", "").strip(), CNY, maximum=rules.CAP),
                evidence=tuple(file.read() for file in request.FILES.getlist("evidence")),
            )
            return see_other("giving:appeal", actions.ask(party, appeal))
        except (Invalid, Conflict, TooLarge) as error:
            refusal = error
    context = {
        "topics": topics.TITLES.items(),
        "cap": rules.CAP,
        "warning": rules.WARNING,
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/appeal_ask.html", context, status=refusal.status if refusal else 200)


@require_safe
def appeal(request: HttpRequest, appeal: uuid.UUID) -> HttpResponse:
    """One appeal."""
    return _show(request, appeal)


def _show(request: HttpRequest, id: uuid.UUID, refusal: Refusal | None = None) -> HttpResponse:
    found, party = queries.appeal(id), session.visitor(request)
    steward = party is not None and people.STEWARD in people.roles(party)
    own = party is not None and party.id == found.standing.asker
    if not (steward or own or found.state in (rules.State.SHOWN, rules.State.ADOPTED)):
        raise queries.unknown()
    if party is not None and not own and found.state not in (rules.State.SHOWN, rules.State.ADOPTED):
        views.look(party, What.APPEAL, found.id, found.standing.asker)
    organisations = [each.id for each in people.organisations_of(party)] if party else []
    context = {
        "appeal": found,
        "warning": rules.WARNING,
        "source": rules.SOURCE,
        "own": own,
        "may_judge": steward and not own and found.state is rules.State.ASKED,
        "may_see": _may_see(party, found),
        "adopting": [card for card in campaigns.of_organisations(organisations) if card.is_open]
        if found.state is rules.State.SHOWN and not own
        else [],
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/appeal.html", context, status=refusal.status if refusal else 200)


@require_POST
def judge(request: HttpRequest, appeal: uuid.UUID) -> HttpResponse:
    """A steward's word."""
    steward = session.signed_in(request)
    shows = request.POST.get("word") == "show"
    try:
        actions.judge(steward, appeal, shows=shows, note=request.POST.get("note", ""))
    except (Invalid, Conflict) as refusal:
        return _show(request, appeal, refusal)
    return see_other("giving:appeal", appeal)


@require_POST
def adopt(request: HttpRequest, appeal: uuid.UUID) -> HttpResponse:
    """A charity makes it its own."""
    officer = session.signed_in(request)
    try:
        campaign = uuid.UUID(request.POST.get("campaign", ""))
    except ValueError as error:
        raise campaigns.unknown() from error
    try:
        actions.adopt(officer, appeal, campaign)
    except (Conflict, NotAllowed) as refusal:
        return _show(request, appeal, refusal)
    return see_other("giving:appeal", appeal)


@require_POST
def withdraw(request: HttpRequest, appeal: uuid.UUID) -> HttpResponse:
    """Take one's own back."""
    actions.withdraw(session.signed_in(request), appeal)
    return see_other("giving:appeals")


@require_safe
def paper(request: HttpRequest, appeal: uuid.UUID, number: int) -> HttpResponse:
    """A piece of evidence: for the asker, for stewards, whose look is logged, and for officers of charities."""
    found, party = queries.appeal(appeal), session.visitor(request)
    if party is None or not _may_see(party, found) or number >= len(found.evidence):
        raise NotFound("evidence.unknown", Text("There is no such file.", "没有这个文件。"))
    if people.STEWARD in people.roles(party) and party.id != found.standing.asker:
        views.look(party, What.PAPER, found.id, found.standing.asker)
    digest = found.evidence[number]
    stored = StoredFile.objects.get(pk=digest)
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    if stored.media_type == "application/pdf":
        headers["Content-Disposition"] = f'attachment; filename="paper-{number + 1}.pdf"'
    return HttpResponse(store.read(digest), content_type=stored.media_type, headers=headers)


def _may_see(party: Party | None, found: queries.Appeal) -> bool:
    if party is None:
        return False
    if party.id == found.standing.asker or people.STEWARD in people.roles(party):
        return True
    if found.campaign is None:
        return False
    return campaigns.acts_for(party.id, found.campaign)
