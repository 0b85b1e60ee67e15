"""Time banks in any order of events, against a model that knows nothing of ledgers: conservation, floors, limits.

`MACHINE_STEPS` in the environment sets how many steps are walked (few in the suite), `MACHINE_SEED` where to start.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from scipy.optimize import linprog

from commonweal.kernel import clock
from commonweal.kernel.errors import Refusal
from commonweal.kernel.ledger import audit
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.services.giving.actions import alliances, clearings, exchanges, members
from commonweal.services.giving.clearing import statement
from commonweal.services.giving.queries import banks as queries
from commonweal.services.giving.queries import clearings as clearing_queries
from commonweal.services.giving.queries import exchanges as exchange_queries
from commonweal.services.giving.rules.banks import CATEGORIES, Asking, Outcome, Part, Side
from commonweal.services.giving.tests.conftest import NOW, somebody
from commonweal.services.giving.tests.test_banks import BEARS, FLOOR, There, found

STEPS = int(os.environ.get("MACHINE_STEPS", "100"))
SEED = int(os.environ.get("MACHINE_SEED", "20261125"))
WALK = 50
NAMES = "ABC"
PAIRS = list(combinations(NAMES, 2))
SEATS = 3

banks_ = st.sampled_from(NAMES)
seats = st.integers(0, SEATS - 1)
places = st.integers(0, len(NAMES) * SEATS - 1)
aways = st.integers(1, len(NAMES) * SEATS - 1)
minutes_ = st.integers(1, 60)
picks = st.integers(0, 10**6)


@dataclass(eq=False)
class Member:
    """Minutes of a membership, and what is promised of them."""

    id: uuid.UUID
    person: Party
    bank: str
    number: int
    has: int = 0
    held: int = 0
    left: bool = False

    @property
    def free(self) -> int:
        return self.has - self.held + FLOOR


@dataclass
class Pact:
    """An alliance: what the second bank owes the first, and what each has promised away."""

    id: uuid.UUID
    pair: tuple[str, str]
    limit: int
    owed: int = 0
    held: Counter[str] = field(default_factory=Counter)
    open: bool = True

    def claim(self, bank: str) -> int:
        return self.owed if bank == self.pair[0] else -self.owed

    def free(self, bank: str) -> int:
        return self.claim(bank) - self.held[bank] + self.limit

    def pay(self, bank: str, minutes: int) -> None:
        self.owed -= minutes if bank == self.pair[0] else -minutes


@dataclass
class Deal:
    """An exchange."""

    book: uuid.UUID
    payer: Member
    payee: Member
    minutes: int
    held: bool
    pact: Pact | None
    state: str = "asked"


class Machine(RuleBasedStateMachine):
    """The banks on PostgreSQL, and the model beside them."""

    there: ClassVar[dict[str, There]]
    steward: ClassVar[Party]
    steps: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.stopped = clock.stopped(NOW)
        self.stopped.__enter__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.members = {
            (bank, each.number - 1): Member(each.id, Party(id=each.person), bank, each.number)
            for bank, there in self.there.items()
            for each in queries.members(there.id)
        }
        self.common = dict.fromkeys(NAMES, 0)
        self.pacts: list[Pact] = []
        self.deals: dict[uuid.UUID, Deal] = {}
        self.keys = 0
        for pair in PAIRS:
            self.ally(pair, 60, back=False)

    def teardown(self) -> None:
        try:
            with connection.cursor() as cursor:
                assert audit(cursor) == []
            assert clearing_queries.uneven() == []
            given = sum(deal.minutes for deal in self.deals.values() if deal.state in {"confirmed", "disputed"})
            if given:
                told = [line for bank in self.there.values() for line in queries.report(bank.id)]
                assert all(line.category in CATEGORIES for line in told)
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)
            self.stopped.__exit__(None, None, None)

    def pact(self, one: str, other: str) -> Pact | None:
        pair = (min(one, other), max(one, other))
        return next((each for each in self.pacts if each.pair == pair and each.open), None)

    def count(self, what: str, done: bool) -> None:
        self.steps[what if done else f"{what}, refused"] += 1

    def tried(self, what: str, may: bool, do: Any) -> bool:
        """Do it; it is refused if and only if the model says so."""
        try:
            do()
        except Refusal as refusal:
            assert not may, f"{what}: refused with {refusal.code}"
        else:
            assert may, f"{what}: not refused"
        self.count(what, may)
        return may

    # Exchanges

    @rule(place=places, away=aways, minutes=minutes_, gives=st.booleans())
    def help(self, place: int, away: int, minutes: int, gives: bool) -> None:
        """The commonest: asked for and confirmed."""
        before = len(self.deals)
        self.ask(place, [away], minutes, gives, "care")
        if len(self.deals) > before:
            self.confirm_one(list(self.deals)[-1])

    @rule(place=places, minutes=minutes_, onwards=st.booleans())
    def circle(self, place: int, minutes: int, onwards: bool) -> None:
        """Help that goes round the banks, so that there is something to clear."""
        for n in range(len(NAMES)):
            step = SEATS if onwards else 2 * SEATS
            self.help((place + n * step) % len(self.members), step, minutes, gives=True)

    @rule(place=places, aways=st.lists(aways, min_size=1, max_size=3, unique=True), minutes=minutes_,
          gives=st.booleans(), category=st.sampled_from(sorted(CATEGORIES)))  # fmt: skip
    def ask(self, place: int, aways: list[int], minutes: int, gives: bool, category: str) -> None:
        everybody = list(self.members.values())
        mine, known = everybody[place], [everybody[(place + away) % len(everybody)] for away in aways]
        bank = mine.bank
        pacts = [None if each.bank == bank else self.pact(bank, each.bank) for each in known]
        may = all(pact or each.bank == bank for pact, each in zip(pacts, known, strict=True))
        if may and gives:
            may = mine.free >= minutes * len(known)
            through = Counter(id(pact) for pact in pacts if pact)
            may = may and all(pact.free(bank) >= minutes * through[id(pact)] for pact in pacts if pact)
        parts = tuple(Part(self.there[each.bank].id, each.number, minutes) for each in known)
        self.keys += 1
        made: list[uuid.UUID] = []

        def do() -> None:
            wish = Asking(Side.GIVES if gives else Side.ASKS, category, parts)
            made.append(exchanges.ask(mine.person, self.there[bank].id, wish, f"k{self.keys}"))

        if self.tried("ask", may, do):
            for each, other, pact in zip(
                exchange_queries.asked(self.there[bank].id, made[0]), known, pacts, strict=True
            ):
                payer, payee = (mine, other) if gives else (other, mine)
                self.deals[each.id] = Deal(each.book, payer, payee, minutes, gives, pact)
                if gives:
                    payer.held += minutes
                    if pact:
                        pact.held[payer.bank] += minutes

    def pick(self, pick: int, *states: str) -> tuple[uuid.UUID, Deal] | None:
        some = [(id, deal) for id, deal in self.deals.items() if deal.state in states]
        return some[pick % len(some)] if some else None

    def release(self, deal: Deal) -> None:
        if deal.held:
            deal.payer.held -= deal.minutes
            if deal.pact:
                deal.pact.held[deal.payer.bank] -= deal.minutes

    @precondition(lambda self: self.deals)
    @rule(pick=picks)
    def confirm(self, pick: int) -> None:
        if (chosen := self.pick(pick, "asked")) is None:
            return
        self.confirm_one(chosen[0])

    def confirm_one(self, id: uuid.UUID) -> None:
        deal = self.deals[id]
        may = deal.pact is None or deal.pact.open
        if may and not deal.held:
            may = deal.payer.free >= deal.minutes
            may = may and (deal.pact is None or deal.pact.free(deal.payer.bank) >= deal.minutes)
        other = deal.payee if deal.held else deal.payer
        if self.tried("confirm", may, lambda: exchanges.confirm(other.person, deal.book, id)):
            self.release(deal)
            deal.payer.has -= deal.minutes
            deal.payee.has += deal.minutes
            if deal.pact:
                deal.pact.pay(deal.payer.bank, deal.minutes)
            deal.state = "confirmed"

    @precondition(lambda self: self.deals)
    @rule(pick=picks, outcome=st.sampled_from([Outcome.DECLINED, Outcome.WITHDRAWN]))
    def turn_down(self, pick: int, outcome: Outcome) -> None:
        if (chosen := self.pick(pick, "asked")) is None:
            return
        id, deal = chosen
        by = deal.payer if deal.held == (outcome is Outcome.WITHDRAWN) else deal.payee
        exchanges.turn_down(by.person, deal.book, id, outcome)
        self.release(deal)
        deal.state = "over"
        self.count("turn down", done=True)

    @precondition(lambda self: self.deals)
    @rule(pick=picks)
    def dispute(self, pick: int) -> None:
        if (chosen := self.pick(pick, "confirmed")) is None:
            return
        id, deal = chosen
        by = next((side for side in (deal.payer, deal.payee) if not side.left), None)
        if by is not None:
            exchanges.dispute(by.person, deal.book, id, 0)
            deal.state = "disputed"
            self.count("dispute", done=True)

    @precondition(lambda self: self.deals)
    @rule(pick=picks, share=st.integers(0, 100))
    def decide(self, pick: int, share: int) -> None:
        if chosen := self.pick(pick, "disputed"):
            id, deal = chosen
            stays = deal.minutes * share // 100
            self.back(
                deal, deal.minutes - stays, lambda: exchanges.decide(self.steward, deal.book, id, stays), "decide"
            )

    @precondition(lambda self: self.deals)
    @rule(pick=picks)
    def give_back(self, pick: int) -> None:
        if (chosen := self.pick(pick, "confirmed", "disputed")) and not chosen[1].payee.left:
            id, deal = chosen
            person = deal.payee.person
            self.back(deal, deal.minutes, lambda: exchanges.give_back(person, deal.book, id), "give back")

    def back(self, deal: Deal, minutes: int, do: Any, what: str) -> None:
        payer, payee = deal.payer, deal.payee
        borne = minutes if payee.left else max(0, minutes - max(0, payee.free))
        common = Counter({payee.bank: -borne})
        if payer.left:
            common[payer.bank] += minutes
        pact = deal.pact and (self.pact(*deal.pact.pair) or deal.pact)
        may = all(self.common[bank] + change >= -BEARS for bank, change in common.items())
        may = may and (pact is None or pact.free(payee.bank) >= minutes)
        if self.tried(what, may or not minutes, do):
            if not payer.left:
                payer.has += minutes
            payee.has -= minutes - borne
            for bank, change in common.items():
                self.common[bank] += change
            if pact:
                pact.pay(payee.bank, minutes)
            deal.state = "settled"

    # Members

    @rule(bank=banks_, seat=seats, by_officer=st.booleans())
    def leave(self, bank: str, seat: int, by_officer: bool) -> None:
        member, there = self.members[bank, seat], self.there[bank]
        disputed = any(deal.state == "disputed" and member in (deal.payer, deal.payee) for deal in self.deals.values())
        may = not disputed and (member.has >= 0 or (by_officer and self.common[bank] + member.has >= -BEARS))
        if not self.tried(
            "release" if by_officer else "leave",
            may,
            (lambda: members.release(there.officer, there.id, member.id))
            if by_officer
            else (lambda: members.leave(member.person, there.id)),
        ):
            return
        for deal in self.deals.values():
            if deal.state == "asked" and member in (deal.payer, deal.payee):
                self.release(deal)
                deal.state = "over"
        self.common[bank] += member.has
        member.has, member.left = 0, True
        again = members.join(member.person, there.id, "again")
        members.admit(there.officer, there.id, again)
        self.members[bank, seat] = Member(again, member.person, bank, queries.member(again).number)

    # Banks

    @precondition(lambda self: len(self.deals) % 7 == 0 or not all(self.pact(*pair) for pair in PAIRS))
    @rule(pair=st.sampled_from(PAIRS), limit=st.integers(20, 120), back=st.booleans())
    def ally(self, pair: tuple[str, str], limit: int, back: bool) -> None:
        earlier = self.pact(*pair)
        one, other = (self.there[name] for name in (reversed(pair) if back else pair))
        id = alliances.propose(one.officer, one.id, other.id, limit)
        owed = earlier.owed if earlier else 0
        may = abs(owed) <= limit
        if earlier and owed:
            creditor = pair[0] if owed > 0 else pair[1]
            may = may and earlier.limit >= earlier.held[creditor]
        if self.tried("ally", may, lambda: alliances.accept(other.officer, other.id, id)):
            if earlier:
                earlier.open, earlier.owed = False, 0
            self.pacts.append(Pact(id, pair, limit, owed))
        else:
            alliances.end(one.officer, one.id, id)

    @precondition(lambda self: len(self.deals) % 5 == 4 and any(pact.open for pact in self.pacts))
    @rule(pick=picks, first=st.booleans())
    def end(self, pick: int, first: bool) -> None:
        some = [pact for pact in self.pacts if pact.open]
        pact = some[pick % len(some)]
        there = self.there[pact.pair[0 if first else 1]]
        alliances.end(there.officer, there.id, pact.id)
        pact.open = False
        self.count("end", done=True)

    @precondition(lambda self: sum(pact.owed != 0 for pact in self.pacts) > 1)
    @rule()
    def clear(self) -> None:
        owed = [pact for pact in self.pacts if pact.owed]
        debtors = [pact.pair[1] if pact.owed > 0 else pact.pair[0] for pact in owed]
        creditors = [pact.pair[0] if pact.owed > 0 else pact.pair[1] for pact in owed]
        free = [max(0, min(abs(pact.owed), pact.free(bank))) for pact, bank in zip(owed, creditors, strict=True)]
        most = 0
        if owed:
            flow = np.array(
                [[(bank == d) - (bank == c) for d, c in zip(debtors, creditors, strict=True)] for bank in NAMES]
            )
            bounds = [(0, each) for each in free]
            most = round(-float(linprog(-np.ones(len(owed)), A_eq=flow, b_eq=np.zeros(3), bounds=bounds).fun))
        id = clearings.clear()
        assert (id is None) == (most == 0)
        self.count("clear", done=id is not None)
        if id is None:
            return
        told = clearing_queries.clearing(id).told
        assert statement.wrong(told) == []
        struck = dict(zip((each.agreement for each in told.positions), told.struck, strict=True))
        assert sum(struck.values()) == most
        for pact, debtor in zip(owed, debtors, strict=True):
            pact.pay(debtor, -struck[str(pact.id)])

    @invariant()
    def agrees(self) -> None:
        expected: dict[tuple[str, str], tuple[int, int]] = {}
        for member in self.members.values():
            expected[member.bank, f"member:{member.id}"] = (member.has, member.held)
            assert member.has - member.held >= -FLOOR
        for bank, has in self.common.items():
            expected[bank, "common"] = (has, 0)
        for pact in self.pacts:
            assert abs(pact.owed) <= pact.limit
            for bank in pact.pair:
                expected[bank, f"ally:{pact.id}"] = (pact.claim(bank), pact.held[bank])
        with connection.cursor() as cursor:
            cursor.execute("""
                SELECT b.book, a.name, a.side * b.posted,
                       CASE WHEN a.side = 1 THEN b.pending_credit ELSE b.pending_debit END
                FROM ledger_balance b JOIN ledger_account a ON a.book = b.book AND a.id = b.account
                WHERE b.book IN (SELECT id FROM giving_bank)""")
            names = {there.id: bank for bank, there in self.there.items()}
            found = {(names[book], name): (has, held) for book, name, has, held in cursor.fetchall()}
        for account, said in expected.items():
            assert found.pop(account, (0, 0)) == said, account
        assert set(found.values()) <= {(0, 0)}  # those who have left
        sums = Counter({bank: self.common[bank] for bank in NAMES})
        for member in self.members.values():
            sums[member.bank] += member.has
        for pact in self.pacts:
            for bank in pact.pair:
                sums[bank] -= pact.claim(bank)
        assert not any(sums.values())


@pytest.mark.django_db
def test_any_order_of_events_leaves_every_minute_where_the_model_says() -> None:
    with clock.stopped(NOW):
        Machine.there = {name: found(name) for name in NAMES}
        Machine.steward = somebody("machine-steward@test.example")
        people.grant_role(Machine.steward, people.STEWARD)
    Machine.steps = Counter()
    walks = max(1, STEPS // WALK)
    run_state_machine_as_test(
        seed(SEED)(Machine),
        settings=settings(
            max_examples=walks,
            stateful_step_count=WALK,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    sys.stdout.write(f"seed {SEED}: {sum(Machine.steps.values())} steps: {dict(Machine.steps.most_common())}\n")
    assert Machine.steps["ask"] and Machine.steps["confirm"]
