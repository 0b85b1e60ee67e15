"""Who plays in the demonstration, and what its parts share."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from PIL import Image, ImageDraw

from commonweal.kernel.parties.models import Login, Party
from commonweal.kernel.text import Text
from commonweal.services.giving.models import Campaign

DAY = timedelta(days=1)
Story = dict[str, Any]
"""A part of the file of stories."""


@dataclass(frozen=True)
class Cast:
    """Who plays in the demonstration."""

    officer: Party
    stewards: tuple[Party, Party]
    givers: tuple[Party, ...]


def party_of(email: str) -> Party:
    return Login.objects.select_related("party").get(email=email).party


def both(told: dict[str, str]) -> Text:
    return Text(told["en"], told["zh"])


def paper(title: str, lines: int) -> bytes:
    """A drawn sheet that is clearly no real document."""
    sheet = Image.new("RGB", (420, 300), (253, 251, 246))
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((12, 12, 407, 287), outline=(90, 80, 70), width=2)
    pen.text((30, 28), f"{title} - MADE UP", fill=(150, 60, 40))
    for line in range(lines):
        pen.line((30, 70 + 22 * line, 390 - 30 * (line % 3), 70 + 22 * line), fill=(120, 110, 100), width=2)
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def campaign_of(begins: str) -> Campaign | None:
    """The campaign whose English title begins so."""
    return Campaign.objects.filter(kind="campaign", title_en__startswith=begins).first()
