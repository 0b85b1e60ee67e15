"""What people and programs see when something is refused or fails: one page, one JSON document, both languages."""

from __future__ import annotations

import functools
import sys
from typing import Any
from urllib.parse import urlencode

import psycopg_pool
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from commonweal.kernel.errors import Busy, Refusal, TooMany
from commonweal.kernel.text import Language, Text
from commonweal.web import languages
from commonweal.web.context import without_records

_GENERAL: dict[int, tuple[str, Text, Text]] = {
    400: (
        "request.bad",
        Text("We could not read that", "无法读懂这个请求"),
        Text(
            "Something in the address or in what was sent is not right. Go back, check it, and try once more.",
            "网址或提交的内容有误。请返回检查后再试一次。",
        ),
    ),
    401: (
        "sign-in.needed",
        Text("Sign in to go on", "请先登录"),
        Text("This page is for those who are signed in.", "此页面需要登录后查看。"),
    ),
    403: (
        "not-allowed",
        Text("You may not open this", "您没有权限"),
        Text(
            "This belongs to somebody else, or needs another role. If you think it should be open to you, ask whoever "
            "sent you here.",
            "这里的内容属于他人，或需要其他权限。如果您认为应当可以查看，请联系给您链接的人。",
        ),
    ),
    404: (
        "not-found",
        Text("There is nothing here", "这里没有内容"),
        Text(
            "The address may be mistyped, or the page has moved. Search for it, or start from the home page.",
            "网址可能有误，或页面已经移走。您可以搜索，或从首页重新开始。",
        ),
    ),
    405: (
        "method.not-allowed",
        Text("This cannot be done here", "不能这样操作"),
        Text(
            "The page exists, but it does not take this kind of request. Open it again from the home page.",
            "页面存在，但不接受这种请求方式。请从首页重新打开。",
        ),
    ),
    409: (
        "conflict",
        Text("That does not fit how things stand", "与当前状态不符"),
        Text(
            "What you sent is in order, but something has changed meanwhile. Look again, then decide anew.",
            "您提交的内容没有问题，但情况已有变化。请查看最新状态后再决定。",
        ),
    ),
    410: (
        "gone",
        Text("Its time is over", "已经失效"),
        Text("What was here is no longer open. Ask whoever sent you here.", "此处内容已失效，请联系给您链接的人。"),
    ),
    413: (
        "body.too-large",
        Text("That is too large", "内容太大"),
        Text(
            "Send less at once: a file may have 10 MB, a form 1 MB.",
            "请减少一次提交的内容：文件不超过 10 MB，表单不超过 1 MB。",
        ),
    ),
    415: (
        "media-type.unknown",
        Text("We do not read this kind of file", "不支持这种格式"),
        Text("Send JSON with the content type application/json.", "请以 application/json 格式发送 JSON。"),
    ),
    422: (
        "input.invalid",
        Text("Something needs to be put right", "有内容需要更正"),
        Text("Go back, correct what is marked, and send it again.", "请返回，更正有误的地方后重新提交。"),
    ),
    429: (
        "too-many",
        Text("A little slower, please", "请稍等片刻"),
        Text(
            "There have been many attempts in a short time. Wait a minute and try again; nothing is lost.",
            "短时间内操作次数过多。请等一分钟再试，您的内容不会丢失。",
        ),
    ),
    500: (
        "failure",
        Text("Something broke on our side", "我们这边出了问题"),
        Text(
            "It is not your fault, and nothing was half done: what you sent has either been kept whole or not at all. "
            "Try again in a moment.",
            "这不是您的错。您提交的内容要么已完整保存，要么完全没有写入，不会只做一半。请稍后再试。",
        ),
    ),
    503: (
        "unavailable",
        Text("We will be back in a moment", "马上回来"),
        Text(
            "The platform cannot reach its records just now. No gift is lost: what was acknowledged is kept. "
            "Try again in half a minute.",
            "平台暂时无法读取数据。已经确认的捐助都完好保存，不会丢失。请半分钟后再试。",
        ),
    ),
}
STATUSES = tuple(_GENERAL)
"""The statuses that have a page of their own."""


