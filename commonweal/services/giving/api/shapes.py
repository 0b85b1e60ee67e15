"""Shapes that several nouns share."""

from __future__ import annotations

import uuid
from typing import Annotated

from ninja import Schema
from pydantic import Base64Bytes, Field

from commonweal.kernel.doors import Body
from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text

Documents = Annotated[list[Base64Bytes], Field(max_length=10)]
"""Files of evidence: PDF, JPEG, PNG or WebP, each in base64."""


class Both(Schema):
    """A text in both languages."""

    en: str
    zh: str

    @classmethod
    def of(cls, text: Text) -> Both:
        return cls(en=text.en, zh=text.zh)


class Words(Body):
    """A text as it is sent: what is missing in one language is shown in the other."""

    en: Annotated[str, Field(max_length=20_000)] = ""
    zh: Annotated[str, Field(max_length=20_000)] = ""

    @property
    def text(self) -> Text:
        """Both languages; the rules then say what may stand in it. Raises `Invalid` (`text.empty`) for neither."""
        en, zh = self.en.strip(), self.zh.strip()
        if not (en or zh):
            raise Invalid("text.empty", Text("Write something here.", "请填写此项。"))
        return Text(en or zh, zh or en)


class Made(Schema):
    """The id of what was made."""

    id: uuid.UUID
