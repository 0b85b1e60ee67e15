"""Random histories, step by step beside the plain model."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from commonweal.kernel import ledger
from commonweal.kernel.ledger import Account, Leg, Transfer, request_hash
from commonweal.kernel.ledger.tests import model
from commonweal.kernel.quantity import CNY, Asset
from commonweal.kernel.text import Text

AT = datetime(2026, 1, 1, tzinfo=UTC)
BOOK = UUID(int=1)
MINUTE = Asset("MINUTE", 0, "time", Text("minutes", "分钟"))
ACCOUNTS = [
    Account(BOOK, "clearing", "CNY", 1),
    Account(BOOK, "fund", "CNY", -1, floor=0),
    Account(BOOK, "cash", "CNY", 1, floor=-50),
    Account(BOOK, "fees", "CNY", -1),
    Account(BOOK, "volunteers", "MINUTE", -1),
    Account(BOOK, "given", "MINUTE", 1, floor=0),
]
BY_ASSET = {"CNY": ACCOUNTS[:4], "MINUTE": ACCOUNTS[4:]}

hours = st.integers(0, 6).map(lambda n: AT + timedelta(hours=n))


@st.composite
def balanced(draw: st.DrawFn, asset: str) -> tuple[Leg, ...]:
    """Two to four legs that sum to zero; the same account may appear more than once."""
    accounts = st.sampled_from([account.id for account in BY_ASSET[asset]])
    amounts = draw(st.lists(st.integers(-60, 60).filter(bool), min_size=1, max_size=3).filter(lambda a: sum(a) != 0))
    return tuple(Leg(draw(accounts), amount) for amount in [*amounts, -sum(amounts)])


@st.composite
def transfers(draw: st.DrawFn) -> Transfer:
    """A posted or pending transfer with a key out of a few, so that keys come again."""
    legs = draw(balanced("CNY"))
    if draw(st.integers(0, 3)) == 0:
        legs += draw(balanced("MINUTE"))
    key, phase = f"k{draw(st.integers(0, 25))}", draw(st.sampled_from(["posted", "pending"]))
    expires = draw(hours) if phase == "pending" and draw(st.booleans()) else None
    said = [(str(leg.account), leg.amount) for leg in legs] if draw(st.booleans()) else "the same every time"
    return Transfer(BOOK, key, request_hash(said), "toy.given", legs, AT, phase, expires)  # type: ignore[arg-type]


class Histories(RuleBasedStateMachine):
    """Every answer and every balance of the database against the model."""

    session: psycopg.Connection

    def __init__(self) -> None:
        super().__init__()
        self.history = self.session.transaction(force_rollback=True)
        self.history.__enter__()
        self.cursor = self.session.cursor()
        ledger.open_assets(self.cursor, [CNY, MINUTE])
        ledger.open_accounts(self.cursor, ACCOUNTS)
        self.books = model.Books({account.id: account for account in ACCOUNTS})

    def teardown(self) -> None:
        self.history.__exit__(None, None, None)

    def both(self, real: Any, expected: Any) -> None:
        """Do it in the database and in the model: the same answer or the same refusal."""
        errors = {
            model.Overdrawn: ledger.Overdrawn,
            model.KeyReused: ledger.KeyReused,
            model.Wrong: psycopg.errors.IntegrityConstraintViolation,
        }
        try:
            answer = expected()
        except tuple(errors) as refusal:
            with pytest.raises(errors[type(refusal)]), self.session.transaction():
                real()
        else:
            with self.session.transaction():
                got = real()
            assert [posted.existed for posted in got] == [existed for _, existed in answer]
            assert all(id in (None, posted.id) for posted, (id, _) in zip(got, answer, strict=True))

    @rule(stripe=st.integers(0, 3))
    def another_writer(self, stripe: int) -> None:
        self.cursor.execute("SELECT set_config('commonweal.stripe', %s, false)", [str(stripe)])

    @rule(batch=st.lists(transfers(), max_size=4, unique_by=lambda transfer: transfer.key))
    def post(self, batch: list[Transfer]) -> None:
        self.both(lambda: ledger.post(self.cursor, batch), lambda: self.books.post(batch))

    @rule(data=st.data(), outcome=st.sampled_from(["post", "void"]), at=hours)
    def resolve(self, data: st.DataObject, outcome: Literal["post", "void"], at: datetime) -> None:
        pendings = [t for t in self.books.accepted.values() if t.phase == "pending"]
        if not pendings:
            return
        pending = data.draw(st.sampled_from(pendings))
        legs = pending.legs if outcome == "post" else ()
        key = f"resolve {pending.id}"
        same = Transfer(BOOK, key, request_hash(outcome, str(pending.id)), outcome, legs, at, outcome, None, pending.id)

        self.both(
            lambda: [ledger.resolve(self.cursor, BOOK, pending.id, outcome, at)],
            lambda: [(None, existed) for _, existed in self.books.post([same])],
        )

    @rule(at=hours)
    def sweep(self, at: datetime) -> None:
        assert {id for _, id in ledger.expired(self.cursor, at)} == self.books.expired(at)

    @invariant()
    def balances_agree(self) -> None:
        for account in ACCOUNTS:
            posted, debit, credit = self.books.sums(account.id)
            assert ledger.balance(self.cursor, account) == posted * account.side
            self.cursor.execute(
                "SELECT coalesce(sum(pending_debit), 0), coalesce(sum(pending_credit), 0) FROM ledger_balance"
                " WHERE account = %s",
                [account.id],
            )
            assert self.cursor.fetchone() == (debit, credit)
        assert ledger.audit(self.cursor) == []


def test_random_histories(session: psycopg.Connection) -> None:
    class OnThisSession(Histories):
        pass

    OnThisSession.session = session
    run_state_machine_as_test(
        OnThisSession,
        settings=settings(
            max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
