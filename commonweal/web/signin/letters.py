"""Sending codes: after the commit, with address and content sealed until they are sent.

The request itself only writes one row, so that how long it takes says nothing about whether an account exists.
"""

from __future__ import annotations

import base64
import json
from typing import Literal

from django.conf import settings
from django.core.mail import send_mail

from commonweal.kernel.jobs import task
from commonweal.kernel.notices.telephone import telephone
from commonweal.kernel.parties import cipher

_BOUND = b"letter"

Channel = Literal["mail", "telephone"]


def send(channel: Channel, to: str, subject: str, body: str) -> None:
    """Enqueue one message, in the caller's transaction."""
    plain = json.dumps([channel, to, subject, body]).encode()
    sealed = cipher.encrypt(cipher.platform_key(settings.HOME), plain, _BOUND)
    letter.enqueue(sealed=base64.b64encode(sealed).decode())


@task("web.letter", attempts=4)
def letter(sealed: str) -> None:
    """Hand one message to its provider. Codes are short-lived: it is not tried for long."""
    plain = cipher.decrypt(cipher.platform_key(settings.HOME), base64.b64decode(sealed), _BOUND)
    channel, to, subject, body = json.loads(plain)
    if channel == "mail":
        send_mail(subject, body, None, [to])
    else:
        telephone().send(to, body)
