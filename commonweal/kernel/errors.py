"""What can be refused, and how. Every refusal has a stable code, a text in both languages and one HTTP status.

A rule raises the subclass that names its kind of refusal; doors turn it into a page, a problem+json document
(RFC 9457) or an exit code. Nothing else is ever shown to a user.
"""

from __future__ import annotations

from commonweal.kernel.text import Text


class Refusal(Exception):
    """A request that is understood and not carried out. Nothing has been written.

    `code` is stable and documented (`amount.too-small`); `text` tells what to do next; `field` names the input
    that is at fault, if one is.
    """

    status: int = 422

    def __init__(self, code: str, text: Text, *, field: str | None = None) -> None:
        super().__init__(f"{code}: {text.en}")
        self.code = code
        self.text = text
        self.field = field


class Invalid(Refusal):
    """The input itself is wrong (HTTP 422)."""


class Conflict(Refusal):
    """The input is right, the state of things does not allow it (HTTP 409)."""

    status = 409


class NotFound(Refusal):
    """There is no such thing, or the asker may not know that there is (HTTP 404)."""

    status = 404


class Gone(Refusal):
    """There was such a thing, and its time is over (HTTP 410)."""

    status = 410


class NotAllowed(Refusal):
    """The asker is known, the thing is known, and this person may not do it (HTTP 403)."""

    status = 403


class Unauthenticated(Refusal):
    """Nobody is signed in, or a signature does not hold (HTTP 401)."""

    status = 401


class TooLarge(Refusal):
    """More than the documented limit (HTTP 413)."""

    status = 413


class WrongMediaType(Refusal):
    """The body is of a kind that is not read here (HTTP 415)."""

    status = 415


class TooMany(Refusal):
    """Too often by the same asker: come back in `retry_after` seconds (HTTP 429)."""

    status = 429

    def __init__(self, code: str, text: Text, *, retry_after: int) -> None:
        super().__init__(code, text)
        self.retry_after = retry_after


class Busy(Refusal):
    """Come back in `retry_after` seconds (HTTP 503)."""

    status = 503

    def __init__(self, code: str, text: Text, *, retry_after: int) -> None:
        super().__init__(code, text)
        self.retry_after = retry_after
