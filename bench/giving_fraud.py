"""`giving fraud`: what the signals find on days that they were made for, and on days that they were not.

The second kind of day is drawn here without a look at what the signals count: one crowd, and in it people whom a
careless rule takes for rings (colleagues in one office at nine, a class at one tablet, families, the followers of a
star), and rings that a careless rule takes for people (jitter, hours of patience, borrowed telephones, the rush).
"""

from __future__ import annotations

import random
import sys
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bench.figure import Figure, figure
from commonweal.services.giving.rules import cases
from commonweal.services.giving.signals import Row, find
from commonweal.services.giving.signals.tests.world import world

SEEDS = range(100, 105)
OPENS = datetime(2026, 9, 9, 1, tzinfo=UTC).timestamp()
"""09:00 in China."""
HOUR = 3600.0
PRICES = [100, 200, 500, 600, 666, 888, 990, 1000, 1200, 1880, 2000, 3000, 5000, 5200, 6600, 8800, 10_000, 20_000]


@dataclass
class Day:
    """Gifts of a day, in the order of time, and what was planted among them, by ring and by crowd."""

    rows: list[Row] = field(default_factory=list)
    rings: dict[str, set[str]] = field(default_factory=dict)
    crowds: dict[str, set[str]] = field(default_factory=dict)

    @property
    def planted(self) -> set[str]:
        return set().union(*self.rings.values())


