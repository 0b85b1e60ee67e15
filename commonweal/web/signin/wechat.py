"""Signing in with WeChat (website application, OAuth 2), where the settings name one.

Of what WeChat tells us only a keyed hash of the person's identifier is kept: no nickname, no picture, no token.
"""

from __future__ import annotations

import hmac
import json
import secrets
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlencode

from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login as Attempt
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotFound, Refusal
from commonweal.kernel.parties import cipher
from commonweal.kernel.parties.models import Login
from commonweal.kernel.text import Text
from commonweal.web.doors import done
from commonweal.web.signin.adapter import adopt_guest
from commonweal.web.signin.phone import next_page

ASK = "https://open.weixin.qq.com/connect/qrconnect"
EXCHANGE = "https://api.weixin.qq.com/sns/oauth2/access_token"
"""Where people are sent, and where their code is exchanged (developers.weixin.qq.com, website applications)."""
LASTS = 600
"""Seconds within which one must come back."""

_STATE = "wechat"


def is_on() -> bool:
    """Whether the settings name a WeChat application."""
    return bool(settings.WECHAT)


@never_cache
@require_safe
def leave(request: HttpRequest) -> HttpResponseBase:
    """Go to WeChat, with a word by which we know who comes back."""
    if not is_on():
        raise NotFound("wechat.off", Text("WeChat is not set up here.", "本站未启用微信登录。"))
    word = secrets.token_urlsafe(24)
    until = clock.now().timestamp() + LASTS
    request.session[_STATE] = {"word": word, "until": until, "next": next_page(request, request.GET)}
    query = {
        "appid": settings.WECHAT.partition(":")[0],
        "redirect_uri": request.build_absolute_uri(reverse("account_wechat_back")),
        "response_type": "code",
        "scope": "snsapi_login",
        "state": word,
    }
    return HttpResponseRedirect(f"{ASK}?{urlencode(query)}#wechat_redirect")


@never_cache
@require_safe
def back(request: HttpRequest) -> HttpResponseBase:
    """Come back from WeChat: signed in, or joined in, or connected to the account that one has."""
    state = request.session.pop(_STATE, None) or {"word": "", "until": 0.0, "next": None}
    try:
        known = hmac.compare_digest(state["word"].encode(), request.GET.get("state", "").encode())
        if not (is_on() and known and state["word"] and state["until"] > clock.now().timestamp()):
            raise _failed()
        person = _digest(_exchange(request.GET.get("code", "")))
        if request.user.is_authenticated:
            return _connect(request, person)
    except Refusal as refusal:
        return render(request, "account/wechat.html", {"refusal": refusal}, status=refusal.status)
    login = _login_of(request, person)
    record_authentication(request, login, method="wechat")
    attempt = Attempt(user=login, redirect_url=state["next"], email_verification=EmailVerificationMethod.NONE)
    answer: HttpResponseBase = perform_login(request, attempt)
    return answer


def _failed() -> Invalid:
    return Invalid(
        "wechat.failed", Text("WeChat did not confirm who you are. Try again.", "微信未能确认您的身份，请重试。")
    )


def _exchange(code: str) -> str:
    """The person's identifier for a code. Raises `Invalid` (`wechat.failed`)."""
    application, _, secret = settings.WECHAT.partition(":")
    query = {"appid": application, "secret": secret, "code": code, "grant_type": "authorization_code"}
    try:
        with urllib.request.urlopen(f"{EXCHANGE}?{urlencode(query)}", timeout=10) as answer:  # noqa: S310
            found: dict[str, Any] = json.loads(answer.read(100_000))
        return str(found.get("unionid") or found["openid"])
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise _failed() from error


def _digest(identifier: str) -> str:
    # Under the platform's key, which outlives the key of the sessions.
    return hmac.digest(cipher.platform_key(settings.HOME), f"wechat:{identifier}".encode(), "sha256").hex()


@transaction.atomic
def _login_of(request: HttpRequest, person: str) -> Login:
    found = Login.objects.filter(wechat=person).first()
    if found is None:
        found = Login(wechat=person)
        found.set_unusable_password()
        adopt_guest(request, found)
        found.save()
    return found


def _connect(request: HttpRequest, person: str) -> HttpResponseBase:
    login = request.user
    assert isinstance(login, Login)
    if Login.objects.filter(wechat=person).exclude(pk=login.pk).exists():
        raise Conflict(
            "wechat.taken",
            Text(
                "You have another account with this WeChat. Sign out, and sign in with it.",
                "此微信已有另一个账号，请退出后用它登录。",
            ),
        )
    login.wechat = person
    login.save(update_fields=["wechat"])
    return done(request, "account", Text("WeChat is connected.", "微信已绑定。"))


urlpatterns = [path("wechat/", leave, name="account_wechat"), path("wechat/back/", back, name="account_wechat_back")]
