"""People who give and look on, and the provider who reports their payments: all of them over HTTP.

Each gift has a key, and whoever gets no answer asks again with the same key, for as long as it takes; so does the
provider. What is acknowledged is remembered here and nowhere else.
"""

from __future__ import annotations

import base64
import http.client
import json
import random
import re
import secrets
import threading
import time
import uuid
from collections.abc import Mapping
from http.cookies import SimpleCookie
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.text import Text
from commonweal.operation.seed import PASSWORD
from commonweal.operation.torture.auditor import Acknowledged

AGAIN = 0.05
"""Seconds before a request without an answer is sent again."""
PATIENCE = 180.0
"""Seconds after which somebody gives up: that is a finding."""
PAGES = ("/zh/", "/en/", "/zh/giving/", "/checkpoint")
GIVER = "giver@demo.example"
UNANSWERED = (408, 429, 500, 502, 503, 504)


class Line:
    """A connection that is opened anew whenever it breaks."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes] | None:
        """Status, headers and body; None if there was no whole answer."""
        try:
            self._connection.request(method, path, body, dict(headers or {}))
            answer = self._connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return None


class Load:
    """Givers and onlookers, each a thread with a line of its own. Leaving the block waits for every answer."""

    def __init__(self, port: int, home: Path, seed: int, givers: int, onlookers: int = 2) -> None:
        self.port, self.home = port, home
        self.acknowledged: list[Acknowledged] = []
        self.checkpoints: set[str] = set()
        self.unexpected: list[str] = []
        self.paid: set[uuid.UUID] = set()
        self.retried = self.pages = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._campaign = self._find_campaign()
        self._signed_in = self._sign_in()
        roles = [self._give] * givers + [self._look] * onlookers
        self._threads = [
            threading.Thread(target=role, args=[random.Random(seed + number)])  # noqa: S311
            for number, role in enumerate(roles)
        ]

    @property
    def taken(self) -> int:
        """How many gifts have been acknowledged so far."""
        return len(self.acknowledged)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _find_campaign(self) -> str:
        answer = self._insist(Line(self.port), "GET", "/api/v1/giving/campaigns")
        open_ones = json.loads(answer[2])["campaigns"] if answer and answer[0] == 200 else []
        if not open_ones:
            text = Text("There is no open campaign to give to.", "没有可以捐助的项目。")
            raise Conflict("torture.no-campaign", text)
        return str(open_ones[0]["id"])

    def _sign_in(self) -> dict[str, str]:
        """The headers of a signed-in giver: the session, and the token against forged requests."""
        line, page = Line(self.port), "/en/account/login/"
        shown = self._insist(line, "GET", page)
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', shown[2]) if shown else None
        if shown is None or token is None:
            raise RuntimeError("the sign-in page has no form")
        cookies = _cookies(shown[1])
        form = {"csrfmiddlewaretoken": token[1].decode(), "login": GIVER, "password": PASSWORD}
        headers = {"Cookie": _cookie_line(cookies), "Content-Type": "application/x-www-form-urlencoded"}
        answer = self._insist(line, "POST", page, urlencode(form).encode(), headers)
        if answer is None or "sessionid" not in (given := _cookies(answer[1])):
            raise RuntimeError("the giver of the demonstration cannot sign in")
        cookies |= given
        return {"Cookie": _cookie_line(cookies), "X-CSRFToken": cookies["csrftoken"]}

    def _insist(
        self, line: Line, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes] | None:
        """Ask until there is an answer; None after `PATIENCE`."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = line.ask(method, path, body, headers)
            if answer is not None and answer[0] not in UNANSWERED:
                return answer
            self.retried += 1
            time.sleep(AGAIN)
        return None

    def _give(self, chance: random.Random) -> None:
        line = Line(self.port)
        while not self._stop.is_set():
            key, amount = f"torture-{chance.randbytes(12).hex()}", chance.randint(1, 10_000)
            gift = self._give_once(line, key, amount)
            if gift is None:
                return
            with self._lock:
                self.acknowledged.append(Acknowledged(key, uuid.UUID(self._campaign), gift, amount))
            if chance.random() < 0.05 and self._give_once(line, key, amount) != gift:  # a double click
                self._note(f"the key {key} was answered with another gift the second time")
            self._pay(line, gift, amount)

    def _give_once(self, line: Line, key: str, amount: int) -> uuid.UUID | None:
        """The id of the gift once it is acknowledged."""
        body = json.dumps({"amount": f"{amount // 100}.{amount % 100:02d}", "asset": "CNY", "channel": "simulator"})
        headers = {**self._signed_in, "Content-Type": "application/json", "Idempotency-Key": key}
        path = f"/api/v1/giving/campaigns/{self._campaign}/gifts"
        answer = self._insist(line, "POST", path, body.encode(), headers)
        if answer is None or answer[0] != 201:
            self._note(f"a gift was answered {answer[0]} {answer[2][:200]!r}" if answer else "a gift had no answer")
            return None
        return uuid.UUID(json.loads(answer[2])["id"])

    def _pay(self, line: Line, gift: uuid.UUID, amount: int) -> None:
        """Report the payment as the simulator does: signed, once and again until it is taken in."""
        value = {"book": self._campaign, "gift": str(gift), "amount": amount, "asset": "CNY", "reference": f"t-{gift}"}
        body = json.dumps(value).encode()
        moment, nonce = str(int(clock.now().timestamp())), secrets.token_hex(16)
        key = Ed25519PrivateKey.from_private_bytes((self.home / "keys" / "simulator.key").read_bytes())
        headers = {
            "Content-Type": "application/json",
            "Simulator-Timestamp": moment,
            "Simulator-Nonce": nonce,
            "Simulator-Signature": base64.b64encode(key.sign(f"{moment}\n{nonce}\n".encode() + body + b"\n")).decode(),
        }
        answer = self._insist(line, "POST", "/api/v1/giving/payments/simulator", body, headers)
        outcome = json.loads(answer[2]).get("outcome") if answer and answer[0] == 200 else answer
        if outcome not in ("paid", "known"):
            self._note(f"a payment was answered {outcome}")
            return
        with self._lock:
            self.paid.add(gift)

    def _look(self, chance: random.Random) -> None:
        line = Line(self.port)
        while not self._stop.is_set():
            path = chance.choice(PAGES)
            answer = line.ask("GET", path)
            if answer is None or answer[0] in UNANSWERED:
                self._stop.wait(AGAIN)
                continue
            if answer[0] == 200 and path == "/checkpoint":
                self.checkpoints.add(answer[2].decode())
            self.pages += 1
            self._stop.wait(AGAIN)

    def _note(self, what: str) -> None:
        with self._lock:
            self.unexpected.append(what)


def _cookies(headers: http.client.HTTPMessage) -> dict[str, str]:
    jar = SimpleCookie()
    for line in headers.get_all("Set-Cookie") or []:
        jar.load(line)
    return {name: morsel.value for name, morsel in jar.items()}


def _cookie_line(cookies: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
