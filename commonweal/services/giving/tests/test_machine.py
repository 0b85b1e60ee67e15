"""Gifts, matches, payouts and all that goes back, in any order, against a model that keeps every single unit by itself.

`MACHINE_STEPS` in the environment sets how many steps are walked (few in the suite), `MACHINE_SEED` where to start.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
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
from commonweal.kernel.ledger import audit, balance
from commonweal.services.giving.actions import books, gifts, matches, payouts, returns, settlements
from commonweal.services.giving.matching import Caps, Slice
from commonweal.services.giving.payment import Back, Order
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import campaigns as campaign_queries
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.rules.gifts import COLLECTED, Give, Outcome
from commonweal.services.giving.rules.matches import proportional
from commonweal.services.giving.rules.plans import Asking
from commonweal.services.giving.tests.conftest import DAY, NOW, World, picture
from commonweal.services.giving.tests.test_matches import tea
from commonweal.services.giving.tests.test_payouts import WHAT

STEPS = int(os.environ.get("MACHINE_STEPS", "150"))
SEED = int(os.environ.get("MACHINE_SEED", "20261125"))
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
class Known:
    """A gift as the model knows it."""

    amount: int
    channel: str
    held: int = 0
    paid: bool = False
    in_time: bool = True
    counted: int = 0
    match: uuid.UUID | None = None
    charged: int = 0
    refunds: dict[uuid.UUID, tuple[int, str]] = field(default_factory=dict)

    def refunded(self, *standings: str) -> int:
        return sum(amount for amount, standing in self.refunds.values() if standing in standings)


class Machine(RuleBasedStateMachine):
    """The platform on PostgreSQL, and the model beside it."""

    world: ClassVar[World]
    company: ClassVar[uuid.UUID]
    steps: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
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
        self.line: list[Unit] = []
        self.gifts: dict[uuid.UUID, Known] = {}
        self.sums: Counter[str] = Counter({"provider:collected": POOL})
        self.keys = 0

    def teardown(self) -> None:
        try:
            with connection.cursor() as cursor:
                assert audit(cursor) == []
            payouts.lay(self.book)
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

    def enter(self, id: uuid.UUID, amount: int, channel: str) -> None:
        self.line += [Unit(id) for _ in range(amount)]
        if channel != "matching":
            self.sums[f"provider:{channel}"] += amount

    def mine(self, id: uuid.UUID | None, *fates: str) -> list[Unit]:
        return [unit for unit in self.line if unit.gift == id and unit.fate in fates]

    def claw(self, id: uuid.UUID) -> None:
        known = self.gifts[id]
        if known.match is None:
            return
        whole = self.gifts[known.match].amount
        gone = min(known.amount, known.refunded("done", "bounced") + known.charged)
        gone = max(0, gone - (known.amount - known.counted))
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

    def order(self, id: uuid.UUID, amount: int) -> Order:
        return Order(self.book, id, amount, "CNY", self.world.campaign.title)

    # Steps

    @rule(amount=amounts, collected=st.booleans())
    def give(self, amount: int, collected: bool) -> None:
        self.steps["give"] += 1
        channel, key = COLLECTED if collected else "simulator", self.key()
        with clock.stopped(self.now):
            id = gifts.give(Give(self.book, self.world.giver.id, amount, "CNY", channel, key)).id
        known = self.gifts[id] = Known(amount, channel, self.hold(amount), in_time=self.now < CLOSE)
        if collected:
            self.arrive(id, known)

    def arrive(self, id: uuid.UUID, known: Known) -> None:
        known.paid = True
        self.enter(id, known.amount, known.channel)
        payouts.lay(self.book)

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
        for id, known in self.gifts.items():
            known.held = 0
            counts = known.amount - min(known.amount, known.refunded("done", "bounced") + known.charged)
            match = min(counts // 2, 20, self.left) if known.paid and known.in_time else 0
            if match:
                made[id], known.counted = match, counts
                self.left -= match
        assert {gift for _, gift in order} == set(made)
        for match_id, gift in order:
            self.gifts[gift].match = match_id
            self.gifts[match_id] = Known(made[gift], "matching", paid=True)
            self.enter(match_id, made[gift], "matching")
        self.settled = True

    @rule(pick=picks)
    @precondition(lambda self: any(not known.paid for known in self.gifts.values()))
    def pay(self, pick: int) -> None:
        self.steps["pay"] += 1
        waiting = [(id, known) for id, known in self.gifts.items() if not known.paid]
        id, known = waiting[pick % len(waiting)]
        self.key()
        with clock.stopped(self.now):
            assert gifts.confirm("simulator", *self.simulator.report(self.order(id, known.amount), self.now)) is (
                Outcome.PAID
            )
            self.arrive(id, known)

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

    @rule(amount=st.integers(1, 150))
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
        """Money leaves the charity's own hands: what it has collected, and the rest when the provider settles."""
        there = min(amount, max(0, self.sums["provider:collected"]))
        self.sums["provider:collected"] -= there
        self.sums["payable"] += amount - there

    @rule(pick=picks, amount=amounts)
    @precondition(lambda self: self.paid_gift(0))
    def refund(self, pick: int, amount: int) -> None:
        self.steps["refund"] += 1
        id, known = self.paid_gift(pick) or pytest.fail()
        free, key = self.mine(id, "free"), self.key()
        with clock.stopped(self.now):
            asked = (self.world.officer, self.book, id, amount, "why", key)
            if amount > min(len(free), known.amount - known.refunded("held", "done", "bounced")):
                with pytest.raises(Conflict, match=r"refund\.(spent|above-gift)"):
                    returns.refund(*asked)
                return
            refund = returns.refund(*asked)
        done = known.channel == COLLECTED
        known.refunds[refund] = (amount, "done" if done else "held")
        for unit in free[:amount]:
            unit.fate = "back" if done else f"held {refund}"
        if done:
            self.leave(amount)
            self.claw(id)

    @rule(pick=picks, succeeded=st.booleans())
    @precondition(lambda self: any(known.refunds for known in self.gifts.values() if known.channel == "simulator"))
    def report_refund(self, pick: int, succeeded: bool) -> None:
        """Any report of any refund, in whatever order."""
        self.steps["refund reported"] += 1
        sent = [(id, refund) for id, known in self.gifts.items() if known.channel == "simulator" for refund in
                known.refunds]  # fmt: skip
        id, refund = sent[pick % len(sent)]
        known = self.gifts[id]
        amount, standing = known.refunds[refund]
        self.key()
        back = Back(refund, self.book, id, amount, "CNY", "")
        with clock.stopped(self.now):
            outcome = gifts.confirm("simulator", *self.simulator.report_refund(back, self.now, succeeded=succeeded))
        if standing == "held":
            known.refunds[refund] = (amount, "done" if succeeded else "failed")
            for unit in self.mine(id, f"held {refund}"):
                unit.fate = "back" if succeeded else "free"
            if succeeded:
                self.sums["provider:simulator"] -= amount
                self.claw(id)
            assert outcome is (Outcome.REFUNDED if succeeded else Outcome.REFUND_FAILED)
        elif standing == "done" and not succeeded:
            known.refunds[refund] = (amount, "bounced")
            self.sums["provider:simulator"] += amount
            self.sums["owed"] += amount
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
        reference = self.key()
        with clock.stopped(self.now):
            asked = self.order(id, amount)
            outcome = gifts.confirm(
                "simulator", *self.simulator.report_chargeback(asked, self.now, reference=reference)
            )
        if amount > known.amount - known.charged:
            assert outcome is Outcome.DIFFERS
            return
        assert outcome is Outcome.CHARGED_BACK
        for refund, (of, standing) in known.refunds.items():
            if standing == "held":
                known.refunds[refund] = (of, "failed")
                for unit in self.mine(id, f"held {refund}"):
                    unit.fate = "free"
        taken = self.mine(id, "free")[:amount]
        for unit in taken:
            unit.fate = "back"
        known.charged += amount
        self.sums["receivable"] += amount - len(taken)
        self.sums["provider:simulator"] -= amount
        self.claw(id)

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
        book = self.book
        accounts: dict[str, Any] = {
            account.name: account
            for account in (
                books.provider(book, "CNY", "simulator"), books.provider(book, "CNY", COLLECTED),
                books.bank(book, "CNY"), books.payable(book, "CNY"), books.receivable(book, "CNY"),
                books.owed(book, "CNY"),
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


def test_the_money_machine(world: World) -> None:
    Machine.world = world
    Machine.company = tea().id
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