class Draw:
    """Draws one day from a seed."""

    def __init__(self, seed: int, gifts: int) -> None:
        self.r = random.Random(seed)
        self.gifts = gifts
        self.day = Day()
        number = self.r.randint(250, 1800)
        self.weights = sorted((self.r.lognormvariate(0, 1.6) for _ in range(number)), reverse=True)
        self.names = 0

    def name(self, what: str) -> str:
        """Somebody or something nobody has seen yet."""
        self.names += 1
        return f"{what}{self.names}"

    def campaign(self) -> str:
        return f"c{self.r.choices(range(len(self.weights)), self.weights)[0]}"

    def quiet_campaign(self) -> str:
        """Not one of the most popular: that is where the money of a pool is least shared."""
        return f"c{self.r.randrange(len(self.weights) // 20 + 3, len(self.weights))}"

    def moment(self) -> float:
        """One time in four within the rush after nine, else noon, evening or any time of the day."""
        kind = self.r.random()
        if kind < 0.25:
            return OPENS + self.r.lognormvariate(5, 1.2)
        if kind < 0.4:
            return OPENS + self.r.gauss(3.3 * HOUR, 0.5 * HOUR)
        if kind < 0.75:
            return OPENS + self.r.gauss(11 * HOUR, 1.4 * HOUR)
        return OPENS + self.r.uniform(-9 * HOUR, 15 * HOUR)

    def amount(self, middle: float = 1500) -> int:
        """A round number near what people of such means give, or (one time in seven) any number."""
        wished = self.r.lognormvariate(0, 1) * middle
        if self.r.random() < 0.14:
            return max(int(wished), 1)
        return min(PRICES, key=lambda price: abs(price - wished))

    def add(self, at: float, campaign: str, amount: int, device: str, account: str, payment: str,
            back: float | None = None) -> str:  # fmt: skip
        id = self.name("g")
        self.day.rows.append(Row(id, round(at, 3), campaign, amount, device, account, payment, back))
        return id

    # Honest people

    def people(self) -> None:
        """Everybody, and the crowds among them, until there are gifts enough."""
        for _ in range(self.r.randint(6, 12)):
            self.office()
        for _ in range(self.r.randint(5, 10)):
            self.school()
        for _ in range(self.r.randint(2, 4)):
            self.followers()
        for _ in range(int(self.gifts * 0.02)):
            self.family()
        while len(self.day.rows) < self.gifts:
            self.person()
        del self.day.rows[self.gifts :]

    def person(self) -> None:
        """One telephone that may not be known, a wallet or a card or two, a gift or a few, seldom taken back."""
        r, account = self.r, self.name("u")
        phone = self.name("phone") if r.random() < 0.85 else ""
        wallet = self.name("wallet") if r.random() < 0.93 else ""
        at = self.moment()
        for _ in range(1 if r.random() < 0.82 else 1 + int(r.expovariate(0.7))):
            if r.random() < 0.05:
                wallet = self.name("wallet")
            back = at + r.lognormvariate(11, 1.3) if r.random() < 0.006 else None
            self.add(at, self.campaign(), self.amount(), phone, account, wallet, back)
            at = self.moment() if r.random() < 0.5 else at + r.lognormvariate(4.5, 1)

    def family(self) -> None:
        """A telephone or tablet at home that goes round, and often one wallet that pays for all."""
        r, device = self.r, self.name("tablet")
        wallet = self.name("wallet") if r.random() < 0.5 else None
        at, campaign, amount = self.moment(), self.campaign(), self.amount()
        for _ in range(r.choice([2, 2, 3, 3, 3, 4, 4, 5])):
            at += r.uniform(15, 300)
            given = amount if r.random() < 0.6 else self.amount()
            to = campaign if r.random() < 0.8 else self.campaign()
            self.add(at, to, given, device, self.name("u"), wallet or self.name("wallet"))

    def office(self) -> None:
        """Colleagues give to their company's campaign as it opens, many of them from one office network, which is all
        the platform sees of their device; everybody pays for themselves. Some give elsewhere, too."""
        r, network, campaign = self.r, self.name("network"), self.quiet_campaign()
        asked, follow = r.choice([1000, 2000, 5000, 5000, 10_000, 10_000]), r.uniform(0.3, 0.9)
        inside, late, made = r.uniform(0.2, 1), r.lognormvariate(4.6, 0.7), set()
        for _ in range(r.randint(15, 140)):
            account, wallet, phone = self.name("u"), self.name("wallet"), self.name("phone")
            device = network if r.random() < inside else phone
            amount = asked if r.random() < follow else self.amount(asked)
            made.add(self.add(OPENS + r.expovariate(1 / late), campaign, amount, device, account, wallet))
            if r.random() < 0.35:
                self.add(self.moment(), self.campaign(), self.amount(), phone, account, wallet)
        self.day.crowds[self.name("office")] = made

    def school(self) -> None:
        """A class queues before one tablet; each child has an account and its parents' wallet."""
        r, tablet, campaign = self.r, self.name("tablet"), self.quiet_campaign()
        at, pocket, made = OPENS + r.uniform(0, 8 * HOUR), r.choice([100, 100, 200, 500, 1000]), set()
        for _ in range(r.randint(12, 48)):
            at += r.uniform(20, 40) + r.expovariate(1 / 30)
            amount = pocket if r.random() < 0.7 else r.choice([100, 200, 300, 500, 1000, 2000])
            made.add(self.add(at, campaign, amount, tablet, self.name("u"), self.name("wallet")))
        self.day.crowds[self.name("school")] = made

    def followers(self) -> None:
        """A star names a campaign and a lucky number; strangers follow within minutes."""
        r, campaign, at = self.r, self.quiet_campaign(), self.moment()
        lucky, wave, made = r.choice([520, 666, 888, 1314]), r.uniform(300, 1500), set()
        for _ in range(r.randint(80, 400)):
            amount = lucky if r.random() < 0.6 else self.amount(lucky)
            made.add(
                self.add(at + r.expovariate(1 / wave), campaign, amount, self.name("phone"), self.name("u"),
                         self.name("wallet"))
            )  # fmt: skip
        self.day.crowds[self.name("followers")] = made

    # Rings

    def ring(self, kind: Callable[[], Iterable[str]]) -> None:
        self.day.rings[self.name(f"{kind.__name__} ")] = set(kind())

    def given_back(self) -> Iterable[str]:
        """Give, be matched, take it back: over hours, with waits that differ, some from telephones that they share."""
        r, campaign, start = self.r, self.quiet_campaign(), self.moment()
        size, spread, wait = r.randint(10, 70), r.uniform(0.1, 8) * HOUR, r.uniform(0.5, 60) * HOUR
        phones = [self.name("phone") for _ in range(max(size // r.randint(2, 6), 1))]
        for _ in range(size):
            at = start + r.random() * spread
            device = r.choice(phones) if r.random() < 0.35 else self.name("phone")
            back = at + wait * r.lognormvariate(0, 0.35) if r.random() < 0.93 else None
            yield self.add(at, campaign, self.amount(20_000), device, self.name("u"), self.name("wallet"), back)

    def patient(self) -> Iterable[str]:
        """One person with some telephones and wallets, mixed at random, and hours of time."""
        yield from self._one_person(self.moment(), self.r.uniform(2, 12) * HOUR, self.r.randint(12, 50))

    def in_the_rush(self) -> Iterable[str]:
        """The same, hidden among everybody within ten minutes after nine."""
        yield from self._one_person(OPENS, self.r.uniform(120, 600), self.r.randint(20, 80))

    def _one_person(self, start: float, span: float, size: int) -> Iterable[str]:
        r, campaign = self.r, self.quiet_campaign()
        phones = [self.name("phone") for _ in range(r.randint(2, max(size // 5, 2)))]
        wallets = [self.name("wallet") for _ in range(r.randint(2, max(size // 4, 2)))]
        for _ in range(size):
            at = start + r.random() * span
            yield self.add(at, campaign, self.amount(), r.choice(phones), self.name("u"), r.choice(wallets))

    def farm(self) -> Iterable[str]:
        """Telephones on a shelf, each with a wallet and its accounts; a script with jitter as matching opens."""
        r, campaign, at = self.r, self.quiet_campaign(), OPENS
        pace, amount = r.uniform(0.2, 4), r.choice([100, 200, 500, 1000])
        phones = [(self.name("phone"), self.name("wallet")) for _ in range(r.randint(3, 20))]
        for _ in range(r.randint(30, 180)):
            at += r.expovariate(1 / pace)
            device, wallet = r.choice(phones)
            given = amount if r.random() < 0.8 else amount + r.randrange(1, 99)
            yield self.add(at, campaign, given, device, self.name("u"), wallet)

    def paid_back(self) -> Iterable[str]:
        """“Give that much, I pay you back”: real people with all of their own, one sum, within minutes or hours."""
        r, campaign, start = self.r, self.quiet_campaign(), self.moment()
        amount, spread = r.choice([30_000, 50_000, 66_600, 100_000, 200_000]), r.uniform(0.1, 4) * HOUR
        for _ in range(r.randint(15, 80)):
            at = start + r.random() * spread
            given = amount if r.random() < 0.9 else self.amount(amount)
            yield self.add(at, campaign, given, self.name("phone"), self.name("u"), self.name("wallet"))

    def cards(self) -> Iterable[str]:
        """Stolen cards are tried with less than a yuan, from a few devices, by guests or by one account."""
        r, campaign, at = self.r, self.quiet_campaign(), self.moment()
        devices = [self.name("phone") for _ in range(r.choice([1, 1, 2, 4]))]
        account, pace = self.name("u") if r.random() < 0.4 else "", r.lognormvariate(2.5, 0.7)
        for _ in range(r.randint(20, 120)):
            at += r.lognormvariate(0, 0.6) * pace
            tried = r.choice([1, 1, 1, 2, 5, 10, 50, 100])
            yield self.add(at, campaign, tried, r.choice(devices), account or self.name("u"), self.name("card"))

    def tireless(self) -> Iterable[str]:
        """One account that gives a yuan again and again, for what a pool adds to each gift."""
        r, campaign, at = self.r, self.quiet_campaign(), self.moment()
        account, device, wallets = self.name("u"), self.name("phone"), [self.name("wallet") for _ in range(2)]
        pace, amount = r.uniform(3, 40), r.choice([100, 100, 200])
        for _ in range(r.randint(30, 250)):
            at += r.expovariate(1 / pace)
            yield self.add(at, campaign, amount, device, account, r.choice(wallets))


def held_out(seed: int, gifts: int = 100_000, rings: int = 28) -> Day:
    """So many honest gifts and so many rings of all kinds among them."""
    draw = Draw(seed, gifts)
    draw.people()
    kinds = [draw.given_back, draw.patient, draw.in_the_rush, draw.farm, draw.paid_back, draw.cards, draw.tireless]
    for n in range(rings):
        draw.ring(kinds[n % len(kinds)])
    draw.day.rows.sort(key=lambda row: (row.at, row.id))
    kept = {row.id for row in draw.day.rows}
    draw.day.crowds = {name: gifts & kept for name, gifts in draw.day.crowds.items()}
    return draw.day


def as_the_clerk_looks(rows: Sequence[Row]) -> set[str]:
    """The gifts of all signals in the windows that overlap, each looked at when it is over: refunds of later are not
    known the first time, but their slots are looked at again when they come."""
    times = [row.at for row in rows]
    slots = sorted({cases.slot(datetime.fromtimestamp(at, UTC)) for at in times})
    found: set[str] = set()
    for begin, end in cases.windows(slots, slots[-1] + 3 * cases.SLOT):
        within = rows[bisect_left(times, begin.timestamp()) : bisect_left(times, end.timestamp())]
        found |= {gift for signal in find(within) for gift in signal.gifts}
    return found


def naive(rows: Sequence[Row], an_hour: int, below: int) -> set[str]:
    """The usual two rules: more than so many gifts of one device within an hour, and amounts below so much."""
    by_device: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for row in rows:
        if row.device:
            by_device[row.device, int(row.at // HOUR)].append(row.id)
    found = {id for ids in by_device.values() if len(ids) > an_hour for id in ids}
    return found | {row.id for row in rows if row.amount < below}


@dataclass(frozen=True)
class Score:
    """Of gifts that were found: which part was planted, which part of the planted that is, and which part of honest
    accounts it delays."""

    precision: float
    recall: float
    delayed: float

    @classmethod
    def of(cls, found: set[str], rows: Sequence[Row], planted: set[str]) -> Score:
        right = len(found & planted)
        honest = {row.account for row in rows if row.id not in planted}
        delayed = {row.account for row in rows if row.id in found and row.id not in planted}
        return cls(right / max(len(found), 1), right / len(planted), len(delayed) / len(honest))

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / max(self.precision + self.recall, 1e-9)

    def __str__(self) -> str:
        return f"precision {self.precision:.4f}, recall {self.recall:.4f}, honest delayed {self.delayed:.4%}"


def fraud(gifts: int) -> list[Figure]:
    """The worst of five days of each kind, beside the best that the naive rules could do on the very day."""
    figures = []
    for title, make in (("own days", _own), ("held-out days", _held_out)):
        ours, theirs, planted, slowest = [], [], 0, 0.0
        for seed in SEEDS:
            rows, hidden = make(seed, gifts)
            planted += len(hidden)
            began = time.process_time()
            found = as_the_clerk_looks(rows)
            slowest = max(slowest, time.process_time() - began)
            ours.append(Score.of(found, rows, hidden))
            tried = [naive(rows, most, below) for most in (3, 5, 10, 20, 40) for below in (0, 11, 101)]
            theirs.append(max((Score.of(each, rows, hidden) for each in tried), key=lambda score: score.f1))
            print(f"{title}, seed {seed}: {ours[-1]}; naive: {theirs[-1]}", file=sys.stderr)
        figures += [
            figure(f"{title}: precision", min(s.precision for s in ours), "", anchor="naive rules at their best",
                   anchor_value=min(s.precision for s in theirs), n=planted, least=0.95),
            figure(f"{title}: recall", min(s.recall for s in ours), "", anchor="naive rules at their best",
                   anchor_value=min(s.recall for s in theirs), n=planted, least=0.90),
            figure(f"{title}: honest delayed", max(s.delayed for s in ours), "", anchor="naive rules at their best",
                   anchor_value=max(s.delayed for s in theirs), n=gifts * len(SEEDS), most=0.001),
            figure(f"{title}: a day", slowest, "s", anchor="aim", anchor_value=20, n=gifts, most=20),
        ]  # fmt: skip
    return figures


def _own(seed: int, gifts: int) -> tuple[list[Row], set[str]]:
    day = world(seed, gifts)
    return day.rows, day.planted


def _held_out(seed: int, gifts: int) -> tuple[list[Row], set[str]]:
    day = held_out(seed, gifts)
    return day.rows, day.planted
