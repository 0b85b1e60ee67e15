"""People who give and look on, and the provider who reports their payments: all of them over HTTP.

Some give in a session, alone or in a team, some by a program and its token, and a charity enters what it has collected;
gifts are matched from a pool, and some go back. Each request has a key, and whoever gets no answer asks again with the
same key, for as long as it takes; so does the provider. What is acknowledged is remembered here and nowhere else.
"""

from __future__ import annotations

import base64
import hmac
import json
import random
import secrets
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.text import Text
from commonweal.operation.torture.auditor import Acknowledged
from commonweal.operation.torture.line import AGAIN, FORM, UNANSWERED, Gate, Line, Person

PAGES = ("/zh/", "/en/", "/zh/giving/", "/checkpoint")
GIVER, CHARITY = "giver@demo.example", "charity@demo.example"
COMPANY = "DEMO-TEA-0001"
"""The registration code of the company whose pools match."""
POOLS = (20_000, 900_000_000)
"""What they hold, in yuan: one is empty soon, the other never."""
ONLOOKERS = 2
AGAIN_AFTER_YES = 0.1
AT_ONCE = 0.05
BACK = 0.1
"""Of the gifts: how many are asked for once more after the answer, twice at the same time, and go back."""


Role = Callable[[random.Random, Line], None]


@dataclass
class Kept:
    """A gift in the journal, from the first time that it was asked for."""

    key: str
    book: uuid.UUID
    amount: int
    answers: list[uuid.UUID] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    paid: bool = False
    refunds: list[int] = field(default_factory=list)


