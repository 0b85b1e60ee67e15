"""Money back, on a real database: refunds that end well and badly, chargebacks, and other people's failures by name."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from commonweal.kernel.ledger import audit, balance
from commonweal.kernel.notices.inbox import inbox
from commonweal.services.giving import jobs
from commonweal.services.giving.actions import books, gifts, receivables, returns
from commonweal.services.giving.payment import Back, Order
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import campaigns as campaign_queries
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.queries import returns as queries
from commonweal.services.giving.rules import returns as rules
from commonweal.services.giving.rules.gifts import COLLECTED, Give, Outcome, State
from commonweal.services.giving.rules.returns import Standing
from commonweal.services.giving.rules.trace import Span, free
from commonweal.services.giving.tests.conftest import NOW, World
from commonweal.services.giving.tests.test_payouts import pay_out, put_in


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def simulator(settings: Any) -> Simulator:
    return Simulator(settings.HOME)


def order(world: World, gift: uuid.UUID, amount: int) -> Order:
    return Order(world.campaign.id, gift, amount, "CNY", world.campaign.title)


def paid(world: World, simulator: Simulator, amount: int = 1_000, key: str = "k", **said: Any) -> uuid.UUID:
    """A gift that has come through the provider."""
    id = gifts.give(Give(world.campaign.id, world.giver.id, amount, "CNY", "simulator", key)).id
    assert gifts.confirm("simulator", *simulator.report(order(world, id, amount), NOW, **said)) is Outcome.PAID
    return id


def refund(world: World, gift: uuid.UUID, amount: int, key: str = "r") -> uuid.UUID:
    return returns.refund(world.officer, world.campaign.id, gift, amount, "Given twice", key)


def back(world: World, id: uuid.UUID) -> Back:
    found = queries.one(world.campaign.id, id)
    return Back(id, found.campaign, found.gift, found.amount, "CNY", found.payment)


def charge_back(world: World, simulator: Simulator, gift: uuid.UUID, amount: int, **changed: Any) -> Outcome:
    return gifts.confirm("simulator", *simulator.report_chargeback(order(world, gift, amount), NOW, **changed))


def of_book(world: World) -> dict[str, int]:
    """The balances, zeros left out; the books are audited."""
    book = world.campaign.id
    accounts = (
        books.provider(book, "CNY", "simulator"), books.provider(book, "CNY", COLLECTED), books.fund(book, "CNY"),
        books.bank(book, "CNY"), books.payable(book, "CNY"), books.receivable(book, "CNY"), books.owed(book, "CNY"),
        books.host(book, "CNY"), books.borne(book, "CNY"),
    )  # fmt: skip
    with connection.cursor() as cursor:
        assert audit(cursor) == []
        found = {account.name: balance(cursor, account) for account in accounts}
    return {name: amount for name, amount in found.items() if amount}


def raised(world: World) -> int:
    return campaign_queries.card(world.campaign.id).raised


# Refunds


def test_a_refund_is_held_at_once_and_leaves_when_the_provider_says_so(world: World, simulator: Simulator) -> None:
    gift = paid(world, simulator)
    id = refund(world, gift, 400)
    assert refund(world, gift, 400) == id, "the same key is the same refund"
    assert queries.one(world.campaign.id, id).standing is Standing.UNDER_WAY
    assert raised(world) == 600, "what is on its way back is not there to be spent"
    assert of_book(world) == {"provider:simulator": 1_000, "fund": 1_000}
    with pytest.raises(Conflict, match=r"fund\.too-low"):
        pay_out(world, 601, "too much")

    assert gifts.confirm("simulator", *simulator.report_refund(back(world, id), NOW)) is Outcome.REFUNDED
    assert of_book(world) == {"provider:simulator": 600, "fund": 600}
    found = gift_queries.gift(world.campaign.id, gift)
    assert (found.state, found.returned) == (State.PAID, 400)
    refund(world, gift, 600, "rest")
    (rest,) = queries.waiting()
    gifts.confirm("simulator", *simulator.report_refund(back(world, rest.id), NOW))
    assert gift_queries.gift(world.campaign.id, gift).state is State.RETURNED
    assert of_book(world) == {}
    jobs.tell_returned(campaign=str(world.campaign.id), id=str(id), outcome="done")
    assert "4.00" in inbox(world.giver)[0].title.en


def test_the_job_asks_the_provider_and_takes_in_what_it_knows_at_once(world: World, simulator: Simulator) -> None:
    id = refund(world, paid(world, simulator), 1_000)
    jobs.refund(campaign=str(world.campaign.id), id=str(id))
    jobs.refund(campaign=str(world.campaign.id), id=str(id))
    assert queries.one(world.campaign.id, id).standing is Standing.DONE
    assert of_book(world) == {}


def test_what_a_charity_had_collected_it_pays_back_itself(world: World) -> None:
    (gift,) = put_in(world, 700)
    id = refund(world, gift, 700)
    assert queries.one(world.campaign.id, id).standing is Standing.DONE
    assert of_book(world) == {}


def test_a_hole_stays_and_no_other_gift_moves(world: World) -> None:
    first, second, third = put_in(world, 1_000, 2_000, 3_000)
    refund(world, second, 1_500)
    request = pay_out(world, 2_000, "a")
    book = world.campaign.id
    assert [(each.nth, each.amount) for each in gift_queries.sources(book, request)] == [(1, 1_000), (2, 500), (3, 500)]
    assert [part.amount for part in gift_queries.trace(book, first)] == [1_000]
    assert [part.amount for part in gift_queries.trace(book, second)] == [500]
    assert [part.amount for part in gift_queries.trace(book, third)] == [500]
    with pytest.raises(Conflict, match=r"refund\.spent"):
        refund(world, second, 500, "spent")
    with pytest.raises(Conflict, match=r"refund\.above-gift"):
        refund(world, second, 501, "more")


def test_a_refund_that_fails_frees_its_places(world: World, simulator: Simulator) -> None:
    gift = paid(world, simulator)
    id = refund(world, gift, 1_000)
    answer = simulator.report_refund(back(world, id), NOW, succeeded=False)
    assert gifts.confirm("simulator", *answer) is Outcome.REFUND_FAILED
    assert queries.one(world.campaign.id, id).standing is Standing.FAILED
    assert of_book(world) == {"provider:simulator": 1_000, "fund": 1_000}
    pay_out(world, 1_000, "spent after all")
    assert [part.amount for part in gift_queries.trace(world.campaign.id, gift)] == [1_000]


def test_a_refund_that_is_done_and_fails_later_is_owed_to_the_giver(world: World, simulator: Simulator) -> None:
    id = refund(world, paid(world, simulator), 1_000)
    gifts.confirm("simulator", *simulator.report_refund(back(world, id), NOW))
    late = simulator.report_refund(back(world, id), NOW, succeeded=False)
    assert gifts.confirm("simulator", *late) is Outcome.REFUND_FAILED
    assert gifts.confirm("simulator", *late) is Outcome.KNOWN
    assert queries.one(world.campaign.id, id).standing is Standing.BOUNCED
    assert of_book(world) == {"provider:simulator": 1_000, "owed": 1_000}


def test_reports_in_the_wrong_order_move_nothing_and_are_listed(world: World, simulator: Simulator) -> None:
    id = refund(world, paid(world, simulator), 1_000)
    done = simulator.report_refund(back(world, id), NOW)
    gifts.confirm("simulator", *simulator.report_refund(back(world, id), NOW, succeeded=False))
    assert gifts.confirm("simulator", *done) is Outcome.DIFFERS
    assert of_book(world) == {"provider:simulator": 1_000, "fund": 1_000}
    assert [each.outcome for each in gift_queries.mismatches()] == ["differs"]


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"amount": 999}, Outcome.DIFFERS),
        ({"asset": "USD"}, Outcome.DIFFERS),
        ({"refund": str(uuid.uuid4())}, Outcome.UNKNOWN),
        ({"gift": str(uuid.uuid4())}, Outcome.UNKNOWN),
    ],
)
def test_a_report_of_another_refund_moves_nothing(
    world: World, simulator: Simulator, changed: dict[str, Any], outcome: Outcome
) -> None:
    id = refund(world, paid(world, simulator), 1_000)
    assert gifts.confirm("simulator", *simulator.report_refund(back(world, id), NOW, **changed)) is outcome
    assert queries.one(world.campaign.id, id).standing is Standing.UNDER_WAY


def test_who_may_refund_and_what(world: World) -> None:
    (gift,) = put_in(world, 700)
    book = world.campaign.id
    with pytest.raises(NotAllowed, match=r"refund\.not-yours"):
        returns.refund(world.giver, book, gift, 700, "mine", "k")
    with pytest.raises(NotFound, match=r"gift\.unknown"):
        returns.refund(world.officer, book, uuid.uuid4(), 700, "why", "k")
    with pytest.raises(Conflict, match=r"refund\.nothing"):
        returns.refund(world.officer, book, gift, 0, "why", "k")
    with pytest.raises(Invalid):
        returns.refund(world.officer, book, gift, 700, "", "k")
    with pytest.raises(Conflict, match=r"refund\.above-gift"):
        returns.refund(world.stewards[0], book, gift, 701, "why", "k")
    returns.refund(world.stewards[0], book, gift, 700, "why", "k")
    with pytest.raises(Conflict, match=r"key\.reused"):
        returns.refund(world.stewards[0], book, gift, 699, "why", "k")
    with pytest.raises(Conflict, match=r"refund\.above-gift"):
        returns.refund(world.stewards[0], book, gift, 1, "why", "k2")


# Chargebacks


def test_a_chargeback_before_the_money_is_spent_leaves_a_hole(world: World, simulator: Simulator) -> None:
    gift = paid(world, simulator)
    assert charge_back(world, simulator, gift, 1_000) is Outcome.CHARGED_BACK
    assert of_book(world) == {}
    assert gift_queries.gift(world.campaign.id, gift).state is State.RETURNED
    assert queries.receivables() == []


def test_a_spent_gift_that_is_charged_back_is_a_stated_receivable(world: World, simulator: Simulator) -> None:
    gift = paid(world, simulator)
    put_in(world, 500)
    request = pay_out(world, 700, "a")
    assert charge_back(world, simulator, gift, 1_000) is Outcome.CHARGED_BACK
    assert of_book(world) == {"fund": 500, "payable": 200, "receivable": 700}
    (owed,) = queries.receivables()
    assert (owed.campaign, owed.amount) == (world.campaign.id, 700)
    assert [queries.receivable(id) for id in (world.campaign.id, uuid.uuid4())] == [700, 0]
    assert [each.amount for each in gift_queries.sources(world.campaign.id, request)] == [700], "history stays"
    with pytest.raises(Conflict, match=r"refund\.above-debt"):
        receivables.repay(world.officer, world.campaign.id, 701, "k0")
    with pytest.raises(NotAllowed, match=r"refund\.not-yours"):
        receivables.repay(world.giver, world.campaign.id, 700, "k1")
    assert receivables.repay(world.officer, world.campaign.id, 700, "k") == receivables.repay(
        world.officer, world.campaign.id, 700, "k"
    )
    assert (queries.receivables(), queries.receivable(world.campaign.id)) == ([], 0)
    assert of_book(world) == {"provider:collected": 700, "fund": 500, "payable": 200}


def test_a_chargeback_counts_once_and_never_above_the_gift(world: World, simulator: Simulator) -> None:
    gift = paid(world, simulator)
    assert charge_back(world, simulator, gift, 600) is Outcome.CHARGED_BACK
    assert charge_back(world, simulator, gift, 600) is Outcome.KNOWN
    assert charge_back(world, simulator, gift, 401, reference="another") is Outcome.DIFFERS
    assert charge_back(world, simulator, gift, 400, reference="third") is Outcome.CHARGED_BACK
    assert of_book(world) == {}


def test_a_chargeback_takes_what_a_refund_under_way_holds(world: World, simulator: Simulator) -> None:
    gift = paid(world, simulator)
    id = refund(world, gift, 1_000)
    assert charge_back(world, simulator, gift, 1_000) is Outcome.CHARGED_BACK
    assert queries.one(world.campaign.id, id).standing is Standing.FAILED
    assert of_book(world) == {}
    done = simulator.report_refund(back(world, id), NOW)
    assert gifts.confirm("simulator", *done) is Outcome.DIFFERS, "paid back twice: people must look"


def test_a_chargeback_of_a_gift_that_was_never_paid_is_listed(world: World, simulator: Simulator) -> None:
    id = gifts.give(Give(world.campaign.id, world.giver.id, 500, "CNY", "simulator", "k")).id
    assert charge_back(world, simulator, id, 500) is Outcome.UNKNOWN
    assert [each.outcome for each in gift_queries.mismatches()] == ["unknown"]


def test_a_chargeback_that_names_the_payment_alone_finds_its_gift(world: World, simulator: Simulator) -> None:
    gift = paid(world, simulator)
    reference = "sim-" + uuid.uuid5(gift, "paid").hex
    nobody = uuid.UUID(int=0)
    unnamed = Order(nobody, nobody, 1_000, "CNY", world.campaign.title)
    for payment, outcome in {"other": Outcome.UNKNOWN, reference: Outcome.CHARGED_BACK}.items():
        event = simulator.report_chargeback(unnamed, NOW, payment=payment)
        assert gifts.confirm("simulator", *event) is outcome
    assert of_book(world) == {}


# Against hand-written SQL


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO giving_draw VALUES (%(book)s, gen_random_uuid(), '[0,1)')",
        "UPDATE giving_return SET amount = 1",
        "DELETE FROM giving_return_end",
        """INSERT INTO giving_return SELECT book, gen_random_uuid(), gift, cause, amount, receivable, '{[5000,5700)}',
           reference, reason, asked_by, transfer, fact, at FROM giving_return""",
        """INSERT INTO giving_return SELECT book, gen_random_uuid(), gift, cause, amount, receivable, spans,
           reference, reason, asked_by, transfer, fact, at FROM giving_return""",
    ],
)
def test_the_database_refuses_by_itself(world: World, sql: str) -> None:
    (gift,) = put_in(world, 700)
    refund(world, gift, 700)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, {"book": world.campaign.id})


# Rules

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 8)), max_size=10)


def disjoint(drawn: list[tuple[int, int]]) -> list[Span]:
    found: list[Span] = []
    for start, length in sorted(drawn):
        if not found or start >= found[-1].end:
            found.append(Span(start, start + length))
    return found


@given(st.integers(0, 50), st.integers(1, 20), spans, st.integers(1, 25))
def test_a_chargeback_takes_free_places_of_its_own_gift_and_states_the_rest(
    start: int, size: int, drawn: list[tuple[int, int]], amount: int
) -> None:
    place, gone = Span(start, start + size), disjoint(drawn)
    units = {unit for unit in range(start, start + size) if not any(s.start <= unit < s.end for s in gone)}
    there = free(place, gone)
    assert [unit for span in there for unit in range(span.start, span.end)] == sorted(units)
    taken, receivable = rules.chargeback(there, amount)
    assert [unit for span in taken for unit in range(span.start, span.end)] == sorted(units)[:amount]
    assert receivable == max(0, amount - len(units))


@given(st.dictionaries(st.text("abcd", min_size=1), st.integers(0, 10**9), min_size=1), st.data())
def test_the_parts_of_a_refund_sum_to_it_and_none_is_above_what_was_got(parts: dict[str, int], data: Any) -> None:
    whole = sum(parts.values())
    if not whole:
        return
    amount = data.draw(st.integers(1, whole))
    shares = rules.split(parts, amount)
    assert sum(shares.values()) == amount
    assert all(0 <= shares[party] <= parts[party] for party in parts)
    assert all(abs(shares[party] * whole - parts[party] * amount) < whole for party in parts)


@given(st.lists(st.sampled_from([rules.End.DONE, rules.End.FAILED]), max_size=6))
def test_a_refund_ends_once_and_bounces_at_most_once(reports: list[rules.End]) -> None:
    ends: list[str] = []
    for report in reports:
        try:
            end = rules.conclude(ends, report)
        except Conflict:
            assert ends == ["failed"]
        else:
            ends += [end] if end else []
    assert ends in ([], ["done"], ["failed"], ["done", "bounced"])


def test_the_simulator_keeps_a_statement_of_its_own(world: World, tmp_path: Path) -> None:
    simulator = replace(Simulator(tmp_path))
    asked = order(world, uuid.uuid4(), 500)
    simulator.report(asked, NOW)
    simulator.report(asked, NOW)
    simulator.report_chargeback(asked, NOW)
    assert [entry.amount for entry in simulator.fetch_statement(NOW.date())] == [500, -500]
    found = simulator.query(asked)
    assert found and (found.gift, found.amount) == (asked.gift, 500)
