"""HTTP as somebody speaks it who does not give up, and the way in: a session or a token of one person."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from commonweal.operation.seed import PASSWORD

AGAIN = 0.05
"""Seconds before a request without an answer is sent again."""
PATIENCE = 180.0
"""Seconds after which somebody gives up: that is a finding."""
TIME_OUT = 3.0
"""Seconds after which somebody asks again on another connection."""
UNANSWERED = (408, 429, 500, 502, 503, 504)

Answer = tuple[int, http.client.HTTPMessage, bytes]


class Line:
    """A connection that is opened anew whenever it breaks. `statuses` counts what came back; 0 is no whole answer.

    Once `over` is set nobody insists any more.
    """

    def __init__(self, port: int, statuses: Counter[int], over: threading.Event | None = None) -> None:
        self._over = over or threading.Event()
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIME_OUT)
        self._statuses = statuses

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer | None:
        """Status, headers and body; None if there was no whole answer."""
        try:
            self._connection.request(method, path, body, dict(headers or {}))
            answer = self._connection.getresponse()
            found = answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._statuses[0] += 1
            return None
        deliberate = found[0] != 503 or "Retry-After" in found[1]  # one that says when to come again
        self._statuses[found[0] if deliberate else 500] += 1
        return found

    def insist(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | Callable[[], Mapping[str, str]] | None = None,
        *,
        unanswered: tuple[int, ...] = UNANSWERED,
    ) -> Answer | None:
        """Ask until there is an answer; None after `PATIENCE`. Headers that are called for are made each time."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and not self._over.is_set():
            answer = self.ask(method, path, body, headers() if callable(headers) else headers)
            if answer is not None and answer[0] not in unanswered:
                return answer
            self._over.wait(AGAIN)
        return None


class Person:
    """Somebody of the demonstration, signed in."""

    def __init__(self, port: int, address: str) -> None:
        self._line = Line(port, Counter())
        self._cookies: dict[str, str] = {}
        shown = self._open("/en/account/login/")
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', shown[2])
        if token is None:
            raise RuntimeError("the sign-in page has no form")
        self._send(
            "/en/account/login/",
            {"csrfmiddlewaretoken": token[1].decode(), "login": address, "password": PASSWORD},
        )
        if "sessionid" not in self._cookies:
            raise RuntimeError(f"{address} cannot sign in")

    @property
    def session(self) -> dict[str, str]:
        """The headers of a request in the session: the cookies, and the token against forged requests."""
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return {"Cookie": cookies, "X-CSRFToken": self._cookies["csrftoken"]}

    def token(self) -> dict[str, str]:
        """The headers of a program that acts for this person, by a token that is made now."""
        page = self._send("/en/account/tokens/", {"title": "torture"})
        found = re.search(rb"Authorization: Bearer ([^&'\s]+)", page[2].replace(b"&#x27;", b"'"))
        if found is None:
            raise RuntimeError("no token is shown")
        return {"Authorization": f"Bearer {found[1].decode()}"}

    def _open(self, path: str) -> Answer:
        return self._keep(self._line.insist("GET", path))

    def _send(self, path: str, form: Mapping[str, str]) -> Answer:
        headers = {**self.session, "Content-Type": FORM}
        return self._keep(self._line.insist("POST", path, urlencode(form).encode(), headers))

    def _keep(self, answer: Answer | None) -> Answer:
        if answer is None:
            raise RuntimeError("the platform does not answer")
        for line in answer[1].get_all("Set-Cookie") or []:
            jar = SimpleCookie()
            jar.load(line)
            self._cookies |= {name: morsel.value for name, morsel in jar.items()}
        return answer


FORM = "application/x-www-form-urlencoded"


class Gate:
    """Lets people on, or keeps them where they are between two errands until all stand still."""

    def __init__(self, people: int) -> None:
        self._people, self._standing = people, 0
        self._open = self._over = False
        self._change = threading.Condition()

    def open(self) -> None:
        """Let them on."""
        with self._change:
            self._open = True
            self._change.notify_all()

    def close(self, *, for_good: bool = False) -> None:
        """Keep them, once each has done what it is at, and wait until all stand."""
        with self._change:
            self._open, self._over = False, for_good
            self._change.notify_all()
            self._change.wait_for(lambda: self._standing == self._people)

    def passes(self) -> bool:
        """For each of them before an errand: wait while the gate is closed. False if it is over."""
        with self._change:
            self._standing += 1
            self._change.notify_all()
            self._change.wait_for(lambda: self._open or self._over)
            if self._open:
                self._standing -= 1
            return self._open
