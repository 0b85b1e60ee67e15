"""The check of a chain of balances, by arithmetic and hashes, against the facts of the public log if they are there.

A balance says, for each book, where its grams are, and how much has moved in each way since the beginning. Everything
is in whole grams. What is checked of each: `minted = waiting + held + spent + expired + transit` in each book, and
`transit` nothing over all of them; the movements, which are counted apart from the books, give exactly those places;
the grams counted one by one are those of the books; nothing that has moved is ever taken back; each balance names the
hash of the one before; seeds of draws are those that were promised. With the log: each balance is a fact there, `spent`
is the sum of all certificates, `expired` that of all expiries, and no closed day minted more than its deeds had earned.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from commonweal.kernel.proof import tree
from commonweal.kernel.proof.verify import canonical, seal

PLACES = ("waiting", "held", "spent", "expired", "transit")
EFFECTS = {
    "minted": {"minted": 1, "waiting": 1},
    "gathered": {"waiting": -1, "held": 1},
    "sent": {"held": -1, "transit": 1},
    "received": {"transit": -1, "held": 1},
    "planted": {"held": -1, "spent": 1},
    "expired": {"waiting": -1, "expired": 1},
}
"""What each kind of movement does to the places of its book."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not hold: at which balance (0 for the chain as a whole), and why."""

    nth: int
    what: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome: how many balances, the last totals, how many facts were compared, and every fault."""

    balances: int
    total: dict[str, int]
    facts: int
    faults: tuple[Fault, ...]

    @property
    def holds(self) -> bool:
        """Whether all was right, and there was something to check."""
        return self.balances > 0 and not self.faults


def digest(balance: dict[str, Any]) -> str:
    """The SHA-256 of a balance in its canonical form, in hex: what its fact and the next balance say of it."""
    return hashlib.sha256(canonical(balance)).hexdigest()


def check(balances: Sequence[dict[str, Any]], entries: Iterable[bytes] | None = None) -> Checked:
    """Check a chain from its first balance on; `entries` are those of the public log, if it is there.

    A document of another form is a fault, not an exception.
    """
    faults: list[Fault] = []
    before: dict[str, Any] | None = None
    for place, balance in enumerate(balances, 1):
        try:
            faults += [Fault(place, what) for what in _one(place, before, balance)]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            faults.append(Fault(place, f"this is no balance: {error!r}"))
            break
        before = balance
    facts = 0
    if entries is not None and not faults:
        facts, found = _against_log(balances, entries)
        faults += found
    total = dict(before["total"]) if before and not faults else {}
    return Checked(len(balances), total, facts, tuple(faults))


def _one(nth: int, before: dict[str, Any] | None, now: dict[str, Any]) -> list[str]:
    wrong = []
    if now["nth"] != nth:
        wrong.append(f"it says that it is number {now['nth']}")
    if now["previous"] != (digest(before) if before else ""):
        wrong.append("it does not follow the balance before")
    if before and now["at"] <= before["at"]:
        wrong.append("it is not later than the balance before")
    books = {book["book"]: book for book in now["books"]}
    if len(books) != len(now["books"]):
        wrong.append("a book stands twice")
    for name, book in books.items():
        if book["minted"] != sum(book[place] for place in PLACES):
            wrong.append(f"book {name}: minted {book['minted']} is not the sum of the others")
        if any(book[place] < 0 for place in ("minted", *PLACES[:-1])):
            wrong.append(f"book {name}: less than nothing")
    for place in ("minted", *PLACES):
        if now["total"][place] != sum(book[place] for book in books.values()):
            wrong.append(f"the total of {place} is not the sum of the books")
    if now["total"]["transit"] != 0:
        wrong.append("grams are between the books")
    for place, grams in now["counted"].items():
        if now["total"][place] != grams:
            wrong.append(f"counted one by one, {place} is {grams}, the books say {now['total'][place]}")
    return [*wrong, *_flows(before, now, books), *_draws(before, now)]


def _flows(before: dict[str, Any] | None, now: dict[str, Any], books: dict[Any, Any]) -> list[str]:
    wrong = []
    expected: dict[Any, dict[str, int]] = {name: dict.fromkeys(("minted", *PLACES), 0) for name in books}
    for flow in now["flows"]:
        if flow["grams"] <= 0 or flow["kind"] not in EFFECTS or flow["book"] not in expected:
            wrong.append(f"a movement of {flow['grams']} g {flow['kind']} in book {flow['book']}")
            continue
        for place, sign in EFFECTS[flow["kind"]].items():
            expected[flow["book"]][place] += sign * flow["grams"]
    for name, places in expected.items():
        wrong += [
            f"book {name}: by all that has moved, {place} should be {grams}; it is {books[name][place]}"
            for place, grams in places.items()
            if grams != books[name][place]
        ]
    so_far = {(flow["book"], flow["kind"]): flow["grams"] for flow in now["flows"]}
    for flow in before["flows"] if before else ():
        if so_far.get((flow["book"], flow["kind"]), 0) < flow["grams"]:
            wrong.append(f"book {flow['book']}: some of what was {flow['kind']} has been taken back")
    earlier = before["minted_by_day"] if before else {}
    today = max(earlier, default="")
    wrong += [
        f"what was minted on {day} has changed after the day"
        for day, grams in earlier.items()
        if day in now["minted_by_day"]
        and (now["minted_by_day"][day] < grams or (day < today and now["minted_by_day"][day] != grams))
    ]
    return wrong


def _draws(before: dict[str, Any] | None, now: dict[str, Any]) -> list[str]:
    promised = {**(before["draws"] if before else {}), **now["draws"]}
    wrong = [
        f"the seed of {day} is not the one that was promised"
        for day, seed in now["seeds"].items()
        if day in promised and hashlib.sha256(bytes.fromhex(seed)).hexdigest() != promised[day]
    ]
    return wrong + [
        f"the promised seed of {day} was changed"
        for day in (before["draws"] if before else {})
        if day in now["draws"] and before and before["draws"][day] != now["draws"][day]
    ]


def _against_log(balances: Sequence[dict[str, Any]], entries: Iterable[bytes]) -> tuple[int, list[Fault]]:
    stated: dict[int, str] = {}
    certificates: list[tuple[int, int]] = []
    expiries: list[tuple[int, int]] = []
    earned: dict[str, int] = {}
    facts = 0
    for entry in entries:
        fact = json.loads(entry)
        match fact.get("kind"):
            case "forest.balance":
                stated[fact["nth"]] = fact["sha256"]
            case "forest.certificate":
                certificates.append((fact["at"], fact["grams"]))
            case "forest.expiry":
                expiries.append((fact["at"], fact["grams"]))
            case "forest.deeds":
                earned[fact["day"]] = earned.get(fact["day"], 0) + fact["grams"]
            case _:
                continue
        facts += 1
    faults = []
    minted: dict[str, int] = {}
    for nth, balance in enumerate(balances, 1):
        if stated.get(nth) != digest(balance):
            faults.append(Fault(nth, "the log does not say this of it" if nth in stated else "it is not in the log"))
        for what, written in (("spent", certificates), ("expired", expiries)):
            in_log = sum(grams for at, grams in written if at <= balance["at"])
            if in_log != balance["total"][what]:
                faults.append(Fault(nth, f"{what}: {balance['total'][what]} g, by the facts of the log {in_log} g"))
        minted |= balance["minted_by_day"]
    faults += [
        Fault(0, f"on {day} {minted[day]} g were minted, and its deeds had earned {earned[day]} g")
        for day in sorted(minted)
        if day in earned and minted[day] > earned[day]
    ]
    return facts, faults


def check_opening(proof: dict[str, Any], entries: Iterable[bytes] | None = None) -> list[str]:
    """What is wrong with a person's proof of their deeds of a closed day; with the log, its root is that of the fact.

    A document of another form is an answer, not an exception.
    """
    try:
        leaf = tree.leaf_hash(seal(bytes.fromhex(proof["salt"]), proof["opened"]))
        path, root = [bytes.fromhex(each) for each in proof["path"]], bytes.fromhex(proof["root"])
        wrong = []
        if not tree.verify_inclusion(proof["place"], proof["people"], leaf, path, root):
            wrong.append("these deeds are not under that root")
        if entries is not None and not any(_is_close(entry, proof) for entry in entries):
            wrong.append("no close of that day in the log has that root")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [f"this is no proof of deeds: {error!r}"]
    return wrong


def _is_close(entry: bytes, proof: dict[str, Any]) -> bool:
    fact = json.loads(entry)
    wanted = {
        "kind": "forest.deeds",
        "id": proof["fact"],
        "root": proof["root"],
        "people": proof["people"],
        "source": proof["opened"]["source"],
        "day": proof["opened"]["day"],
    }
    return all(fact.get(name) == value for name, value in wanted.items())
