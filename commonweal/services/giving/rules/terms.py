"""What a text can be found by: its words, its Chinese characters, and their pinyin, in full or by initials.

Every term is looked up by its beginning, so a run of Chinese is indexed from each of its characters: `音乐老师` gives
`音乐老师`, `乐老师`... and `yinyuelaoshi`, `yyls`... A search for `乐老`, `yinyue` or `yyl` then finds it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from pypinyin import Style, lazy_pinyin

LONGEST = 24
"""Characters of a term. What is longer is found by its beginning."""
MOST_WORDS = 8
"""Words of a query that count."""

_RUNS = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002ebef]+|[^\W_]+")


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFC", "".join(c for c in folded if not unicodedata.combining(c)))


def _is_chinese(run: str) -> bool:
    return "\u3400" <= run[0] <= "\u9fff" or run[0] >= "\U00020000"


def terms(*texts: str) -> list[str]:
    """The terms under which these texts are indexed, sorted."""
    found: set[str] = set()
    for run in _runs(texts):
        if not _is_chinese(run):
            found.add(run[:LONGEST])
            continue
        for written in (list(run), lazy_pinyin(run, errors="ignore"), _initials(run)):
            found.update("".join(written[place:])[:LONGEST] for place in range(len(written)))
    return sorted(found)


def _initials(run: str) -> list[str]:
    return [initial for initial in lazy_pinyin(run, style=Style.FIRST_LETTER, errors="ignore") if initial]


def _runs(texts: Iterable[str]) -> list[str]:
    return [run for text in texts for run in _RUNS.findall(_plain(text))]


def query(text: str) -> str:
    """A search as a PostgreSQL `tsquery` (to be cast, not parsed): every word must begin some term; "" for no words."""
    return " & ".join(f"'{run[:LONGEST]}':*" for run in _runs([text])[:MOST_WORDS])


def sort_key(name: str) -> str:
    """What a Chinese name is sorted by: its pinyin; other names sort among them by their letters."""
    return "".join(lazy_pinyin(_plain(name)))