class Failure(Refusal):
    """A failure that has no code of its own yet: known by its HTTP status alone."""

    def __init__(self, status: int) -> None:
        code, _, text = _GENERAL.get(status, _GENERAL[400 if status < 500 else 500])
        super().__init__(code, text)
        self.status = status


def of_status(status: int) -> Failure:
    """The general failure of an HTTP status."""
    return Failure(status)


def outage() -> Busy:
    """The database cannot be reached."""
    code, _, text = _GENERAL[503]
    return Busy(code, text, retry_after=30)


def is_outage(exception: BaseException | None) -> bool:
    """Whether an exception means that the database is away or that all its sessions are taken."""
    return isinstance(exception, (OperationalError, InterfaceError, psycopg_pool.PoolTimeout))


def title(status: int) -> Text:
    """The heading of an error page."""
    return _GENERAL.get(status, _GENERAL[400 if status < 500 else 500])[1]


def problem(refusal: Refusal) -> dict[str, Any]:
    """A refusal as problem details (RFC 9457), in both languages."""
    return {
        "type": "about:blank",
        "title": title(refusal.status).en,
        "status": refusal.status,
        "detail": refusal.text.en,
        "code": refusal.code,
        "field": refusal.field,
        "en": refusal.text.en,
        "zh": refusal.text.zh,
    }


def answer(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The response to a refusal: problem+json under `/api/`, the sign-in page for 401, else a page."""
    response: HttpResponse
    if request.path_info.startswith("/api/"):
        response = JsonResponse(
            problem(refusal),
            status=refusal.status,
            content_type="application/problem+json",
            json_dumps_params={"ensure_ascii": False},
        )
        if refusal.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
    elif refusal.status == 401 and request.method in ("GET", "HEAD"):
        query = urlencode({"next": request.get_full_path()})
        return HttpResponseRedirect(f"{reverse('account_login')}?{query}", status=303)
    else:
        response = HttpResponse(page(request, refusal), status=refusal.status)
    if isinstance(refusal, (Busy, TooMany)):
        response.headers["Retry-After"] = str(refusal.retry_after)
    response.headers["Cache-Control"] = "no-store"
    return response


def page(request: HttpRequest, refusal: Refusal) -> str:
    """The page of a refusal. It touches neither the session nor the database, so that it can always be shown."""
    said = {"status": refusal.status, "code": refusal.code, "title": title(refusal.status), "text": refusal.text}
    context = without_records(request) | said
    return render_to_string("web/failure.html", context)


@functools.cache
def page_of_all(status: int, code: str, text: Text, language: Language) -> bytes:
    """The page of a refusal that is the same at every address, made once: to try again is to load where one is."""
    request, refusal = HttpRequest(), Refusal(code, text)
    request.path = request.path_info = f"/{language}/"
    said = {"status": status, "code": refusal.code, "title": title(status), "text": refusal.text}
    with translation.override(languages.DJANGO[language]):
        context = without_records(request) | said | {"here": ""}
        return render_to_string("web/failure.html", context).encode()


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler400: malformed requests, and those that are larger than the settings allow."""
    large = isinstance(exception, (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent))
    return answer(request, of_status(413 if large else 400))


def not_allowed(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler403."""
    return answer(request, of_status(403))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler404."""
    return answer(request, of_status(404))


def too_many(request: HttpRequest) -> HttpResponse:
    """What allauth answers to those who try too often."""
    code, _, text = _GENERAL[429]
    return answer(request, TooMany(code, text, retry_after=60))


def failed(request: HttpRequest) -> HttpResponse:
    """Django's handler500: what was raised outside of a view, too."""
    exception = sys.exc_info()[1]
    if isinstance(exception, Refusal):
        return answer(request, exception)
    return answer(request, outage() if is_outage(exception) else of_status(500))


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: usually a form that was left open too long."""
    stale = Refusal(
        "form.stale",
        Text(
            "This form was open too long, or cookies are switched off. Go back, reload the page and send it again.",
            "表单打开时间过长，或浏览器禁用了 Cookie。请返回、刷新页面后重新提交。",
        ),
    )
    stale.status = 403
    return answer(request, stale)
