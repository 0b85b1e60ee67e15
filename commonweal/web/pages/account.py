"""One's own account: what is known of one, who one acts for, programs that act for one, being forgotten."""

from __future__ import annotations

import json
import uuid

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import include, path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from ninja import Router, Schema

from commonweal.kernel import clock
from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Invalid, NotFound, Refusal
from commonweal.kernel.parties import people
from commonweal.kernel.parties.erasure import forget
from commonweal.kernel.parties.export import known_of
from commonweal.kernel.parties.models import ApiToken, Consent, Guardianship, Login, Party
from commonweal.kernel.parties.session import signed_in
from commonweal.kernel.text import LANGUAGES, Text
from commonweal.web import languages
from commonweal.web.doors import done
from commonweal.web.signin import phone, wechat


@never_cache
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Everything about oneself on one page."""
    return _account(request)


def _account(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    party = signed_in(request)
    context = {
        "login": Login.objects.filter(party=party).first(),
        "personal": people.own_personal(party),
        "organisations": people.organisations_of(party),
        "tokens": _live_tokens(party),
        "consents": Consent.objects.filter(party=party, withdrawn_at=None).order_by("given_at"),
        "wards": Guardianship.objects.filter(guardian=party, ended_at=None),
        "steward": people.STEWARD in people.roles(party),
        "party": party,
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "account/account.html", context, status=refusal.status if refusal else 200)


def _live_tokens(party: Party) -> list[ApiToken]:
    return list(
        ApiToken.objects.filter(party=party, revoked_at=None, expires_at__gt=clock.now()).order_by("created_at")
    )


@require_POST
def name(request: HttpRequest) -> HttpResponse:
    """Say what one is called."""
    party = signed_in(request)
    try:
        given = people.check_name(request.POST.get("name", ""), longest=100)
        with transaction.atomic():
            people.write_personal(party, people.own_personal(party) | {"name": given})
    except Refusal as refusal:
        return _account(request, refusal)
    return done(request, "account", Text("Your name is kept.", "称呼已保存。"))


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Choose the language of letters; the page answers in it."""
    wanted = request.POST.get("language", "")
    if wanted not in LANGUAGES:
        raise Invalid("language.unknown", Text("Choose one of the languages.", "请选择语言。"), field="language")
    Login.objects.filter(party=signed_in(request)).update(language=wanted)
    return HttpResponseRedirect(languages.other(request.path, wanted).removesuffix("language/"), status=303)


@never_cache
@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """All that is known of one, as a file."""
    content = json.dumps(known_of(signed_in(request)), ensure_ascii=False, indent=2)
    headers = {"Content-Disposition": 'attachment; filename="commonweal.json"', "Cache-Control": "private, no-store"}
    return HttpResponse(content, content_type="application/json; charset=utf-8", headers=headers)


@never_cache
@require_http_methods(["GET", "POST"])
def forget_me(request: HttpRequest) -> HttpResponse:
    """Be forgotten, once one has confirmed it with a word and, if there is one, the password."""
    party = signed_in(request)
    login = Login.objects.get(party=party)
    refusal = None
    if request.method == "POST":
        try:
            _confirm(request, login)
            forget(party.id)
            logout(request)
            return see_other("forgotten")
        except Refusal as error:
            refusal = error
    context = {"login": login, "refusal": refusal, "form": request.POST if refusal else None}
    return render(request, "account/forget.html", context, status=refusal.status if refusal else 200)


def _confirm(request: HttpRequest, login: Login) -> None:
    if request.POST.get("sure") != "yes":
        raise Invalid("forget.unsure", Text("Confirm that you want this.", "请先勾选确认。"), field="sure")
    if login.has_usable_password():
        try:
            right = get_adapter().reauthenticate(login, request.POST.get("password", ""))
        except ValidationError as error:  # too many attempts
            text = error.messages[0]
            raise Invalid("password.too-often", Text(text, text), field="password") from error
        if not right:
            raise Invalid("password.wrong", Text("This is not your password.", "密码不正确。"), field="password")


@require_safe
def forgotten(request: HttpRequest) -> HttpResponse:
    """What remains after having been forgotten."""
    return render(request, "account/forgotten.html")


@never_cache
@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """Tokens for programs; a new one is shown this once."""
    party = signed_in(request)
    refusal = secret = None
    if request.method == "POST":
        try:
            secret = people.make_token(party, request.POST.get("title", ""))
        except Refusal as error:
            refusal = error
    context = {
        "tokens": _live_tokens(party),
        "secret": secret,
        "address": settings.ADDRESS,
        "refusal": refusal,
        "form": request.POST if refusal else None,
    }
    return render(request, "account/tokens.html", context, status=refusal.status if refusal else 200)


@require_POST
def revoke_token(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """End a token at once."""
    found = ApiToken.objects.filter(pk=id, party=signed_in(request), revoked_at=None)
    if not found.update(revoked_at=clock.now()):
        raise NotFound("token.unknown", Text("There is no such token.", "没有这个令牌。"))
    return done(request, "tokens", Text("The token no longer works.", "令牌已撤销。"))


@require_POST
def withdraw(request: HttpRequest) -> HttpResponse:
    """Take back one's agreement to a purpose."""
    people.withdraw_consent(signed_in(request), request.POST.get("purpose", ""))
    return done(request, "account", Text("Your agreement has been taken back.", "已撤回同意。"))


@require_POST
def end_guardianship(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Stop deciding for a ward."""
    found = Guardianship.objects.filter(pk=id, guardian=signed_in(request), ended_at=None)
    if not found.update(ended_at=clock.now()):
        raise NotFound("guardianship.unknown", Text("There is no such guardianship.", "没有这项监护关系。"))
    return done(request, "account", Text("The guardianship has ended.", "监护关系已结束。"))


urlpatterns = [
    path("account/", account, name="account"),
    path("account/name/", name, name="account_name"),
    path("account/language/", language, name="account_language"),
    path("account/data/", data, name="account_data"),
    path("account/forget/", forget_me, name="forget"),
    path("account/forgotten/", forgotten, name="forgotten"),
    path("account/tokens/", tokens, name="tokens"),
    path("account/tokens/<uuid:id>/revoke/", revoke_token, name="revoke_token"),
    path("account/consents/withdraw/", withdraw, name="withdraw_consent"),
    path("account/guardianships/<uuid:id>/end/", end_guardianship, name="end_guardianship"),
    path("account/", include(phone)),
    path("account/", include(wechat)),
    path("account/", include("allauth.account.urls")),
    path("account/keys/", include("allauth.mfa.urls")),
]

router = Router(tags=["Account"])


class MeOut(Schema):
    """The party for which the request acts."""

    party: uuid.UUID
    kind: str
    roles: list[str]
    organisations: list[uuid.UUID]


@router.get("/me", response=MeOut, summary="Who one is")
def api_me(request: HttpRequest) -> MeOut:
    """The pseudonym under which one stands in the books and in the log, one's roles, and whom one acts for."""
    party = signed_in(request)
    return MeOut(
        party=party.id,
        kind=party.kind,
        roles=sorted(people.roles(party)),
        organisations=[organisation.id for organisation in people.organisations_of(party)],
    )
