"""Organisations: registering one, its credentials, and the evidence for them."""

from __future__ import annotations

import uuid
from datetime import date

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commonweal.kernel import clock
from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Invalid, NotFound, Refusal
from commonweal.kernel.files.store import take_document
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Credential, Party
from commonweal.kernel.parties.session import signed_in
from commonweal.kernel.text import Text
from commonweal.web.doors import done

KINDS = {
    "registration": Text("Registration as a charity or organisation", "慈善组织或机构登记"),
    "public-fundraising": Text("Permission to raise funds in public", "公开募捐资格"),
    "qualification": Text("Another qualification", "其他资质"),
}
"""What can be filed here; services may ask for kinds of their own."""


@never_cache
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Register an organisation; whoever does it acts for it."""
    party = signed_in(request)
    refusal = None
    if request.method == "POST":
        try:
            organisation = _register(request, party)
            return see_other("organisation", organisation.id)
        except Refusal as error:
            refusal = error
    context = {"refusal": refusal, "form": request.POST if refusal else None}
    return render(request, "account/register.html", context, status=refusal.status if refusal else 200)


@transaction.atomic
def _register(request: HttpRequest, officer: Party) -> Party:
    names = {field: people.check_name(request.POST.get(field, ""), field=field) for field in ("name_zh", "name_en")}
    code = people.check_registration(request.POST.get("registration", ""))
    organisation = people.register_organisation(Text(names["name_en"], names["name_zh"]), code)
    people.grant_role(officer, people.OFFICER, within=organisation)
    return organisation


@never_cache
@require_http_methods(["GET", "POST"])
def organisation(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """An organisation that one acts for: its credentials, and a form to file one."""
    party = signed_in(request)
    found = people.organisations_of(party).filter(pk=id).first()
    if found is None:
        raise NotFound("organisation.unknown", Text("You act for no such organisation.", "您不代表这个机构。"))
    refusal = None
    if request.method == "POST":
        try:
            _file(request, party, found)
            return done(
                request, "organisation", Text("Filed. Two stewards look at it.", "已提交，等待两名审核员核验。"), id
            )
        except Refusal as error:
            refusal = error
    today = clock.now().date()
    context = {
        "organisation": found,
        "credentials": [_shown(each, today) for each in found.credentials.order_by("-filed_at")],
        "kinds": list(KINDS.items()),
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "account/organisation.html", context, status=refusal.status if refusal else 200)


def _file(request: HttpRequest, by: Party, holder: Party) -> None:
    kind = request.POST.get("kind", "")
    if kind not in KINDS:
        raise Invalid("credential.kind", Text("Choose what it is.", "请选择资质类型。"), field="kind")
    credential = Credential(
        kind=kind,
        number=people.check_name(request.POST.get("number", ""), field="number", longest=100),
        issuer=people.check_name(request.POST.get("issuer", ""), field="issuer"),
        valid_from=_day(request, "valid_from"),
        valid_until=_day(request, "valid_until") if request.POST.get("valid_until") else None,
    )
    upload = request.FILES.get("evidence")
    if upload is None:
        raise Invalid("evidence.missing", Text("Add the document.", "请上传证明文件。"), field="evidence")
    credential.evidence = take_document(upload.read(), field="evidence").digest
    people.file_credential(holder, by, credential)


def _day(request: HttpRequest, field: str) -> date:
    try:
        return date.fromisoformat(request.POST.get(field, ""))
    except ValueError as error:
        raise Invalid(
            "date.form", Text("Write the day as 2026-03-01.", "请按 2026-03-01 的格式填写日期。"), field=field
        ) from error


def _shown(credential: Credential, today: date) -> dict[str, object]:
    return {
        "credential": credential,
        "title": KINDS.get(credential.kind, Text(credential.kind, credential.kind)),
        "words": credential.attestations.count(),
        "state": state_of(credential, today),
    }


def state_of(credential: Credential, today: date) -> Text:
    """Where a credential stands."""
    if credential.revoked_at is not None:
        return Text("revoked", "已撤销")
    if credential.valid_until is not None and credential.valid_until < today:
        return Text("run out", "已过期")
    if credential.attestations.count() < people.ATTESTATIONS:
        return Text("being checked", "核验中")
    return Text("counts", "有效") if credential.valid_from <= today else Text("not yet begun", "尚未生效")


urlpatterns = [
    path("account/organisations/new/", register, name="register_organisation"),
    path("account/organisations/<uuid:id>/", organisation, name="organisation"),
]
