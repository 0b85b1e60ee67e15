"""A drawn sapling that clearly is no photograph: what the demonstration has in place of pictures from the field."""

from __future__ import annotations

import io
import random

from PIL import Image, ImageDraw


def snapshot(number: int) -> bytes:
    """A JPEG of 480 by 360: sand with stones, a sapling, and the words that it is made up."""
    dice = random.Random(number)  # noqa: S311 (nothing here is secret)
    sheet = Image.new("RGB", (480, 360), (214 + dice.randrange(20), 196 + dice.randrange(16), 160))
    pen = ImageDraw.Draw(sheet)
    for _ in range(260):
        x, y, size = dice.randrange(480), dice.randrange(360), dice.randrange(2, 14)
        shade = dice.randrange(90, 200)
        pen.ellipse((x, y, x + size, y + size * 0.7), fill=(shade, shade - 12, shade - 34))
    foot = dice.randrange(170, 310), dice.randrange(240, 320)
    for _ in range(26):
        reach, lift = dice.randrange(-90, 91), dice.randrange(60, 200)
        tip = foot[0] + reach, foot[1] - lift
        pen.line((*foot, *tip), fill=(96, 74, 48), width=dice.randrange(2, 5))
        for _ in range(7):
            x, y = tip[0] + dice.randrange(-16, 17), tip[1] + dice.randrange(-16, 17)
            pen.ellipse((x, y, x + 7, y + 5), fill=(70 + dice.randrange(50), 110 + dice.randrange(50), 60))
    pen.text((10, 10), f"MADE UP - {number}", fill=(120, 50, 30))
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=82)
    return out.getvalue()
