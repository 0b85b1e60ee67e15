"""Gifts by every way, matches, fees, settlements, payouts and all that goes back, in any order, against a model that
keeps every single unit by itself.

`MACHINE_STEPS` in the environment sets how many steps are walked (few in the suite), `MACHINE_SEED` where to start,
`MACHINE_CHECK` after how many steps the books are compared (after each one, unless told otherwise).
"""

from __future__ import annotations

import itertools
import math
import os
import sys
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from fractions import Fraction
from typing import Any, ClassVar

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.ids import derived, uuid7
from commonweal.kernel.ledger import audit, balance
from commonweal.services.giving import payment
from commonweal.services.giving.actions import (
    books,
    card_uses,
    cards,
    gifts,
    matches,
    payouts,
    recurring,
    returns,
    settlements,
    twice,
)
from commonweal.services.giving.actions.reconciliation import reconcile
from commonweal.services.giving.matching import Caps, Slice
from commonweal.services.giving.payment import Entry, Kind, Order, Settlement
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import campaigns as campaign_queries
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.rules.gifts import COLLECTED, Give, Outcome
from commonweal.services.giving.rules.matches import proportional
from commonweal.services.giving.rules.plans import Asking
from commonweal.services.giving.tests.conftest import DAY, NOW, World, picture
from commonweal.services.giving.tests.test_fees import hosted
from commonweal.services.giving.tests.test_matches import tea
from commonweal.services.giving.tests.test_payouts import WHAT
from commonweal.services.giving.tests.test_recurring import agree, begun

STEPS = int(os.environ.get("MACHINE_STEPS", "150"))
SEED = int(os.environ.get("MACHINE_SEED", "20261125"))
CHECK = int(os.environ.get("MACHINE_CHECK", "1"))
WALK = 50
POOL = 400
LATE = timedelta(minutes=31)
CLOSE = NOW + 2 * DAY
amounts = st.integers(1, 60)
picks = st.integers(0, 10**6)


@dataclass
class Unit:
    """One fen in the fund's line, and what has become of it."""

    gift: uuid.UUID
    fate: str = "free"


@dataclass
class Back:
    """A refund as the model knows it."""

    amount: int
    shares: dict[str, int]
    standing: str


@dataclass
class Dispute:
    """A chargeback as the model knows it."""

    amount: int
    shares: dict[str, int]
    fund: int
    won: bool = False
    fee: int = 0

    @property
    def host(self) -> int:
        return self.shares["host"] + self.shares["tip"]


@dataclass
class Known:
    """A gift as the model knows it. `host` and `processor` are what those have kept of it."""

    amount: int
    channel: str
    held: int = 0
    paid: bool = False
    in_time: bool = True
    counted: int = 0
    at: datetime = NOW
    tip: int = 0
    host: int = 0
    processor: int = 0
    told: bool = False
    paid_at: datetime = NOW
    settled: bool = False
    match: uuid.UUID | None = None
    refunds: dict[uuid.UUID, Back] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)

    @property
    def whole(self) -> int:
        return self.amount + self.tip

    @property
    def charged(self) -> int:
        return sum(each.amount for each in self.disputes.values())

    def refunded(self, *standings: str) -> int:
        return sum(each.amount for each in self.refunds.values() if each.standing in standings)

    def gone(self) -> int:
        """What of the gift, without its tip, is gone for a match."""
        back = [each for each in self.refunds.values() if each.standing in ("done", "bounced")]
        every: list[Back | Dispute] = [*back, *self.disputes.values()]
        return min(self.amount, sum(each.amount - each.shares["tip"] for each in every))

    def divide(self, amount: int, gone: Iterable[Mapping[str, int]]) -> dict[str, int]:
        """What each party returns of `amount`: in proportion to what is left of its part, by largest remainders."""
        left = {
            "campaign": self.amount - self.host - self.processor, "host": self.host, "processor": self.processor,
            "tip": self.tip,
        }  # fmt: skip
        for shares in gone:
            left = {party: part - shares[party] for party, part in left.items()}
        exact = {party: Fraction(part * amount, sum(left.values())) for party, part in left.items()}
        shares = {party: math.floor(part) for party, part in exact.items()}
        missing = amount - sum(shares.values())
        for party in sorted(exact, key=lambda party: (shares[party] - exact[party], party))[:missing]:
            shares[party] += 1
        return shares


