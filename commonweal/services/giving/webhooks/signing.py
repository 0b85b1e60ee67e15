"""The signature of a call: HMAC-SHA256 over its time and its very bytes, as Stripe's webhooks have it."""

from __future__ import annotations

import hmac
import re
from datetime import datetime, timedelta

HEADER = "Commonweal-Signature"
TOLERANCE = timedelta(seconds=300)
"""How old a call may be that a receiver believes."""

_FORM = re.compile(r"t=(?P<time>[0-9]{1,12}),v1=(?P<mac>[0-9a-f]{64})")


def sign(secret: bytes, body: bytes, at: datetime) -> str:
    """The header's value: `t=<Unix time>,v1=<hex HMAC-SHA256 of "<Unix time>.<body>">`."""
    moment = int(at.timestamp())
    return f"t={moment},v1={hmac.new(secret, b'%d.%b' % (moment, body), 'sha256').hexdigest()}"


def verify(secret: bytes, body: bytes, header: str, now: datetime) -> bool:
    """What a receiver does: the signature holds for these bytes and is not older, or newer, than 300 seconds."""
    found = _FORM.fullmatch(header)
    if found is None or abs(now.timestamp() - int(found["time"])) > TOLERANCE.total_seconds():
        return False
    wanted = hmac.new(secret, b"%s.%b" % (found["time"].encode(), body), "sha256").hexdigest()
    return hmac.compare_digest(wanted, found["mac"])
