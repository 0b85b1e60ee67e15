"""The stewards' console: what waits for them, and a look at who is concerned, each look a fact in the public log."""

from __future__ import annotations

import uuid

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonweal.kernel import clock, jobs, proof
from commonweal.kernel.errors import NotFound, Refusal
from commonweal.kernel.files.models import StoredFile
from commonweal.kernel.files.store import read
from commonweal.kernel.ledger import audit
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Credential, Party
from commonweal.kernel.parties.session import signed_in
from commonweal.kernel.registry import services
from commonweal.kernel.text import Text
from commonweal.web import facts
from commonweal.web.doors import done
from commonweal.web.pages.organisations import KINDS, state_of

PURPOSES = {
    "credential": Text("to check a credential", "核验资质"),
    "complaint": Text("to answer a complaint", "处理投诉"),
    "payment": Text("to approve a payment", "审批拨付"),
    "help": Text("to help at their own request", "应本人请求提供帮助"),
}
"""Why a steward may look at what is personal; the word goes into the log."""


def _steward(request: HttpRequest) -> Party:
    party = signed_in(request)
    people.require_role(party, people.STEWARD)
    return party


@never_cache
@require_safe
def console(request: HttpRequest) -> HttpResponse:
    """Every queue on one page."""
    _steward(request)
    with connection.cursor() as cursor:
        head, waiting = proof.head(cursor), facts.waiting(cursor)
    links = [
        {"title": link.title, "service": service.title, "url": reverse(f"{service.name}:{link.url_name}")}
        for service in services()
        for link in service.console
    ]
    context = {
        "credentials": [_row(each) for each in people.credentials_to_attest()[:50]],
        "links": links,
        "health": jobs.health(),
        "dead": jobs.dead_letters(),
        "head": head,
        "waiting": waiting,
        "purposes": list(PURPOSES.items()),
    }
    return render(request, "console/console.html", context)


def _row(credential: Credential) -> dict[str, object]:
    title = KINDS.get(credential.kind, Text(credential.kind, credential.kind))
    return {"credential": credential, "title": title, "words": credential.attestations.count()}


@never_cache
@require_http_methods(["GET", "POST"])
def credential(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """One credential: look, then attest or revoke."""
    steward = _steward(request)
    found = _credential(id)
    refusal = None
    if request.method == "POST":
        try:
            if request.POST.get("action") == "revoke":
                people.revoke(found, steward, request.POST.get("reason", ""))
                return done(request, "console", Text("Revoked, at once and in public.", "已撤销，并已公开记录。"))
            people.attest(found, steward)
            return done(request, "console", Text("Your word is kept.", "您的核验意见已记录。"))
        except Refusal as error:
            refusal = error
    else:
        people.log_reading(steward, found.holder, "credential")
    context = {
        "credential": found,
        "holder": found.holder.name if found.holder.kind == Party.Kind.ORGANISATION else None,
        "title": KINDS.get(found.kind, Text(found.kind, found.kind)),
        "state": state_of(found, clock.now().date()),
        "words": list(found.attestations.order_by("at")),
        "needed": people.ATTESTATIONS,
        "mine": found.attestations.filter(steward=steward).exists(),
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "console/credential.html", context, status=refusal.status if refusal else 200)


def _credential(id: uuid.UUID) -> Credential:
    found = Credential.objects.select_related("holder").filter(pk=id).first()
    if found is None:
        raise NotFound("credential.unknown", Text("There is no such credential.", "没有这项资质。"))
    return found


@never_cache
@require_safe
def evidence(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The document behind a credential; nothing in it can run."""
    steward = _steward(request)
    found = _credential(id)
    people.log_reading(steward, found.holder, "credential")
    kept = StoredFile.objects.filter(pk=found.evidence).first()
    media_type, ending = (kept.media_type, kept.media_type.rpartition("/")[2]) if kept else ("", "")
    return HttpResponse(
        read(found.evidence),
        content_type=media_type or "application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="evidence.{ending}"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, no-store",
        },
    )


@require_POST
def retry(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Give a dead letter another life."""
    _steward(request)
    if not jobs.retry(id):
        raise NotFound("job.unknown", Text("There is no such dead letter.", "没有这个失败任务。"))
    return done(request, "console", Text("It is tried again now.", "任务将重新执行。"))


@never_cache
@require_POST
def party(request: HttpRequest) -> HttpResponse:
    """Who stands behind a pseudonym, for a stated purpose. A POST: the look leaves a fact in the log."""
    steward = _steward(request)
    try:
        id = uuid.UUID(request.POST.get("id", "").strip())
    except ValueError:
        id = uuid.UUID(int=0)
    found = people.named(id)
    if found is None:
        raise NotFound("party.unknown", Text("There is nobody with this id.", "没有这个编号的用户。"))
    personal = people.read_personal(steward, found, request.POST.get("purpose", ""))
    context = {
        "found": found,
        "personal": personal,
        "organisations": people.organisations_of(found),
        "roles": sorted(people.roles(found)),
        "credentials": [_row(each) for each in found.credentials.order_by("-filed_at")],
    }
    return render(request, "console/party.html", context)


@never_cache
@require_safe
def audit_page(request: HttpRequest) -> HttpResponse:
    """Every kept balance against the sum of its postings."""
    _steward(request)
    with connection.cursor() as cursor:
        differences = audit(cursor)
    return render(request, "console/audit.html", {"differences": differences, "at": clock.now()})


urlpatterns = [
    path("console/", console, name="console"),
    path("console/credentials/<uuid:id>/", credential, name="console_credential"),
    path("console/credentials/<uuid:id>/evidence", evidence, name="console_evidence"),
    path("console/jobs/<uuid:id>/retry/", retry, name="console_retry"),
    path("console/party/", party, name="console_party"),
    path("console/audit/", audit_page, name="console_audit"),
]
