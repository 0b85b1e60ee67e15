"""Text in both languages, side by side, so that a string in one language alone cannot be written."""

from __future__ import annotations

from dataclasses import dataclass
from string import Formatter
from typing import Any, Literal, get_args

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True, slots=True)
class Text:
    """One message in English and Chinese. `{name}` in either is filled by `format`.

    English has another word for one than for several: `{n} {n:gift|gifts}`.
    """

    en: str
    zh: str

    def __post_init__(self) -> None:
        if not self.en.strip() or not self.zh.strip():
            raise ValueError(f"a text needs both languages: {self.en!r}, {self.zh!r}")

    def __str__(self) -> str:
        return f"{self.en} / {self.zh}" if self.en != self.zh else self.en

    def say(self, language: str) -> str:
        """The text in `language`: `zh` and its variants (`zh-hans`) give Chinese, everything else English."""
        return self.zh if language.lower().startswith("zh") else self.en

    def format(self, **values: object) -> Text:
        """Fill the placeholders of both languages. A `Text` among the values is said in each language."""

        def said(language: Language, pattern: str) -> str:
            return fill(pattern, **{k: v.say(language) if isinstance(v, Text) else v for k, v in values.items()})

        return Text(said("en", self.en), said("zh", self.zh))


class _Filler(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        one, counted, several = format_spec.partition("|")
        if counted:
            return one if str(value) == "1" else several
        return str(super().format_field(value, format_spec))


def fill(pattern: str, **values: object) -> str:
    """`pattern` with its placeholders filled: `{n}` is the value, `{n:gift|gifts}` the word that goes with it as a
    number, the first for 1 (also written, `"1"`) and the second for any other."""
    return _Filler().vformat(pattern, (), values)
