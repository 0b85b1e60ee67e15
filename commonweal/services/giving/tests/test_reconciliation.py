"""The statement of a provider against the books: every difference is listed, and nothing is adjusted."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.services.giving import jobs
from commonweal.services.giving.actions import gifts, returns
from commonweal.services.giving.actions.reconciliation import reconcile
from commonweal.services.giving.payment import Back, Order, provider
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import reconciliation as queries
from commonweal.services.giving.rules.gifts import Give, Outcome
from commonweal.services.giving.rules.reconciliation import Fault, Line, compare
from commonweal.services.giving.tests.conftest import DAY, NOW, World


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


def give(world: World, amount: int, key: str) -> Order:
    id = gifts.give(Give(world.campaign.id, world.giver.id, amount, "CNY", "simulator", key)).id
    return Order(world.campaign.id, id, amount, "CNY", world.campaign.title)


def test_what_agrees_is_silent_and_every_difference_is_listed(world: World, client: Client, tmp_path: Path) -> None:
    simulator = provider("simulator")
    assert isinstance(simulator, Simulator)
    for day in (NOW.date(), (NOW - DAY).date()):
        (simulator.home / "simulator" / f"{day}.jsonl").unlink(missing_ok=True)
    right, lost, other, back = (give(world, 500, key) for key in "abcd")
    for order in (right, back):
        assert gifts.confirm("simulator", *simulator.report(order, NOW)) is Outcome.PAID
    returns.send(right.book, returns.refund(world.officer, right.book, right.gift, 200, "why", "r"))
    other_way = returns.refund(world.officer, back.book, back.gift, 100, "why", "r")
    told = Back(other_way, back.book, back.gift, 100, "CNY", "")
    body, _ = Simulator(tmp_path).report_refund(told, NOW)  # reported to us, and not in the statement
    assert gifts.confirm("simulator", body, simulator.sign(body, NOW)) is Outcome.REFUNDED
    simulator.report(lost, NOW)  # paid there, but its callback never arrived
    assert gifts.confirm("simulator", *simulator.report(other, NOW, amount=501)) is Outcome.DIFFERS
    found = {(each.fault, each.kind, each.gift): (each.here, each.there) for each in reconcile(simulator, NOW.date())}
    assert found == {
        (Fault.MISSING_HERE, "payment", lost.gift): (0, 500),
        (Fault.MISSING_HERE, "payment", other.gift): (0, 501),
        (Fault.MISSING_THERE, "refund", back.gift): (-100, 0),
    }
    reconcile(simulator, NOW.date())
    with clock.stopped(NOW + DAY):
        jobs.reconcile()
    assert len(queries.differences()) == 3
    client.force_login(world.stewards[0].login)
    page = client.get("/zh/giving/mismatches/").content.decode()
    assert "对账单有，账簿无" in page and str(lost.gift) in page


def test_a_callback_that_never_came_is_asked_for(world: World, tmp_path: Path) -> None:
    simulator, lost = Simulator(tmp_path), give(world, 500, "a")
    simulator.report(lost, NOW)
    found = simulator.query(lost)
    assert found is not None
    assert [gifts.take_in(found), gifts.take_in(found)] == [Outcome.PAID, Outcome.KNOWN]
    assert reconcile(simulator, NOW.date()) == []


lines = st.lists(
    st.builds(
        Line,
        st.sampled_from(["payment", "refund", "chargeback"]),
        st.sampled_from([uuid.UUID(int=n) for n in range(1, 6)]),
        st.integers(1, 50),
        st.just("CNY"),
        st.just("r"),
    ),
    unique_by=lambda line: (line.kind, line.gift),
)


@given(lines, lines)
def test_nothing_is_silent_and_nothing_is_made_up(here: list[Line], there: list[Line]) -> None:
    found = compare(here, there)
    told = sum(each.there - each.here for each in found)
    assert told == sum(line.amount for line in there) - sum(line.amount for line in here)
    assert compare(here, here) == []
    same = set(here) & set(there)
    assert {(each.kind, each.gift) for each in found} == {(line.kind, line.gift) for line in {*here, *there} - same}


def test_a_line_that_names_no_gift_is_found_by_its_reference() -> None:
    line = Line("chargeback", uuid.UUID(int=1), -500, "CNY", "du_1")
    assert compare([line], [replace(line, gift=None)]) == []
    (alone,) = compare([], [replace(line, gift=None)])
    assert (alone.fault, alone.gift, alone.reference) == (Fault.MISSING_HERE, None, "du_1")
