"""Shapes that several nouns share."""

from __future__ import annotations

from ninja import Schema

from commonweal.kernel.text import Text


class Both(Schema):
    """A text in both languages."""

    en: str
    zh: str

    @classmethod
    def of(cls, text: Text) -> Both:
        return cls(en=text.en, zh=text.zh)