@dataclass(frozen=True)
class Statement:
    """A provider of which only the statement is asked."""

    entries: tuple[Entry, ...] = ()
    settlements: tuple[Settlement, ...] = ()
    name: str = "simulator"
    zone: tzinfo = Simulator.zone

    def fetch_statement(self, day: date) -> list[Entry]:
        return list(self.entries)

    def fetch_settlements(self, day: date) -> list[Settlement]:
        return list(self.settlements)


class Machine(RuleBasedStateMachine):
    """The platform on PostgreSQL, and the model beside it."""

    world: ClassVar[World]
    company: ClassVar[uuid.UUID]
    ticks: ClassVar[Iterator[int]]
    """Milliseconds of ids: in the order in which they are made, so that the same steps are the same story each time."""
    steps: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        Machine.ticks = itertools.count(2**47)
        self.now = NOW
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.book = self.world.campaign.id
        self.simulator = Simulator(django_settings.HOME)
        slice = Slice(NOW - DAY, CLOSE, POOL)
        promise = proportional(self.company, self.book, Fraction(1, 2), slice, Caps(gift=20))
        with clock.stopped(NOW - 2 * DAY):
            self.pool = matches.fund(self.world.officer, promise, "pool")
        self.left = POOL
        self.settled = False
        self.cards: dict[uuid.UUID, list[Any]] = {}
        self.disputed_at: dict[str, datetime] = {}
        self.walked = 0
        for journal in (django_settings.HOME / "simulator").glob("*.jsonl"):
            journal.unlink()
        self.line: list[Unit] = []
        self.gifts: dict[uuid.UUID, Known] = {}
        self.sums: Counter[str] = Counter({"provider:collected": POOL})
        self.keys = 0

    def teardown(self) -> None:
        try:
            with connection.cursor() as cursor:
                assert audit(cursor) == []
            payouts.lay(self.book)
            self.compare()
            for paid in {unit.fate for unit in self.line if len(unit.fate) == 32}:
                of = gift_queries.sources(self.book, uuid.UUID(paid))
                assert sum(source.amount for source in of) == sum(unit.fate == paid for unit in self.line)
            for id, known in self.gifts.items():
                if known.paid:
                    got = {part.request.hex: part.amount for part in gift_queries.trace(self.book, id)}
                    fates = Counter(unit.fate for unit in self.line if unit.gift == id)
                    assert got == {fate: n for fate, n in fates.items() if len(fate) == 32}
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    # What the model works out by itself

    def hold(self, amount: int) -> int:
        held = sum(known.held for known in self.gifts.values())
        return min(amount // 2, 20, self.left - held) if self.now < CLOSE else 0

    def enter(self, id: uuid.UUID, known: Known, *, again: bool = False) -> None:
        """A gift is laid; the host keeps its share of it, unless it had that before (`again`)."""
        units = [Unit(id) for _ in range(known.amount)]
        self.line += units
        if known.channel != "matching" and not again:
            self.sums[f"provider:{known.channel}"] += known.whole
        known.host = 0 if again else known.amount * 5 // 100
        for unit in units[: known.host]:
            unit.fate = "fee"
        self.sums["host"] += known.host + known.tip

    def keep_fee(self, id: uuid.UUID, fee: int) -> None:
        """The provider's fee: from what is free of its gift, the rest is owed by the charity."""
        known = self.gifts[id]
        known.processor, known.told = fee, True
        free = self.mine(id, "free")[:fee]
        for unit in free:
            unit.fate = "fee"
        self.sums["receivable"] += fee - len(free)
        self.sums["provider:simulator"] -= fee

    def mine(self, id: uuid.UUID | None, *fates: str) -> list[Unit]:
        return [unit for unit in self.line if unit.gift == id and unit.fate in fates]

    def claw(self, id: uuid.UUID) -> None:
        known = self.gifts[id]
        if known.match is None:
            return
        whole = self.gifts[known.match].amount
        gone = max(0, known.gone() - (known.amount - known.counted))
        due = whole - whole * (known.counted - gone) // known.counted - len(self.mine(known.match, "back"))
        for unit in self.mine(known.match, "free")[: max(0, due)]:
            unit.fate = "back"
            self.left += 1

    def key(self) -> str:
        self.keys += 1
        self.now += timedelta(seconds=1)
        return str(self.keys)

    def paid_gift(self, pick: int, channel: str | None = None) -> tuple[uuid.UUID, Known] | None:
        fits = [
            (id, known)
            for id, known in self.gifts.items()
            if known.paid and known.channel != "matching" and channel in (None, known.channel)
        ]
        return fits[pick % len(fits)] if fits else None

    def entry(self, id: uuid.UUID, fee: int) -> Entry:
        known = self.gifts[id]
        return Entry(Kind.PAYMENT, id, known.whole, "CNY", f"sim-{uuid.uuid5(id, 'paid').hex}", fee)

    def order(self, id: uuid.UUID, amount: int) -> Order:
        return Order(self.book, id, amount, "CNY", self.world.campaign.title)

    # Steps

    @rule(amount=amounts, collected=st.booleans(), tip=st.integers(0, 9))
    def give(self, amount: int, collected: bool, tip: int) -> None:
        self.steps["give"] += 1
        channel, key = COLLECTED if collected else "simulator", self.key()
        with clock.stopped(self.now):
            id = gifts.give(Give(self.book, self.world.giver.id, amount, "CNY", channel, key, tip)).id
        known = self.take(id, amount, channel, tip)
        if collected:
            self.arrive(id, known)

    def take(self, id: uuid.UUID, amount: int, channel: str, tip: int = 0) -> Known:
        held = self.hold(amount)
        known = self.gifts[id] = Known(amount, channel, held, in_time=self.now < CLOSE, at=self.now, tip=tip)
        return known

    def arrive(self, id: uuid.UUID, known: Known) -> None:
        known.paid, known.paid_at = True, self.now
        self.enter(id, known)
        payouts.lay(self.book)

    @rule(amount=amounts)
    def renew(self, amount: int) -> None:
        """A recurring gift: agreed, renewed, charged; whatever runs twice charges once."""
        self.steps["recurring"] += 1
        key = self.key()
        with clock.stopped(self.now):
            id = begun(self.world, key, amount=amount)
            agree(self.world, self.simulator, id)
            gift = recurring.renew(self.book, id) or pytest.fail()
            known = self.take(gift, amount, "simulator")
            for _ in range(2):
                recurring.charge(self.book, id, 0, 1)
            self.arrive(gift, known)

    @rule(amount=amounts, fee=st.integers(0, 2))
    @precondition(lambda self: self.now < NOW + 20 * DAY)
    def buy_card(self, amount: int, fee: int) -> None:
        self.steps["card"] += 1
        key, giver = self.key(), self.world.giver
        with clock.stopped(self.now):
            card = cards.buy(giver, self.book, amount, "simulator", key)
            report = self.simulator.report(self.order(card.id, amount), self.now)
            assert gifts.confirm("simulator", *report) is Outcome.PAID
            self.cards[card.id] = [cards.show_code(giver, self.book, card.id), amount]
            said = Entry(Kind.PAYMENT, card.id, amount, "CNY", f"sim-{uuid.uuid5(card.id, 'paid').hex}", fee)
            reconcile(Statement(entries=(said,)), self.day(self.now))
        self.sums["cards"] += amount
        self.sums["provider:simulator"] += amount - fee
        self.sums["borne"] += fee

    @rule(pick=picks, amount=amounts)
    @precondition(lambda self: self.cards)
    def use_card(self, pick: int, amount: int) -> None:
        self.steps["card used"] += 1
        card = list(self.cards.values())[pick % len(self.cards)]
        key = self.key()
        with clock.stopped(self.now):
            if amount > card[1]:
                with pytest.raises(Conflict, match=r"card\.left"):
                    card_uses.redeem(self.world.giver, card[0], self.book, amount, key)
                return
            gift = card_uses.redeem(self.world.giver, card[0], self.book, amount, key)
            card[1] -= amount
            self.sums["cards"] -= amount
            self.leave(amount)
            self.arrive(gift, self.take(gift, amount, COLLECTED))

    @staticmethod
    def day(moment: datetime) -> date:
        return moment.astimezone(Simulator.zone).date()

    @rule(pick=picks, fee=st.integers(0, 3))
    @precondition(lambda self: self.untold())
    def tell_fee(self, pick: int, fee: int) -> None:
        """The provider's statement says what it has kept of a gift; told again, it is the same fee."""
        self.steps["fee"] += 1
        untold = self.untold()
        id = untold[pick % len(untold)]
        known = self.gifts[id]
        fee = min(fee, known.amount - known.host)
        with clock.stopped(self.now):
            for _ in range(2):
                reconcile(Statement(entries=(self.entry(id, fee),)), self.day(known.paid_at))
        if fee:
            self.keep_fee(id, fee)

    def untold(self) -> list[uuid.UUID]:
        """Gifts of the provider whose fee can be told: none of them has gone back, so that the parts are one story."""
        return [
            id
            for id, known in self.gifts.items()
            if known.paid and known.channel == "simulator" and not (known.told or known.refunds or known.disputes)
            and known.paid_at != NOW
        ]  # fmt: skip

    @rule()
    @precondition(lambda self: self.unsettled())
    def settle_provider(self) -> None:
        """The provider pays into the bank for all payments that it has not settled."""
        self.steps["provider settles"] += 1
        self.now += timedelta(seconds=1)
        ids = self.unsettled()
        lines = tuple(self.entry(id, self.gifts[id].processor) for id in ids)
        net = sum(line.amount - line.fee for line in lines)
        settlement = Settlement(f"settled-{self.key()}", net, "CNY", lines)
        with clock.stopped(self.now):
            for _ in range(2):
                reconcile(Statement(settlements=(settlement,)), self.day(self.now))
        for id in ids:
            self.gifts[id].settled = True
        self.sums["provider:simulator"] -= net
        self.sums["bank"] += net
        waiting = min(self.sums["payable"], self.sums["bank"])
        self.sums["payable"] -= waiting
        self.sums["bank"] -= waiting

    def unsettled(self) -> list[uuid.UUID]:
        return [
            id
            for id, known in self.gifts.items()
            if known.paid and known.channel == "simulator" and not known.settled and known.paid_at != NOW
        ]

    @rule()
    @precondition(lambda self: not self.settled and any(known.paid for known in self.gifts.values()))
    def settle(self) -> None:
        """The pool closes, its review goes by, two stewards agree: gifts are matched in the order they were made."""
        self.steps["settle"] += 1
        self.now = max(self.now, CLOSE + 8 * DAY)
        with clock.stopped(self.now):
            gifts.expire()
            digest = settlements.propose(self.book, self.pool) or pytest.fail()
            for steward in self.world.stewards:
                settlements.judge(steward, self.book, self.pool, digest, approves=True)
            settlements.pay(self.book, self.pool)
            payouts.lay(self.book)
        with connection.cursor() as cursor:
            cursor.execute("SELECT p.gift, m.gift FROM giving_payment p JOIN giving_match m ON m.book = p.book "
                           "AND m.matching = p.gift WHERE p.book = %s ORDER BY p.start", [self.book])  # fmt: skip
            order = cursor.fetchall()
        made: dict[uuid.UUID, int] = {}
        for id, known in sorted(self.gifts.items(), key=lambda each: (each[1].at, each[0])):
            known.held = 0
            counts = known.amount - known.gone()
            match = min(counts // 2, 20, self.left) if known.paid and known.in_time else 0
            if match:
                made[id], known.counted = match, counts
                self.left -= match
        assert {gift for _, gift in order} == set(made)
        for match_id, gift in order:
            self.gifts[gift].match = match_id
            self.gifts[match_id] = Known(made[gift], "matching", paid=True)
            self.enter(match_id, self.gifts[match_id])
        self.settled = True

    @rule(pick=picks)
    @precondition(lambda self: any(not known.paid for known in self.gifts.values()))
    def pay(self, pick: int) -> None:
        self.steps["pay"] += 1
        waiting = [(id, known) for id, known in self.gifts.items() if not known.paid]
        id, known = waiting[pick % len(waiting)]
        self.key()
        with clock.stopped(self.now):
            report = self.simulator.report(self.order(id, known.whole), self.now)
            assert gifts.confirm("simulator", *report) is Outcome.PAID
            self.arrive(id, known)

    @rule(pick=picks, goes_back=st.booleans())
    @precondition(lambda self: self.paid_once())
    def pay_twice(self, pick: int, goes_back: bool) -> None:
        """The provider has charged for a gift once more: that is owed, and sent back or not."""
        self.steps["paid twice"] += 1
        paid = self.paid_once()
        id = paid[pick % len(paid)]
        whole, key = self.gifts[id].whole, self.key()
        with clock.stopped(self.now):
            report = self.simulator.report(self.order(id, whole), self.now, reference=f"again-{key}")
            assert gifts.confirm("simulator", *report) is Outcome.TWICE
            if goes_back:
                for _ in range(2):
                    twice.give_back(self.book, derived(self.book, f"twice:simulator:again-{key}"))
        if not goes_back:
            self.sums["provider:simulator"] += whole
            self.sums["owed"] += whole

    def paid_once(self) -> list[uuid.UUID]:
        return [id for id, known in self.gifts.items() if known.paid and known.channel == "simulator"]

    @rule()
    @precondition(lambda self: any(not known.paid and known.held for known in self.gifts.values()))
    def expire(self) -> None:
        self.steps["void"] += 1
        self.now += LATE
        with clock.stopped(self.now):
            gifts.expire()
        for known in self.gifts.values():
            if not known.paid:
                known.held = 0

    @rule(amount=amounts)
    @precondition(lambda self: any(unit.fate == "free" for unit in self.line))
    def disburse(self, amount: int) -> None:
        self.steps["disburse"] += 1
        free = [unit for unit in self.line if unit.fate == "free"]
        asking, key = Asking(amount, WHAT, (picture(),)), self.key()
        with clock.stopped(self.now):
            if amount > len(free):
                with pytest.raises(Conflict, match=r"fund\.too-low"):
                    payouts.ask(self.world.officer, self.book, asking, key)
                return
            request = payouts.ask(self.world.officer, self.book, asking, key)
            for steward in self.world.stewards:
                payouts.judge(steward, self.book, request, approves=True)
            payouts.pay(self.book, request)
        for unit in free[:amount]:
            unit.fate = request.hex
        self.leave(amount)

    def leave(self, amount: int) -> None:
        """Money leaves: from the bank, from what the charity has collected, the rest when the provider settles."""
        for account in ("bank", "provider:collected"):
            there = min(amount, max(0, self.sums[account]))
            self.sums[account] -= there
            amount -= there
        self.sums["payable"] += amount

    @rule(pick=picks, amount=amounts)
    @precondition(lambda self: self.paid_gift(0))
    def refund(self, pick: int, amount: int) -> None:
        self.steps["refund"] += 1
        id, known = self.paid_gift(pick) or pytest.fail()
        free, key = self.mine(id, "free"), self.key()
        gone = [each.shares for each in known.refunds.values() if each.standing != "failed"]
        left = known.whole - known.refunded("held", "done", "bounced")
        shares = known.divide(amount, gone) if amount <= left else {}
        host = shares["host"] + shares["tip"] if shares else 0
        with clock.stopped(self.now):
            asked = (self.world.officer, self.book, id, amount, "why", key)
            if (
                not shares
                or shares["campaign"] > len(free)
                or host > self.sums["host"] - self.held()
                or shares["processor"] == amount  # all of it is with the provider: nothing of ours goes back
            ):
                with pytest.raises(Conflict, match=r"refund\.(spent|above-gift|party|nothing)|balance\.too-low"):
                    returns.refund(*asked)
                return
            refund = returns.refund(*asked)
        done = known.channel == COLLECTED
        known.refunds[refund] = Back(amount, shares, "done" if done else "held")
        for unit in free[: shares["campaign"]]:
            unit.fate = "back" if done else f"held {refund}"
        if done:
            self.sums["host"] -= host
            self.leave(amount - shares["processor"])
            self.claw(id)

    def held(self) -> int:
        """What the host will return when the refunds under way are done."""
        every = (each for known in self.gifts.values() for each in known.refunds.values() if each.standing == "held")
        return sum(each.shares["host"] + each.shares["tip"] for each in every)

    @rule(pick=picks, succeeded=st.booleans())
    @precondition(lambda self: any(known.refunds for known in self.gifts.values() if known.channel == "simulator"))
    def report_refund(self, pick: int, succeeded: bool) -> None:
        """Any report of any refund, in whatever order."""
        self.steps["refund reported"] += 1
        sent = [(id, refund) for id, known in self.gifts.items() if known.channel == "simulator" for refund in
                known.refunds]  # fmt: skip
        id, refund = sent[pick % len(sent)]
        known = self.gifts[id]
        sent_back = known.refunds[refund]
        amount, standing, shares = sent_back.amount, sent_back.standing, sent_back.shares
        goes, out = amount, amount - shares["processor"]  # it gives its own part back by itself
        self.key()
        back = payment.Back(refund, self.book, id, goes, "CNY", "")
        with clock.stopped(self.now):
            outcome = gifts.confirm("simulator", *self.simulator.report_refund(back, self.now, succeeded=succeeded))
        if standing == "held":
            sent_back.standing = "done" if succeeded else "failed"
            for unit in self.mine(id, f"held {refund}"):
                unit.fate = "back" if succeeded else "free"
            if succeeded:
                self.sums["provider:simulator"] -= out
                self.sums["host"] -= shares["host"] + shares["tip"]
                self.claw(id)
            assert outcome is (Outcome.REFUNDED if succeeded else Outcome.REFUND_FAILED)
        elif standing == "done" and not succeeded:
            sent_back.standing = "bounced"
            self.sums["provider:simulator"] += goes
            self.sums["owed"] += goes
            assert outcome is Outcome.REFUND_FAILED
        else:
            assert outcome is (Outcome.DIFFERS if standing == "failed" and succeeded else Outcome.KNOWN) or (
                standing == "bounced" and outcome in (Outcome.KNOWN, Outcome.DIFFERS)
            )

    @rule(pick=picks, amount=amounts)
    @precondition(lambda self: self.paid_gift(0, "simulator"))
    def charge_back(self, pick: int, amount: int) -> None:
        self.steps["chargeback"] += 1
        id, known = self.paid_gift(pick, "simulator") or pytest.fail()
        reference = f"dispute-{self.key()}"
        self.disputed_at[reference] = self.now
        with clock.stopped(self.now):
            asked = self.order(id, amount)
            outcome = gifts.confirm(
                "simulator", *self.simulator.report_chargeback(asked, self.now, reference=reference)
            )
        if amount > known.whole - known.charged:
            assert outcome is Outcome.DIFFERS
            return
        assert outcome is Outcome.CHARGED_BACK
        for refund, under_way in known.refunds.items():
            if under_way.standing == "held":
                under_way.standing = "failed"
                for unit in self.mine(id, f"held {refund}"):
                    unit.fate = "free"
        shares = known.divide(amount, [each.shares for each in known.disputes.values()])
        taken = self.mine(id, "free")[: shares["campaign"]]
        for unit in taken:
            unit.fate = "back"
        dispute = known.disputes[reference] = Dispute(amount, shares, len(taken))
        there = min(dispute.host, self.sums["host"])
        self.sums["host"] -= there
        self.sums["borne"] += dispute.host - there
        self.sums["receivable"] += shares["campaign"] - len(taken) + shares["processor"]
        self.sums["provider:simulator"] -= amount
        self.claw(id)

    @rule(pick=picks)
    @precondition(lambda self: self.disputed())
    def win(self, pick: int) -> None:
        """A chargeback is contested and won; told again, or lost again, it stays won."""
        self.steps["won"] += 1
        disputed = self.disputed()
        id, reference = disputed[pick % len(disputed)]
        known, dispute = self.gifts[id], self.gifts[id].disputes[reference]
        self.key()
        with clock.stopped(self.now):
            asked = self.order(id, dispute.amount)
            for outcome in (Outcome.CHARGEBACK_WON, Outcome.KNOWN):
                report = self.simulator.report_chargeback(asked, self.now, reference=reference, succeeded=False)
                assert gifts.confirm("simulator", *report) is outcome
            with connection.cursor() as cursor:
                cursor.execute("SELECT gift FROM giving_payment WHERE book = %s AND start IS NULL", [self.book])
                fresh = [row[0] for row in cursor.fetchall()]
            payouts.lay(self.book)
        dispute.won = True
        owed = dispute.amount - dispute.fund - dispute.host
        open_debt = min(owed, self.sums["receivable"])
        open_borne = min(dispute.host, self.sums["borne"])
        self.sums["receivable"] -= open_debt
        self.sums["borne"] -= open_borne
        self.sums["host"] += dispute.host - open_borne
        self.leave(owed - open_debt)
        self.sums["provider:simulator"] += dispute.amount
        assert len(fresh) == (1 if dispute.fund else 0)
        for gift in fresh:
            self.gifts[gift] = Known(dispute.fund, "simulator", paid=True, in_time=known.in_time, at=known.at)
            self.enter(gift, self.gifts[gift], again=True)

    def disputed(self) -> list[tuple[uuid.UUID, str]]:
        return [
            (id, reference)
            for id, known in self.gifts.items()
            for reference, dispute in known.disputes.items()
            if not dispute.won
        ]

    @rule(pick=picks, fee=st.integers(1, 20))
    @precondition(lambda self: any(not self.gifts[id].disputes[name].fee for id, name in self.disputed()))
    def tell_fee_of_dispute(self, pick: int, fee: int) -> None:
        self.steps["fee of a dispute"] += 1
        open_ones = [(id, name) for id, name in self.disputed() if not self.gifts[id].disputes[name].fee]
        id, reference = open_ones[pick % len(open_ones)]
        known, dispute = self.gifts[id], self.gifts[id].disputes[reference]
        if len(known.disputes) > 1:
            return  # which of several lines of one gift a fee is for is told by their references, tested elsewhere
        dispute.fee = fee
        line = Entry(Kind.CHARGEBACK, id, -dispute.amount, "CNY", reference, fee)
        with clock.stopped(self.now):
            for _ in range(2):
                reconcile(Statement(entries=(line,)), self.day(self.disputed_at[reference]))
        free = self.mine(id, "free")[:fee]
        for unit in free:
            unit.fate = "fee"
        self.sums["receivable"] += fee - len(free)
        self.sums["provider:simulator"] -= fee

    @rule(amount=amounts)
    @precondition(lambda self: self.sums["receivable"])
    def repay(self, amount: int) -> None:
        self.steps["repay"] += 1
        amount, key = min(amount, self.sums["receivable"]), self.key()
        with clock.stopped(self.now):
            returns.repay(self.world.officer, self.book, amount, key)
        self.sums["receivable"] -= amount
        self.sums["provider:collected"] += amount

    @invariant()
    def the_books_are_the_model(self) -> None:
        self.walked += 1
        if self.walked % CHECK == 0:
            self.compare()

    def compare(self) -> None:
        book = self.book
        accounts: dict[str, Any] = {
            account.name: account
            for account in (
                books.provider(book, "CNY", "simulator"), books.provider(book, "CNY", COLLECTED),
                books.bank(book, "CNY"), books.payable(book, "CNY"), books.receivable(book, "CNY"),
                books.owed(book, "CNY"), books.host(book, "CNY"), books.borne(book, "CNY"), books.cards(book, "CNY"),
            )
        }  # fmt: skip
        with connection.cursor() as cursor:
            assert {name: balance(cursor, account) for name, account in accounts.items()} == {
                name: self.sums[name] for name in accounts
            }
            assert balance(cursor, books.pool(book, "CNY", self.pool)) == self.left
            held = sum(known.held for known in self.gifts.values())
            cursor.execute(
                "SELECT coalesce(sum(pending_debit), 0) FROM ledger_balance WHERE book = %s AND account = %s",
                [book, books.pool(book, "CNY", self.pool).id],
            )
            assert cursor.fetchone() == (held,)
            whole = balance(cursor, books.fund(book, "CNY")) + balance(cursor, books.received(book, "CNY"))
        assert whole == sum(unit.fate == "free" or unit.fate.startswith("held") for unit in self.line)
        with clock.stopped(self.now):
            assert campaign_queries.page(book).available == sum(unit.fate == "free" for unit in self.line)


def test_the_money_machine(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    Machine.world = hosted(world, Fraction(5, 100))
    Machine.company = tea().id
    monkeypatch.setitem(uuid7.__kwdefaults__ or {}, "milliseconds", lambda: next(Machine.ticks))
    Machine.steps.clear()
    walk = settings(
        max_examples=max(1, STEPS // WALK),
        stateful_step_count=WALK,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(SEED)(Machine), settings=walk)
    sys.stdout.write(f"seed {SEED}: {sum(Machine.steps.values())} steps: {dict(Machine.steps)}\n")
    assert sum(Machine.steps.values()) >= STEPS // 3
