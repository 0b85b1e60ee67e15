"""Text messages: a port with two providers. One-time codes are the only thing that is ever sent by it."""

from __future__ import annotations

import json
import logging
import urllib.request
from typing import Protocol

from django.conf import settings

log = logging.getLogger(__name__)


class Telephone(Protocol):
    """Whatever can send a short text to a number in E.164 form."""

    def send(self, number: str, text: str) -> None:
        """Hand the text over. Raises `OSError` if the provider does not take it."""


class Console:
    """Prints instead of sending: for a demonstration on one's own machine."""

    def send(self, number: str, text: str) -> None:
        """Print the text, and of the number the last two digits."""
        print(f"SMS to …{number[-2:]}: {text}", flush=True)  # noqa: T201


class Gateway:
    """Posts `{"to", "text"}` as JSON to the address in COMMONWEAL_SMS_URL; any 2xx answer is a yes."""

    def __init__(self, url: str) -> None:
        self.url = url

    def send(self, number: str, text: str) -> None:
        """Post the text. Raises `OSError` for any other answer or none within ten seconds."""
        body = json.dumps({"to": number, "text": text}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            log.info("a text message was handed over")


def telephone() -> Telephone:
    """The provider that the settings name."""
    return Gateway(settings.TELEPHONE_GATEWAY) if settings.TELEPHONE_GATEWAY else Console()
