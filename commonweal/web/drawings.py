"""Our line drawings: small SVG files in `pictures/`, all 160 by 100, one ink and one thread of colour."""

from __future__ import annotations

import functools
from pathlib import Path

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from commonweal.kernel.text import Text
from commonweal.web.languages import said

FOLDER = Path(__file__).parent / "pictures"


@functools.cache
def names() -> tuple[str, ...]:
    """All drawings that there are."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.svg")))


@functools.cache
def _lines(name: str) -> str:
    if name not in names():
        raise LookupError(f"there is no drawing {name!r}; there are {', '.join(names())}")
    return (FOLDER / f"{name}.svg").read_text().partition(">")[2].rpartition("</svg>")[0].strip()


def draw(name: str, label: Text | None = None) -> SafeString:
    """The drawing as inline SVG, so that it follows the page's colours. Raises `LookupError` for an unknown name."""
    meaning = format_html('role="img" aria-label="{}"', said(label)) if label else mark_safe('aria-hidden="true"')
    lines = mark_safe(_lines(name))  # noqa: S308 (our own files)
    # The attributes are for browsers that cannot read our sheet of style.
    plain = mark_safe('width="160" height="100" fill="none" stroke="currentColor"')
    return format_html('<svg class="drawing" viewBox="0 0 160 100" {} {}>{}</svg>', plain, meaning, lines)
