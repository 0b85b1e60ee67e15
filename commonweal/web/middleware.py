"""The two things that surround every request: its language, and what happens when it fails."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import is_valid_path
from django.utils import translation
from django.utils.cache import patch_vary_headers

from commonweal.kernel.errors import Refusal
from commonweal.web import failures, languages

Answer = Callable[[HttpRequest], HttpResponseBase]
YEAR = 365 * 24 * 3600


class LanguageInPath:
    """Speak the language of the path, and lead a path without one to the page in the visitor's language."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = languages.of_path(request.path_info)
        with translation.override(languages.DJANGO[language or languages.preferred(request)]):
            if language is None and request.method in ("GET", "HEAD") and (page := self._page_of(request)):
                response: HttpResponseBase = HttpResponseRedirect(page)
                patch_vary_headers(response, ["Accept-Language", "Cookie"])
                return response
            response = self.get_response(request)
        if language and request.COOKIES.get(languages.COOKIE) != language and response.status_code == 200:
            response.set_cookie(languages.COOKIE, language, max_age=YEAR, samesite="Lax", secure=request.is_secure())
        return response

    def _page_of(self, request: HttpRequest) -> str | None:
        """The page that is meant by a path without language, if there is one."""
        path = request.path_info
        if is_valid_path(path) or (not path.endswith("/") and is_valid_path(f"{path}/")):
            return None
        spoken = f"/{languages.current()}{path}"
        for candidate in (spoken, f"{spoken}/"):
            if is_valid_path(candidate):
                query = request.META.get("QUERY_STRING", "")
                return f"{candidate}?{query}" if query else candidate
        return None


class Private:
    """What somebody who is signed in sees is kept by no cache, unless its view says otherwise."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not response.has_header("Cache-Control") and request.user.is_authenticated:
            response.headers["Cache-Control"] = "private, no-store"
        return response


class Failures:
    """Turn refusals and empty error responses into pages, or into problem+json for programs.

    What fails within Django's own machinery comes through the handlers in `web.urls` instead; both end in `failures`.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code >= 400 and not response.streaming and not _is_said(request, response):
            allow = response.headers.get("Allow")
            response = failures.answer(request, failures.of_status(response.status_code))
            if allow:
                response.headers["Allow"] = allow
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a refusal that no door has answered, and a database that is not there."""
        if isinstance(exception, Refusal):
            return failures.answer(request, exception)
        if failures.is_outage(exception):
            return failures.answer(request, failures.outage())
        return None


def _is_said(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether an error response already explains itself: to people with a page, to programs with a problem."""
    if request.path_info.startswith("/api/"):
        return response.headers.get("Content-Type", "").startswith("application/problem+json")
    return isinstance(response, HttpResponse) and bool(response.content)