class Load:
    """Givers and onlookers, each a thread with a line of its own, who stand still until `go`."""

    def __init__(self, port: int, home: Path, seed: int, givers: int) -> None:
        self.port = port
        self.statuses: Counter[int] = Counter()
        self._over = threading.Event()
        self.checkpoints: set[str] = set()
        self.unexpected: list[str] = []
        self.pages = 0
        self.last_asked = 0.0
        """When the newest gift that has its answer was asked for, by the monotonic clock."""
        self._journal: list[Kept] = []
        self._lock = threading.Lock()
        self._simulator = (home / "keys" / "simulator.key").read_bytes()
        giver, charity = Person(port, GIVER), Person(port, CHARITY)
        self._charity = charity.session
        self._by_token, self._by_session, self._entered = giver.token(), giver.session, charity.token()
        self._campaigns = self._find_campaigns()
        self._teams = {each: self._found_team(each) for each in self._campaigns}
        self._fund_pools(self._campaigns[0])
        roles: list[Role] = [*[self._give] * givers, *[self._look] * ONLOOKERS]
        self._gate = Gate(len(roles))
        self._threads = [
            threading.Thread(target=self._run, args=[role, random.Random(seed + number)])  # noqa: S311
            for number, role in enumerate(roles)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._gate.close(for_good=True)
        for thread in self._threads:
            thread.join()

    def go(self) -> None:
        """Let people give."""
        self._gate.open()

    def give_up(self) -> None:
        """Let nobody insist on an answer any more."""
        self._over.set()

    def stand(self) -> None:
        """Let nobody begin anything new, and wait until each has the answer to what it has asked."""
        self._gate.close()

    @property
    def taken(self) -> int:
        """How many gifts have been acknowledged so far."""
        return len(self._journal)

    def journal(self) -> list[Acknowledged]:
        """What has been acknowledged so far."""
        with self._lock:
            return [
                Acknowledged(kept.key, kept.book, tuple(kept.answers), kept.amount, kept.paid, tuple(kept.refunds))
                for kept in self._journal
            ]

    def _run(self, role: Role, chance: random.Random) -> None:
        line = Line(self.port, self.statuses, self._over)
        while self._gate.passes():
            try:
                role(chance, line)
            except Exception as error:  # whatever it is, it must be seen, and the gate must not wait for ever
                self._note(f"somebody has stumbled: {error!r}")

    def _find_campaigns(self) -> tuple[uuid.UUID, ...]:
        answer = Line(self.port, Counter()).insist("GET", "/api/v1/giving/campaigns")
        open_ones = json.loads(answer[2])["campaigns"] if answer and answer[0] == 200 else []
        if not open_ones:
            text = Text("There is no open campaign to give to.", "没有可以捐助的项目。")
            raise Conflict("torture.no-campaign", text)
        return tuple(uuid.UUID(each["id"]) for each in open_ones[:2])

    def _found_team(self, campaign: uuid.UUID) -> str:
        path = f"/api/v1/giving/campaigns/{campaign}/teams"
        return str(self._made(path, {"name": "Torture"}, self._by_token, "")["id"])

    def _fund_pools(self, campaign: uuid.UUID) -> None:
        opens = clock.now() + timedelta(seconds=5)
        for number, yuan in enumerate(POOLS):
            terms: dict[str, Any] = {
                "registration": COMPANY,
                "amount": f"{yuan}.00",
                "asset": "CNY",
                "rate": "0.5",
                "gift_cap": "30.00",
                "opens_at": opens.isoformat(),
                "closes_at": (opens + timedelta(days=2)).isoformat(),
            }
            self._made(f"/api/v1/giving/campaigns/{campaign}/pools", terms, self._entered, f"torture-pool-{number}")

    def _made(self, path: str, value: dict[str, Any], who: dict[str, str], key: str) -> dict[str, Any]:
        headers = {**who, "Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        answer = Line(self.port, Counter()).insist("POST", path, json.dumps(value).encode(), headers)
        if answer is None or answer[0] != 201:
            raise RuntimeError(f"{path} was answered {answer and (answer[0], answer[2][:300])}")
        return dict(json.loads(answer[2]))

    def _give(self, chance: random.Random, line: Line) -> None:
        kept = Kept(f"torture-{chance.randbytes(12).hex()}", chance.choice(self._campaigns), chance.randint(1, 10_000))
        said: dict[str, Any] = {"amount": f"{kept.amount // 100}.{kept.amount % 100:02d}", "asset": "CNY"}
        way = chance.choice(("token", "token", "session", "team", "collected"))
        if way == "team":
            said["team"] = self._teams[kept.book]
        said["channel"] = "collected" if way == "collected" else "simulator"
        who = {"token": self._by_token, "collected": self._entered}.get(way, self._by_session)
        twin = None
        if chance.random() < AT_ONCE:
            other = Line(self.port, self.statuses, self._over)
            twin = threading.Thread(target=self._ask, args=[other, kept, said, who])
            twin.start()
        asked = time.monotonic()
        self._ask(line, kept, said, who)
        if twin:
            twin.join()
        if not kept.answers:
            return
        with self._lock:
            self._journal.append(kept)
            self.last_asked = max(self.last_asked, asked)
        if chance.random() < AGAIN_AFTER_YES:
            self._ask(line, kept, said, who)
        kept.paid = way == "collected" or self._pay(line, kept)
        if kept.paid and chance.random() < BACK:
            self._give_back(line, kept, chance.randint(1, kept.amount))

    def _ask(self, line: Line, kept: Kept, said: dict[str, Any], who: dict[str, str]) -> None:
        """Ask for the gift until it is acknowledged."""
        headers = {**who, "Content-Type": "application/json", "Idempotency-Key": kept.key}
        path = f"/api/v1/giving/campaigns/{kept.book}/gifts"
        answer = line.insist("POST", path, json.dumps(said).encode(), headers)
        if answer is None or answer[0] != 201:
            self._note(f"a gift was answered {answer[0]} {answer[2][:200]!r}" if answer else "a gift had no answer")
            return
        told = json.loads(answer[2])
        kept.answers.append(uuid.UUID(told["id"]))
        kept.told.add(json.dumps([told["campaign"], told["amount"], told["given_at"]]))
        if len(kept.told) > 1:
            self._note(f"the key {kept.key} was answered in several ways: {kept.told}")

    def _pay(self, line: Line, kept: Kept) -> bool:
        """Report the payment as a provider does: signed anew each time, until it is taken in.

        While the platform's clock is wrong it must refuse what is not from now; that is no answer yet.
        """
        gift, nonce = str(kept.answers[0]), secrets.token_hex(16)
        value = {"book": str(kept.book), "gift": gift, "amount": kept.amount, "asset": "CNY", "reference": f"t-{gift}"}
        body = json.dumps(value).encode()

        def signed() -> dict[str, str]:
            moment = str(int(clock.now().timestamp()))
            signature = hmac.digest(self._simulator, f"{moment}\n{nonce}\n".encode() + body + b"\n", "sha256")
            return {
                "Content-Type": "application/json",
                "Simulator-Timestamp": moment,
                "Simulator-Nonce": nonce,
                "Simulator-Signature": base64.b64encode(signature).decode(),
            }

        path = "/api/v1/giving/payments/simulator"
        answer = line.insist("POST", path, body, signed, unanswered=(*UNANSWERED, 401))
        outcome = json.loads(answer[2]).get("outcome", answer[2]) if answer else None
        if outcome not in ("paid", "known"):
            self._note(f"a payment was answered {outcome!r}")
            return False
        return True

    def _give_back(self, line: Line, kept: Kept, amount: int) -> None:
        """The charity refunds a part, by the form of the page."""
        form = {"key": secrets.token_hex(8), "amount": f"{amount // 100}.{amount % 100:02d}", "reason": "Torture"}
        path = f"/en/giving/{kept.book}/gifts/{kept.answers[0]}/refund/"
        headers = {**self._charity, "Content-Type": FORM}
        answer = line.insist("POST", path, urlencode(form).encode(), headers)
        if answer is None or answer[0] != 303:
            self._note(f"a refund was answered {answer and answer[0]}")
            return
        kept.refunds.append(amount)

    def _look(self, chance: random.Random, line: Line) -> None:
        path = chance.choice(PAGES)
        answer = line.ask("GET", path)
        if answer is not None and answer[0] == 200:
            self.pages += 1
            if path == "/checkpoint":
                self.checkpoints.add(answer[2].decode())
        time.sleep(AGAIN)

    def _note(self, what: str) -> None:
        with self._lock:
            self.unexpected.append(what)
