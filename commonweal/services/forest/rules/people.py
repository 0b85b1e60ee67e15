"""Who is a child, what friends call one another, and the codes that they give."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime, timedelta

from commonweal.kernel.errors import NotFound
from commonweal.kernel.text import Text
from commonweal.services.forest.rules.bubbles import day_of

GROWN_UP = 18
"""Years (Law of the PRC on the Protection of Minors, article 2)."""
CODE_LASTS = timedelta(days=7)
CODES = 20
"""Codes of one person that wait at a time."""
FRIENDS = 200
SHIELD = timedelta(hours=24)
LONGEST_NAME = 20
_CODE = re.compile(r"[A-Z2-7]{16}")


def is_child(birth_year: int | None, has_guardian: bool, now: datetime) -> bool:
    """Whether somebody is a child here: under a guardian, or under 18 in every month of that year of birth."""
    return has_guardian or (birth_year is not None and day_of(now).year - birth_year <= GROWN_UP)


def code_of(random: bytes) -> str:
    """A code of 10 random bytes: 16 letters and digits that are not mistaken for one another, in fours."""
    letters = base64.b32encode(random).decode()
    return "-".join(letters[n : n + 4] for n in range(0, 16, 4))


def digest_of(code: str) -> bytes:
    """The SHA-256 of a code, however it is written. Raises `NotFound` (`code.unknown`)."""
    letters = re.sub(r"[\s-]", "", code).upper()
    if not _CODE.fullmatch(letters):
        raise unknown_code()
    return hashlib.sha256(letters.encode()).digest()


def unknown_code() -> NotFound:
    """Such a code is not, or no longer, known."""
    return NotFound(
        "code.unknown",
        Text("This code is unknown, used or over. Ask for a new one.", "邀请码不存在、已使用或已过期，请再要一个。"),
        field="code",
    )
