"""Gifts by every way, matches, fees, settlements, payouts and all that goes back, in any order, on PostgreSQL, against
the model beside it (`money_model`).

`MACHINE_STEPS` in the environment sets how many steps are walked (few in the suite), `MACHINE_SEED` where to start,
`MACHINE_CHECK` after how many steps the books are compared (after each one, unless told otherwise).
"""

from __future__ import annotations

import itertools
import os
import sys
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from fractions import Fraction
from typing import Any, ClassVar, TypeVar

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
    card_returns,
    card_uses,
    cards,
    gifts,
    matches,
    payouts,
    receivables,
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
from commonweal.services.giving.queries import totals
from commonweal.services.giving.rules.gifts import Give, Outcome
from commonweal.services.giving.rules.matches import proportional
from commonweal.services.giving.rules.plans import Asking
from commonweal.services.giving.tests.conftest import DAY, NOW, World, picture
from commonweal.services.giving.tests.money_model import COLLECTED, HOST_PERCENT, MATCH_CAP, PROVIDER, Model
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
T = TypeVar("T")


def one_of(choice: Sequence[T], pick: int) -> T:
    return choice[pick % len(choice)]


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
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.book = self.world.campaign.id
        self.simulator = Simulator(django_settings.HOME)
        slice = Slice(NOW - DAY, CLOSE, POOL)
        promise = proportional(self.company, self.book, Fraction(1, 2), slice, Caps(gift=MATCH_CAP))
        with clock.stopped(NOW - 2 * DAY):
            self.pool = matches.fund(self.world.officer, promise, "pool")
        for journal in (django_settings.HOME / "simulator").glob("*.jsonl"):
            journal.unlink()
        self.model = Model(NOW, CLOSE, POOL)
        self.walked = self.keys = 0

    def teardown(self) -> None:
        try:
            with connection.cursor() as cursor:
                assert audit(cursor) == []
            payouts.lay(self.book)
            self.compare()
            for paid in {unit.fate for unit in self.model.line if len(unit.fate) == 32}:
                of = gift_queries.sources(self.book, uuid.UUID(paid))
                assert sum(source.amount for source in of) == sum(unit.fate == paid for unit in self.model.line)
            for id, gift in self.model.gifts.items():
                if gift.paid:
                    got = {part.request.hex: part.amount for part in gift_queries.trace(self.book, id)}
                    fates = Counter(unit.fate for unit in self.model.line if unit.gift == id)
                    assert got == {fate: n for fate, n in fates.items() if len(fate) == 32}
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    # The platform, a second later each time

    def key(self) -> str:
        self.keys += 1
        self.model.now += timedelta(seconds=1)
        return str(self.keys)

    def stopped(self) -> AbstractContextManager[None]:
        return clock.stopped(self.model.now)

    def entry(self, id: uuid.UUID, amount: int, fee: int) -> Entry:
        return Entry(Kind.PAYMENT, id, amount, "CNY", f"sim-{uuid.uuid5(id, 'paid').hex}", fee)

    def order(self, id: uuid.UUID, amount: int) -> Order:
        return Order(self.book, id, amount, "CNY", self.world.campaign.title)

    def confirm(self, report: tuple[bytes, dict[str, str]]) -> Outcome:
        return gifts.confirm("simulator", *report)

    @staticmethod
    def tell(day: datetime, *entries: Entry, settlement: Settlement | None = None) -> None:
        """The provider's statement of a day, told twice."""
        statement = Statement(entries, (settlement,) if settlement else ())
        for _ in range(2):
            reconcile(statement, day.astimezone(Simulator.zone).date())

    # Giving

    @rule(amount=amounts, collected=st.booleans(), tip=st.integers(0, 9))
    def give(self, amount: int, collected: bool, tip: int) -> None:
        self.steps["give"] += 1
        channel, key = COLLECTED if collected else PROVIDER, self.key()
        with self.stopped():
            id = gifts.give(Give(self.book, self.world.giver.id, amount, "CNY", channel, key, tip)).id
        self.model.promise(id, amount, channel, tip)
        if collected:
            self.arrive(id)

    def arrive(self, id: uuid.UUID) -> None:
        self.model.arrive(id)
        payouts.lay(self.book)

    @rule(pick=picks)
    @precondition(lambda self: self.model.unpaid())
    def pay(self, pick: int) -> None:
        self.steps["pay"] += 1
        id = one_of(self.model.unpaid(), pick)
        self.key()
        with self.stopped():
            report = self.simulator.report(self.order(id, self.model.gifts[id].whole), self.model.now)
            assert self.confirm(report) is Outcome.PAID
            self.arrive(id)

    @rule(pick=picks, goes_back=st.booleans())
    @precondition(lambda self: self.model.paid(PROVIDER))
    def pay_twice(self, pick: int, goes_back: bool) -> None:
        """The provider has charged for a gift once more: that is owed, and sent back or not."""
        self.steps["paid twice"] += 1
        id = one_of(self.model.paid(PROVIDER), pick)
        order, reference = self.order(id, self.model.gifts[id].whole), f"again-{self.key()}"
        with self.stopped():
            assert self.confirm(self.simulator.report(order, self.model.now, reference=reference)) is Outcome.TWICE
            if goes_back:
                for _ in range(2):
                    twice.give_back(self.book, derived(self.book, f"twice:simulator:{reference}"))
        if not goes_back:
            self.model.pay_twice(id)

    @rule()
    @precondition(lambda self: any(self.model.gifts[id].held for id in self.model.unpaid()))
    def expire(self) -> None:
        self.steps["void"] += 1
        self.model.expire(LATE)
        with self.stopped():
            gifts.expire()

    @rule(amount=amounts)
    def renew(self, amount: int) -> None:
        """A recurring gift: agreed, renewed, charged; whatever runs twice charges once."""
        self.steps["recurring"] += 1
        key = self.key()
        with self.stopped():
            id = begun(self.world, key, amount=amount)
            agree(self.world, self.simulator, id)
            gift = recurring.renew(self.book, id) or pytest.fail()
            self.model.promise(gift, amount, PROVIDER)
            for _ in range(2):
                recurring.charge(self.book, id, 0, 1)
            self.arrive(gift)

    # Gift cards

    @rule(amount=amounts, fee=st.integers(0, 2))
    @precondition(lambda self: self.model.now < NOW + 20 * DAY)
    def buy_card(self, amount: int, fee: int) -> None:
        self.steps["card"] += 1
        key, giver = self.key(), self.world.giver
        with self.stopped():
            card = cards.buy(giver, self.book, amount, PROVIDER, key)
            assert self.confirm(self.simulator.report(self.order(card.id, amount), self.model.now)) is Outcome.PAID
            code = cards.show_code(giver, self.book, card.id)
            self.tell(self.model.now, self.entry(card.id, amount, fee))
        self.model.buy_card(card.id, code, amount, fee)

    @rule(pick=picks, amount=amounts)
    @precondition(lambda self: self.model.cards)
    def use_card(self, pick: int, amount: int) -> None:
        self.steps["card used"] += 1
        id, card = one_of(list(self.model.cards.items()), pick)
        asked = (self.world.giver, card.code, self.book, amount, self.key())
        with self.stopped():
            if amount > card.left:
                with pytest.raises(Conflict, match=r"card\.left"):
                    card_uses.redeem(*asked)
                return
            self.model.use_card(id, card_uses.redeem(*asked), amount)
            payouts.lay(self.book)

    @rule(pick=picks, amount=amounts)
    @precondition(lambda self: self.model.cards)
    def refund_card(self, pick: int, amount: int) -> None:
        """To who has bought it, of what it still holds; what becomes of it, the provider reports."""
        self.steps["card refunded"] += 1
        id, card = one_of(list(self.model.cards.items()), pick)
        asked = (self.world.officer, self.book, id, amount, "why", self.key())
        with self.stopped():
            if amount > card.left:
                with pytest.raises(Conflict, match=r"card\.given"):
                    card_returns.refund(*asked)
                return
            self.model.refund_card(id, card_returns.refund(*asked), amount)

    # Fees, settlements, matches, payouts

    @rule(pick=picks, fee=st.integers(0, 3))
    @precondition(lambda self: self.model.untold())
    def tell_fee(self, pick: int, fee: int) -> None:
        """The provider's statement says what it has kept of a gift; told again, it is the same fee."""
        self.steps["fee"] += 1
        id = one_of(self.model.untold(), pick)
        gift = self.model.gifts[id]
        fee = min(fee, gift.amount - gift.host)
        with self.stopped():
            self.tell(gift.paid_at or NOW, self.entry(id, gift.whole, fee))
        if fee:
            self.model.tell_fee(id, fee)

    @rule()
    @precondition(lambda self: self.model.unsettled())
    def settle_provider(self) -> None:
        """The provider pays into the bank for all payments that it has not settled."""
        self.steps["provider settles"] += 1
        ids = self.model.unsettled()
        known = [(id, self.model.gifts[id]) for id in ids]
        lines = tuple(self.entry(id, gift.whole, gift.processor) for id, gift in known)
        net = sum(line.amount - line.fee for line in lines)
        settlement = Settlement(f"settled-{self.key()}", net, "CNY", lines)
        with self.stopped():
            self.tell(self.model.now, settlement=settlement)
        self.model.settle_provider(ids, net)

    @rule()
    @precondition(lambda self: not self.model.settled and any(gift.paid for gift in self.model.gifts.values()))
    def settle(self) -> None:
        """The pool closes, its review goes by, two stewards agree: gifts are matched in the order they were made."""
        self.steps["settle"] += 1
        self.model.now = max(self.model.now, CLOSE + 8 * DAY)
        with self.stopped():
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
        made = self.model.matched()
        assert {gift for _, gift in order} == set(made)
        for match, gift in order:
            self.model.match(match, gift, made[gift])

    @rule(amount=amounts)
    @precondition(lambda self: self.model.free())
    def disburse(self, amount: int) -> None:
        self.steps["disburse"] += 1
        asking, key = Asking(amount, WHAT, (picture(),)), self.key()
        with self.stopped():
            if amount > len(self.model.free()):
                with pytest.raises(Conflict, match=r"fund\.too-low"):
                    payouts.ask(self.world.officer, self.book, asking, key)
                return
            request = payouts.ask(self.world.officer, self.book, asking, key)
            for steward in self.world.stewards:
                payouts.judge(steward, self.book, request, approves=True)
            payouts.pay(self.book, request)
        self.model.disburse(request, amount)

    # Money back

    @rule(pick=picks, amount=amounts)
    @precondition(lambda self: self.model.paid())
    def refund(self, pick: int, amount: int) -> None:
        self.steps["refund"] += 1
        id = one_of(self.model.paid(), pick)
        self.steps["refund onto a card"] += self.model.gifts[id].card is not None
        asked = (self.world.officer, self.book, id, amount, "why", self.key())
        shares = self.model.shares(id, amount)
        with self.stopped():
            if shares is None:
                with pytest.raises(Conflict, match=r"refund\.(spent|above-gift|party|nothing)|balance\.too-low"):
                    returns.refund(*asked)
                return
            self.model.refund(id, returns.refund(*asked), amount, shares)

    @rule(pick=picks, succeeded=st.booleans())
    @precondition(lambda self: self.model.sent())
    def report_refund(self, pick: int, succeeded: bool) -> None:
        """Any report of any refund, of a gift or a card, in whatever order."""
        self.steps["refund reported"] += 1
        id, refund = one_of(self.model.sent(), pick)
        self.key()
        of = self.model.cards[id].refunds if id in self.model.cards else self.model.gifts[id].refunds
        back = payment.Back(refund, self.book, id, of[refund].amount, "CNY", "")
        with self.stopped():
            outcome = self.confirm(self.simulator.report_refund(back, self.model.now, succeeded=succeeded))
        before = self.model.reported(id, refund, succeeded=succeeded)
        if before == "held":
            assert outcome is (Outcome.REFUNDED if succeeded else Outcome.REFUND_FAILED)
        elif before == "done" and not succeeded:
            assert outcome is Outcome.REFUND_FAILED
        else:
            assert outcome is (Outcome.DIFFERS if before == "failed" and succeeded else Outcome.KNOWN) or (
                before == "bounced" and outcome in (Outcome.KNOWN, Outcome.DIFFERS)
            )

    @rule(pick=picks, amount=amounts)
    @precondition(lambda self: self.model.paid(PROVIDER))
    def charge_back(self, pick: int, amount: int) -> None:
        self.steps["chargeback"] += 1
        id = one_of(self.model.paid(PROVIDER), pick)
        gift, reference = self.model.gifts[id], f"dispute-{self.key()}"
        report = self.simulator.report_chargeback(self.order(id, amount), self.model.now, reference=reference)
        with self.stopped():
            outcome = self.confirm(report)
        if amount > gift.whole - gift.charged:
            assert outcome is Outcome.DIFFERS
            return
        assert outcome is Outcome.CHARGED_BACK
        self.model.charge_back(id, reference, amount)

    @rule(pick=picks)
    @precondition(lambda self: self.model.disputed())
    def win(self, pick: int) -> None:
        """A chargeback is contested and won; told again, or lost again, it stays won."""
        self.steps["won"] += 1
        id, reference = one_of(self.model.disputed(), pick)
        dispute = self.model.gifts[id].disputes[reference]
        order = self.order(id, dispute.amount)
        self.key()
        with self.stopped():
            for outcome in (Outcome.CHARGEBACK_WON, Outcome.KNOWN):
                said = {"reference": reference, "succeeded": False}
                assert self.confirm(self.simulator.report_chargeback(order, self.model.now, **said)) is outcome
            with connection.cursor() as cursor:
                cursor.execute(
                    """
                    SELECT g.channel, g.id FROM giving_payment p JOIN giving_gift g ON g.book = p.book AND g.id = p.gift
                    WHERE p.book = %s AND p.start IS NULL ORDER BY p.transfer
                    """,
                    [self.book],
                )
                fresh = dict(cursor.fetchall())
            payouts.lay(self.book)
        assert self.model.win(id, reference, fresh) == set(fresh)

    @rule(pick=picks, fee=st.integers(1, 20))
    @precondition(lambda self: self.unpriced())
    def tell_fee_of_dispute(self, pick: int, fee: int) -> None:
        self.steps["fee of a dispute"] += 1
        id, reference = one_of(self.unpriced(), pick)
        gift = self.model.gifts[id]
        if len(gift.disputes) > 1:
            return  # which of several lines of one gift a fee is for is told by their references, tested elsewhere
        dispute = gift.disputes[reference]
        with self.stopped():
            self.tell(dispute.at, Entry(Kind.CHARGEBACK, id, -dispute.amount, "CNY", reference, fee))
        self.model.tell_fee_of_dispute(id, reference, fee)

    def unpriced(self) -> list[tuple[uuid.UUID, str]]:
        return [(id, name) for id, name in self.model.disputed() if not self.model.gifts[id].disputes[name].fee]

    @rule(amount=amounts)
    @precondition(lambda self: self.model.sums["receivable"])
    def repay(self, amount: int) -> None:
        self.steps["repay"] += 1
        amount, key = min(amount, self.model.sums["receivable"]), self.key()
        with self.stopped():
            receivables.repay(self.world.officer, self.book, amount, key)
        self.model.repay(amount)

    @invariant()
    def the_books_are_the_model(self) -> None:
        self.walked += 1
        if self.walked % CHECK == 0:
            self.compare()

    def compare(self) -> None:
        book, model = self.book, self.model
        accounts: dict[str, Any] = {
            account.name: account
            for account in (
                books.provider(book, "CNY", PROVIDER), books.provider(book, "CNY", COLLECTED),
                books.bank(book, "CNY"), books.payable(book, "CNY"), books.receivable(book, "CNY"),
                books.owed(book, "CNY"), books.host(book, "CNY"), books.borne(book, "CNY"), books.cards(book, "CNY"),
            )
        }  # fmt: skip
        with connection.cursor() as cursor:
            assert {name: balance(cursor, account) for name, account in accounts.items()} == {
                name: model.sums[name] for name in accounts
            }
            assert balance(cursor, books.pool(book, "CNY", self.pool)) == model.left
            held = sum(gift.held for gift in model.gifts.values())
            cursor.execute(
                "SELECT coalesce(sum(pending_debit), 0) FROM ledger_balance WHERE book = %s AND account = %s",
                [book, books.pool(book, "CNY", self.pool).id],
            )
            assert cursor.fetchone() == (held,)
            whole = balance(cursor, books.fund(book, "CNY")) + balance(cursor, books.received(book, "CNY"))
            cursor.execute("SELECT id, giving_card_left(book, id) FROM giving_card WHERE book = %s", [book])
            assert dict(cursor.fetchall()) == {id: card.left for id, card in model.cards.items()}
        assert whole == sum(unit.fate == "free" or unit.fate.startswith("held") for unit in model.line)
        with self.stopped():
            page, (total,) = campaign_queries.page(book), totals.gifts()
        assert page.available == len(model.free())
        assert total.raised == page.card.raised, "summed for all campaigns it is the same"


def test_the_money_machine(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    Machine.world = hosted(world, Fraction(HOST_PERCENT, 100))
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
