"""The language of a page is the first part of its path: `/zh/giving/`, `/en/giving/`."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.urls.resolvers import LocalePrefixPattern
from django.utils.translation import get_language
from django.utils.translation.trans_real import parse_accept_lang_header

from commonweal.kernel.text import LANGUAGES, Language, Text

COOKIE = "language"
"""The cookie that remembers the language of the last page."""

DJANGO: dict[Language, str] = {"zh": "zh-hans", "en": "en"}
"""Our languages as Django calls them."""

HTML: dict[Language, str] = {"zh": "zh-Hans", "en": "en"}
"""Our languages as HTML calls them."""


class SpokenPath(LocalePrefixPattern):
    """The part of the urlconf whose paths begin with the language that is active."""

    @property
    def language_prefix(self) -> str:
        return f"{current()}/"


def current() -> Language:
    """The language that is active."""
    return "zh" if (get_language() or settings.LANGUAGE_CODE).startswith("zh") else "en"


def said(text: Text | str) -> str:
    """A text in the active language; a plain string is a name and the same in both."""
    return text.say(current()) if isinstance(text, Text) else text


def of_path(path: str) -> Language | None:
    """The language that a path begins with."""
    return next(
        (language for language in LANGUAGES if path == f"/{language}" or path.startswith(f"/{language}/")), None
    )


def other(path: str, language: Language) -> str:
    """The same page in another language: `/zh/giving/` becomes `/en/giving/`."""
    return f"/{language}{path[3:]}" if of_path(path) else f"/{language}/"


def preferred(request: HttpRequest) -> Language:
    """The language of the last page, else the first of Accept-Language that we speak, else the default."""
    remembered = request.COOKIES.get(COOKIE)
    for language in LANGUAGES:
        if remembered == language:
            return language
    for tag, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")[:500].lower()):
        for language in LANGUAGES:
            if tag.split("-")[0] == language:
                return language
    return "zh" if settings.LANGUAGE_CODE.startswith("zh") else "en"
