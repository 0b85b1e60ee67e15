"""For stewards, and for everybody who wants to see a payout: what it is for, who approved it, which gifts paid it."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from commonweal.kernel.files import store
from commonweal.kernel.files.models import StoredFile
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import payouts as actions
from commonweal.services.giving.actions import views
from commonweal.services.giving.queries import endings, gifts, reconciliation, risks, uses
from commonweal.services.giving.queries import payouts as queries
from commonweal.services.giving.rules.payouts import State
from commonweal.services.giving.rules.views import What


@require_safe
def payouts(request: HttpRequest) -> HttpResponse:
    """The queue of payouts that wait for a word."""
    people.require_role(session.signed_in(request), people.STEWARD)
    waiting = [(each, len(risks.notes(each))) for each in queries.waiting()]
    return render(request, "giving/payouts.html", {"waiting": waiting})


@require_safe
def mismatches(request: HttpRequest) -> HttpResponse:
    """Payments that fit no gift, or not in amount or currency."""
    people.require_role(session.signed_in(request), people.STEWARD)
    return render(
        request,
        "giving/mismatches.html",
        {
            "mismatches": gifts.mismatches(),
            "differences": reconciliation.differences(),
            "settlements": reconciliation.settlements(),
        },
    )


@require_safe
def payout(request: HttpRequest, campaign: uuid.UUID, request_id: uuid.UUID) -> HttpResponse:
    """One payout, public: how far it is, and once it is paid, the gifts that paid it. Evidence is not for everybody."""
    return show(request, queries.payout(campaign, request_id))


def show(
    request: HttpRequest, found: queries.Payout, refusal: Invalid | Conflict | NotAllowed | None = None
) -> HttpResponse:
    """The page of a payout; with a refusal, its form as it was sent."""
    party = session.visitor(request)
    steward = party is not None and people.STEWARD in people.roles(party)
    may_judge = found.state is State.ASKED and steward
    signs = risks.notes(found) if may_judge else []
    if party is not None and signs:
        views.look(party, What.SIGNS, found.id, found.organisation_id)
    idle = uses.idle(found.campaign, found.id)
    context = {
        "payout": found,
        "sources": gifts.sources(found.campaign, found.id),
        "me": party.id if party else None,
        "may_judge": may_judge,
        "risks": signs,
        "watches": steward,
        "uses": uses.of_payout(found.campaign, found.id),
        "idle": idle,
        "may_mark": steward and found.paid_at is not None and not (idle and idle.target),
        "targets": [(each.id, each.title) for each in endings.open_beside(found.campaign)] if steward and idle else [],
        "target": endings.target(found.campaign, found.id),
        "may_see": may_see(party, found),
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "giving/payout.html", context, status=refusal.status if refusal else 200)


@require_POST
def judge(request: HttpRequest, campaign: uuid.UUID, request_id: uuid.UUID) -> HttpResponse:
    """Approve or decline."""
    steward = session.signed_in(request)
    approves = request.POST.get("word") == "approve"
    try:
        actions.judge(steward, campaign, request_id, approves=approves, note=request.POST.get("note", ""))
    except (Invalid, Conflict) as refusal:
        return show(request, queries.payout(campaign, request_id), refusal)
    return see_other("giving:payout", campaign, request_id)


@require_safe
def evidence(request: HttpRequest, campaign: uuid.UUID, request_id: uuid.UUID, number: int) -> HttpResponse:
    """A piece of evidence: for stewards, the charity, and those who have given to the campaign."""
    found = queries.payout(campaign, request_id)
    if not (number < len(found.evidence) and see(request, found)):
        raise NotFound("evidence.unknown", Text("There is no such file.", "没有这个文件。"))
    return serve(found.evidence[number], f"evidence-{number + 1}.pdf")


def serve(digest: str, name: str) -> HttpResponse:
    """A file that is not for everybody; a PDF is handed out, never shown in the page."""
    stored = StoredFile.objects.get(pk=digest)
    headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
    if stored.media_type == "application/pdf":
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return HttpResponse(store.read(digest), content_type=stored.media_type, headers=headers)


def may_see(party: Party | None, found: queries.Payout) -> bool:
    """Whether somebody may look at the evidence of a payout: stewards, the charity, whoever has given."""
    return party is not None and (_of_it(party, found) or people.STEWARD in people.roles(party))


def see(request: HttpRequest, found: queries.Payout) -> bool:
    """The same for who is here; a steward's look is put on record."""
    party = session.visitor(request)
    if party is None or not may_see(party, found):
        return False
    if not _of_it(party, found):
        views.look(party, What.EVIDENCE, found.id, found.organisation_id)
    return True


def _of_it(party: Party, found: queries.Payout) -> bool:
    officer = people.OFFICER in people.roles(party, Party(id=found.organisation_id))
    return officer or gifts.has_given(party.id, found.campaign)
