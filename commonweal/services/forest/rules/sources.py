"""Partners that report deeds: what they sign, and what a batch may hold."""

from __future__ import annotations

from datetime import datetime, timedelta

from commonweal.kernel.errors import Unauthenticated
from commonweal.kernel.text import Text

SIGNED = b"commonweal-forest-deeds\n"
"""What stands before the bytes that a partner signs, so that a signature made for something else is none here."""
FRESH = timedelta(minutes=5)
"""How far the time of a signature may be from ours."""
LARGEST_BATCH = 5_000
"""Deeds in a batch."""
LARGEST_BODY = 1_000_000
"""Bytes of a batch."""
REFUSALS_KEPT = 200
"""Refusals of a batch that are kept by name for the partner's console; all are counted."""
PARTNER_GRADES = ("A", "B")


def signed_bytes(at: str, body: bytes) -> bytes:
    """What is signed: the heading, the time as sent, a line end, and the body byte for byte."""
    return SIGNED + at.encode() + b"\n" + body


def check_fresh(at: str, now: datetime) -> None:
    """Raises `Unauthenticated` (`signature.time`) unless the signature's time (Unix seconds) is within five minutes."""
    if not at.isascii() or not at.isdigit() or len(at) > 12 or abs(int(at) - now.timestamp()) > FRESH.total_seconds():
        raise Unauthenticated(
            "signature.time",
            Text("Sign with the time of now, in Unix seconds.", "请用当前时间（Unix 秒）签名。"),
        )
