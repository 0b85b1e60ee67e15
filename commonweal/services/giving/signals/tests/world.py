"""A giving day made from a seed: honest people of many habits, and rings planted among them.

Everything that varies between real days varies with the seed: how many campaigns, how steep their fame, how large the
rush at nine, offices that share a device, families that share a card, honest refunds, and the rings' size, pace and
tools.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

from commonweal.services.giving.signals import Row

NINE = 1_788_915_600.0
"""2026-09-09 09:00 in China."""
DAY = 86_400.0

AMOUNTS = [100, 200, 500, 500, 1000, 1000, 1000, 2000, 2000, 5000, 5000, 10_000, 10_000, 20_000, 50_000, 100_000]
ODD_AMOUNTS = [1, 66, 88, 520, 666, 880, 888, 990, 1314, 1888, 3000, 3600, 6600, 8800, 9900, 30_000]


@dataclass
class World:
    """Gifts, and which of them were planted, by ring."""

    rows: list[Row] = field(default_factory=list)
    rings: dict[str, set[str]] = field(default_factory=dict)

    @property
    def planted(self) -> set[str]:
        return set().union(*self.rings.values()) if self.rings else set()


class Maker:
    """Draws one world."""

    def __init__(self, seed: int, honest: int) -> None:
        self.r = random.Random(seed)
        self.n = honest
        self.days = self.r.choice([1, 3, 3, 10])
        self.campaigns = self.r.choice([150, 600, 2500])
        self.fame = self.r.uniform(0.5, 1.15)
        weights = [1 / (k + 1) ** self.fame for k in range(self.campaigns)]
        self.campaign_weights = weights
        self.refund_rate = self.r.uniform(0.003, 0.02)
        self.rush = self.r.uniform(0.05, 0.35)
        self.made = World()
        self.count = 0

    def add(self, at: float, campaign: int, amount: int, device: str, account: str, payment: str,
            refunded_at: float | None = None) -> str:  # fmt: skip
        self.count += 1
        id = f"g{self.count}"
        row = Row(id, round(at, 3), f"c{campaign}", amount, device, account, payment, refunded_at)
        self.made.rows.append(row)
        return id

    def some_campaign(self) -> int:
        return self.r.choices(range(self.campaigns), cum_weights=self.cum)[0]

    def moment(self) -> float:
        """The day's rhythm: little at night, a rush at nine that fades within minutes."""
        r, day = self.r, self.r.randrange(self.days) * DAY
        if r.random() < self.rush:
            return NINE + day + r.expovariate(1 / r.choice([20, 120, 600]))
        hour = min(max(r.gauss(6, 5), -8.9), 14.9)
        return NINE + day + hour * 3600 + r.random() * 60

    def amount(self) -> int:
        r = self.r
        if r.random() < 0.8:
            return r.choice(AMOUNTS)
        return r.choice(ODD_AMOUNTS) if r.random() < 0.6 else r.randrange(100, 30_000)

    def honest(self) -> None:
        """People with a phone each; some share a device at work, a card at home, or a tablet and an evening."""
        r = self.r
        self.cum = []
        total = 0.0
        for w in self.campaign_weights:
            total += w
            self.cum.append(total)
        people = int(self.n * r.uniform(0.45, 0.8))
        offices = [f"office{k}" for k in range(max(people // 400, 1))]
        devices = [[f"phone{k}"] for k in range(people)]
        payments = [[f"card{k}"] for k in range(people)]
        k = 0
        families = []
        while k < people * 0.15:
            size = r.choice([2, 2, 3, 3, 4, 5])
            family = list(range(k, min(k + size, people)))
            card, tablet = f"familycard{k}", f"tablet{k}" if r.random() < 0.4 else None
            for member in family:
                payments[member] = [card]
                if tablet:
                    devices[member].append(tablet)
            families.append(family)
            k += size
        for member in range(people):
            if r.random() < 0.08:
                devices[member].append(r.choice(offices))
            if r.random() < 0.1:
                devices[member].append(f"desk{member}")
            if r.random() < 0.2:
                payments[member].append(f"wallet{member}")
        done = 0
        for family in families:  # an evening on which a family gives together
            if r.random() < 0.3:
                campaign, at, amount = self.some_campaign(), self.moment(), self.amount()
                for member in family:
                    at += r.uniform(20, 400)
                    given = amount if r.random() < 0.5 else self.amount()
                    self.gift(at, campaign, given, r.choice(devices[member]), f"u{member}", payments[member][0])
                    done += 1
        while done < self.n:
            member = min(int(r.random() ** 1.6 * people), people - 1)
            member = (member * 7919) % people
            times = 1 if r.random() < 0.9 else r.randrange(2, 6)
            device, payment, at = r.choice(devices[member]), r.choice(payments[member]), self.moment()
            for _ in range(min(times, self.n - done)):
                self.gift(at, self.some_campaign(), self.amount(), device, f"u{member}", payment)
                at += r.uniform(15, 3600)
                done += 1

    def gift(self, at: float, campaign: int, amount: int, device: str, account: str, payment: str) -> str:
        r = self.r
        back = at + math.exp(r.gauss(11.5, 1.5)) if r.random() < self.refund_rate else None
        return self.add(at, campaign, amount, device, account, payment, back)

    # Rings. Each draws its own size, pace, tools and disguise.

    def plant(self, name: str, ids: list[str]) -> None:
        self.made.rings[name] = set(ids)

    def victim(self) -> int:
        """Rings serve any campaign, rarely the most famous."""
        return self.r.randrange(min(3, self.campaigns), self.campaigns)

    def refund_ring(self, name: str) -> None:
        r, size = self.r, self.r.randrange(10, 90)
        campaign, start = self.victim(), self.moment()
        spread = r.choice([300, 1800, 7200, 40_000])
        lag = r.choice([3600, 20_000, 3 * DAY, 8 * DAY])
        shared = r.random() < 0.4
        amount = r.choice(AMOUNTS[6:])
        ids = []
        for k in range(size):
            at = start + r.random() * spread
            hand = k % max(size // 6, 1)
            back = at + lag * r.uniform(0.9, 1.1) if r.random() < r.choice([0.85, 0.95, 1]) else None
            ids.append(
                self.add(
                    at,
                    campaign,
                    amount if r.random() < 0.5 else self.amount(),
                    f"{name}d{hand if shared else k}",
                    f"{name}a{k}",
                    f"{name}p{k}",
                    back,
                )
            )
        self.plant(name, ids)

    def one_person(self, name: str) -> None:
        r, size = self.r, self.r.randrange(6, 70)
        campaign, at = self.victim(), self.moment()
        tools = r.choice(["device", "payment", "both", "both"])
        devices = max(1, int(size / r.uniform(3, 20))) if tools != "payment" else size
        payments = max(1, int(size / r.uniform(2.5, 15))) if tools != "device" else size
        pace = r.choice([8, 40, 200, 1500])
        amount, same = r.choice(AMOUNTS), r.random() < 0.5
        ids = []
        for k in range(size):
            at += r.expovariate(1 / pace) if r.random() < 0.8 else pace
            for _ in range(1 if r.random() < 0.8 else 2):
                ids.append(
                    self.add(
                        at,
                        campaign,
                        amount if same else self.amount(),
                        f"{name}d{k % devices}",
                        f"{name}a{k}",
                        f"{name}p{r.randrange(payments) if tools != 'device' else k}",
                    )
                )
        self.plant(name, ids)

    def return_gift(self, name: str) -> None:
        r, size = self.r, self.r.randrange(12, 90)
        campaign, start, spread = self.victim(), self.moment(), r.choice([300, 1800, 7200, 20_000])
        amount = r.choice([50_000, 100_000, 100_000, 200_000, 88_800, 66_600])
        ids = [
            self.add(start + r.random() * spread, campaign, amount, f"{name}d{k}", f"{name}a{k}", f"{name}p{k}")
            for k in range(size)
        ]
        self.plant(name, ids)

    def bots(self, name: str) -> None:
        r, size = self.r, self.r.randrange(15, 200)
        campaign, at = self.victim(), NINE + r.randrange(self.days) * DAY + r.uniform(0, 1)
        devices = r.choice([1, 3, max(size // 8, 1), size])
        gap = r.choice([0.05, 0.3, 1.0, 3.0])
        jitter = 0.1 if devices == size else r.choice([0.05, 0.5, 1.0])
        amount = r.choice([100, 500, 1000, 2000, 990])
        ids = []
        for k in range(size):
            at += gap * (1 + jitter * r.uniform(-1, 1))
            ids.append(self.add(at, campaign, amount, f"{name}d{k % devices}", f"{name}a{k}", f"{name}p{k}"))
        self.plant(name, ids)

    def card_testing(self, name: str) -> None:
        r, size = self.r, self.r.randrange(15, 150)
        devices, accounts = r.choice([1, 1, 3]), r.choice([1, 4, size])
        at, pace, several = self.moment(), r.choice([3, 20, 120]), r.random() < 0.4
        campaign = self.victim()
        ids = []
        for k in range(size):
            at += r.expovariate(1 / pace)
            ids.append(
                self.add(
                    at,
                    self.some_campaign() if several else campaign,
                    r.choice([1, 1, 1, 2, 10]),
                    f"{name}d{k % devices}",
                    f"{name}a{k % accounts}",
                    f"{name}p{k}",
                    at + r.uniform(60, 600) if r.random() < 0.3 else None,
                )
            )
        self.plant(name, ids)


def world(seed: int, honest: int = 100_000, rings: int = 25) -> World:
    """`honest` gifts of honest people and `rings` rings of all kinds among them, in the order of time."""
    maker = Maker(seed, honest)
    maker.honest()
    kinds = [maker.refund_ring, maker.one_person, maker.return_gift, maker.bots, maker.card_testing]
    for k in range(rings):
        plant = kinds[k % len(kinds)]
        plant(f"{plant.__name__}{k}")
    maker.made.rows.sort(key=lambda row: (row.at, row.id))
    return maker.made
