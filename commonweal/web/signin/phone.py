"""Signing in with a mobile number: a code by text message, which also makes the account of whoever is new.

A known number and an unknown one are answered alike by construction. The session keeps neither the number nor the code,
only a keyed hash over both, so that nothing personal is left in it.
"""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata

from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login as Attempt
from allauth.core.internal.ratelimit import consume
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from commonweal.kernel import clock
from commonweal.kernel.doors import see_other
from commonweal.kernel.errors import Conflict, Invalid, Refusal, TooMany
from commonweal.kernel.parties.models import Login
from commonweal.kernel.text import Text
from commonweal.web.languages import said
from commonweal.web.signin import letters
from commonweal.web.signin.adapter import adopt_guest
from commonweal.web.signin.words import TEXT_MESSAGE

LASTS = 300
"""Seconds for which a code holds."""
TRIES = 5
"""Guesses at one code."""
LIMITS = {"send": "1/m/key,6/d/key,20/h/ip", "confirm": "30/h/ip"}
"""How often codes are sent to one number, and asked for or guessed from one address; kept in PostgreSQL."""

_STATE = "phone_code"


def read_number(written: str) -> str:
    """A mobile number in E.164 form. Without a country it is one of mainland China. Raises `Invalid` (`phone.form`)."""
    number = re.sub(r"[\s().-]", "", unicodedata.normalize("NFKC", written))
    if re.fullmatch(r"1[3-9][0-9]{9}", number):
        number = f"+86{number}"
    number = re.sub(r"^00", "+", number)
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", number) or re.match(r"\+86(?!1[3-9][0-9]{9}$)", number):
        raise Invalid(
            "phone.form", Text("This is not a mobile number. Check it.", "手机号不正确，请检查。"), field="phone"
        )
    return number


def _limit(request: HttpRequest, action: str, key: str) -> None:
    if not consume(request, app="commonweal.phone", action=action, config=LIMITS, key=key):
        raise TooMany(
            "phone.too-often",
            Text("Codes cannot be sent that often. Wait a minute.", "获取验证码过于频繁，请等一分钟。"),
            retry_after=60,
        )


def _digest(number: str, code: str) -> str:
    return hmac.digest(settings.SECRET_KEY.encode(), f"phone:{number}:{code}".encode(), "sha256").hex()


@never_cache
@require_http_methods(["GET", "POST"])
def phone(request: HttpRequest) -> HttpResponse:
    """Ask for a number, then send a code to it and ask for that."""
    if request.method != "POST":
        return _page(request, "account/phone.html")
    try:
        number = read_number(request.POST.get("phone", ""))
        _limit(request, "send", number)
    except Refusal as refusal:
        return _page(request, "account/phone.html", refusal)
    code = f"{secrets.randbelow(10**6):06d}"
    until = clock.now().timestamp() + LASTS
    request.session[_STATE] = {"digest": _digest(number, code), "until": until, "tries": TRIES}
    letters.send("telephone", number, "", said(TEXT_MESSAGE).format(code=code))
    return _page(request, "account/phone_code.html", number=number)


@never_cache
@require_POST
def confirm(request: HttpRequest) -> HttpResponseBase:
    """Compare the code, and sign in: whoever has the number, or somebody new."""
    try:
        number = read_number(request.POST.get("phone", ""))
        _limit(request, "confirm", number)
        _check_code(request, number, unicodedata.normalize("NFKC", request.POST.get("code", "")).strip())
        if request.user.is_authenticated:
            return _change(request, number)
    except Refusal as refusal:
        number = request.POST.get("phone", "")[:40]
        return _page(request, "account/phone_code.html", refusal, number=number)
    del request.session[_STATE]
    login = _login_of(request, number)
    record_authentication(request, login, method="code", phone_ends=number[-2:])
    # A second step that the person has set up still comes; an address that is not confirmed does not matter here.
    attempt = Attempt(
        user=login, redirect_url=next_page(request, request.POST), email_verification=EmailVerificationMethod.NONE
    )
    answer: HttpResponseBase = perform_login(request, attempt)
    return answer


def _check_code(request: HttpRequest, number: str, code: str) -> None:
    state = request.session.get(_STATE)
    if not state or state["until"] < clock.now().timestamp() or state["tries"] <= 0:
        raise Invalid(
            "code.over", Text("This code has run out. Ask for a new one.", "验证码已失效，请重新获取。"), field="code"
        )
    request.session[_STATE] = state | {"tries": state["tries"] - 1}
    if not hmac.compare_digest(state["digest"], _digest(number, code)):
        raise Invalid(
            "code.wrong",
            Text("This is not the code that we sent. Check it.", "验证码不正确，请核对。"),
            field="code",
        )


@transaction.atomic
def _login_of(request: HttpRequest, number: str) -> Login:
    found = Login.objects.filter(phone=number).first()
    if found is None:
        found = Login(phone=number, phone_verified=True)
        found.set_unusable_password()
        adopt_guest(request, found)
        found.save()
    return found


def _change(request: HttpRequest, number: str) -> HttpResponse:
    login = request.user
    assert isinstance(login, Login)
    if Login.objects.filter(phone=number).exclude(pk=login.pk).exists():
        raise Conflict(
            "phone.taken",
            Text(
                "You have another account with this number. Sign out, and sign in with it.",
                "您用此号码还有另一个账号，请退出后用它登录。",
            ),
            field="phone",
        )
    del request.session[_STATE]
    login.phone, login.phone_verified = number, True
    login.save(update_fields=["phone", "phone_verified"])
    messages.success(request, said(Text("Your number is confirmed.", "手机号已验证。")))
    return see_other("account")


def next_page(request: HttpRequest, given: QueryDict) -> str | None:
    """The page on this site that is wanted after signing in, if one is."""
    wanted = given.get("next", "")
    return wanted if url_has_allowed_host_and_scheme(wanted, {request.get_host()}) else None


def _page(request: HttpRequest, template: str, refusal: Refusal | None = None, number: str = "") -> HttpResponse:
    context = {
        "refusal": refusal,
        "form": request.POST if refusal else None,
        "phone": number,
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }
    response = render(request, template, context, status=refusal.status if refusal else 200)
    if isinstance(refusal, TooMany):
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


urlpatterns = [path("phone/", phone, name="account_phone"), path("phone/code/", confirm, name="account_phone_code")]
