"""Matching by companies: reserved at the gift, posted with the payment, taken back with a return; the engine agrees."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Invalid, NotAllowed
from commonweal.kernel.ledger import KeyReused, audit, balance
from commonweal.services.giving import matching
from commonweal.services.giving.actions import books, gifts, matches, returns
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import campaigns as campaign_queries
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.rules import matches as rules
from commonweal.services.giving.rules.gifts import COLLECTED, Give, Outcome
from commonweal.services.giving.rules.matches import Promise
from commonweal.services.giving.tests.conftest import DAY, NOW, World, somebody
from commonweal.services.giving.tests.test_payouts import pay_out, put_in
from commonweal.services.giving.tests.test_returns import charge_back, order

COMPANY = uuid.UUID(int=7)


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def simulator(settings: Any) -> Simulator:
    return Simulator(settings.HOME)


def promise(**changed: Any) -> Promise:
    return replace(Promise(COMPANY, Fraction(1), None, None, NOW - DAY, NOW + DAY), **changed)


def open_pool(world: World, amount: int = 1_000, **changed: Any) -> uuid.UUID:
    company = somebody("company@test.example")
    return matches.fund(world.officer, world.campaign.id, promise(company=company.id, **changed), amount, "pool")


def left(world: World, pool: uuid.UUID) -> int:
    with connection.cursor() as cursor:
        assert audit(cursor) == []
        return balance(cursor, books.pool(world.campaign.id, "CNY", pool))


def raised(world: World) -> int:
    return campaign_queries.card(world.campaign.id).raised


def promised(world: World, amount: int, key: str = "k") -> uuid.UUID:
    return gifts.give(Give(world.campaign.id, world.giver.id, amount, "CNY", "simulator", key)).id


def test_a_match_is_reserved_at_the_gift_and_posted_with_its_payment(world: World, simulator: Simulator) -> None:
    pool = open_pool(world, 700)
    gift = promised(world, 600)
    assert (left(world, pool), raised(world)) == (700, 0)
    put_in(world, 500)
    assert (left(world, pool), raised(world)) == (600, 600), "600 are reserved, so the next gift gets the last 100"
    assert gifts.confirm("simulator", *simulator.report(order(world, gift, 600), NOW)) is Outcome.PAID
    assert (left(world, pool), raised(world)) == (0, 1_800)


def test_a_reservation_ends_with_its_promise(world: World, simulator: Simulator) -> None:
    pool = open_pool(world, 600)
    gift = promised(world, 600)
    with clock.stopped(NOW + timedelta(minutes=31)):
        late = simulator.report(order(world, gift, 600), clock.now())
        assert gifts.confirm("simulator", *late) is Outcome.PAID
        assert (left(world, pool), raised(world)) == (600, 600), "late money is money, but its match was let go"
        put_in(world, 600)
        assert (left(world, pool), raised(world)) == (0, 1_800)


def test_a_match_is_a_gift_on_the_line_and_traced(world: World) -> None:
    open_pool(world)
    put_in(world, 400)
    request = pay_out(world, 700, "a")
    assert [(each.nth, each.amount) for each in gift_queries.sources(world.campaign.id, request)] == [
        (1, 400),
        (2, 300),
    ]


def test_caps_hold_a_gift_and_a_giver_of_one_day(world: World) -> None:
    pool = open_pool(world, 1_000, rate=Fraction(1, 2), gift_cap=200, day_cap=300)
    put_in(world, 1_000, 1_000, 1_000)
    assert left(world, pool) == 700
    with clock.stopped(NOW + DAY / 2 + DAY / 4):
        put_in(world, 300)
    assert left(world, pool) == 550


def test_a_return_takes_back_its_part_of_the_match(world: World, simulator: Simulator) -> None:
    pool = open_pool(world)
    first, second = put_in(world, 300, 200)
    assert left(world, pool) == 500
    returns.refund(world.officer, world.campaign.id, first, 100, "why", "a")
    assert left(world, pool) == 600
    returns.refund(world.officer, world.campaign.id, first, 200, "why", "b")
    assert (left(world, pool), raised(world)) == (800, 400)
    gift = promised(world, 500)
    gifts.confirm("simulator", *simulator.report(order(world, gift, 500), NOW))
    assert left(world, pool) == 300
    charge_back(world, simulator, gift, 500)
    assert (left(world, pool), raised(world)) == (800, 400)
    assert gift_queries.gift(world.campaign.id, second).returned == 0


def test_a_spent_match_stays_spent(world: World, simulator: Simulator) -> None:
    pool = open_pool(world)
    gift = promised(world, 500)
    gifts.confirm("simulator", *simulator.report(order(world, gift, 500), NOW))
    pay_out(world, 800, "a")
    charge_back(world, simulator, gift, 500)
    assert left(world, pool) == 700, "200 of the match were free"


def test_a_pool_is_entered_once_by_the_charity_and_in_form(world: World) -> None:
    pool = open_pool(world)
    book, company = world.campaign.id, uuid.uuid4()
    with pytest.raises(KeyReused):
        matches.fund(world.officer, book, promise(company=company), 1_001, "pool")
    with pytest.raises(NotAllowed):
        matches.fund(world.giver, book, promise(company=company), 1_000, "other")
    wrong: dict[str, dict[str, Any]] = {
        "pool.rate": {"rate": Fraction(11)}, "pool.cap": {"day_cap": 0}, "pool.period": {"closes_at": NOW - DAY},
    }  # fmt: skip
    for code, changed in wrong.items():
        with pytest.raises(Invalid, match=code.replace(".", r"\.")):
            matches.fund(world.officer, book, promise(company=company, **changed), 1_000, "other")
    assert left(world, pool) == 1_000


def test_a_box_and_the_company_itself_are_not_matched(world: World) -> None:
    company = somebody("company@test.example")
    pool = matches.fund(world.officer, world.campaign.id, promise(company=company.id), 1_000, "pool")
    for giver in (None, company.id):
        gifts.give(Give(world.campaign.id, giver, 300, "CNY", COLLECTED, str(giver)))
    assert left(world, pool) == 1_000


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 900), st.integers(0, 3)), max_size=12),
    st.fractions(Fraction(1, 7), 3),
    st.none() | st.integers(1, 500),
    st.none() | st.integers(1, 800),
    st.integers(1, 3_000),
)
def test_step_by_step_it_gives_what_the_engine_gives(
    given_gifts: list[tuple[int, int, int]], rate: Fraction, gift_cap: int | None, day_cap: int | None, whole: int
) -> None:
    opens, closes = NOW.replace(hour=0), NOW.replace(hour=0) + 3 * DAY
    said = promise(rate=rate, gift_cap=gift_cap, day_cap=day_cap, opens_at=opens, closes_at=closes)
    of_day: dict[tuple[int, int], int] = {}
    left, ours, theirs = whole, [], []
    for number, (giver, amount, day) in enumerate(sorted(given_gifts, key=lambda each: each[2])):
        at = opens + day * DAY
        got = rules.reserve(said, uuid.UUID(int=giver + 10), amount, at, of_day.get((giver, day), 0), left)
        of_day[giver, day] = of_day.get((giver, day), 0) + got
        left -= got
        ours.append(got)
        theirs.append(matching.Gift(str(number), at, str(giver), "p", "c", amount))
    pool = matching.Pool(
        name="pool", scheme=matching.Proportional(rate), caps=matching.Caps(gift_cap, day_cap),
        slices=(matching.Slice(opens, closes, whole),),
    )  # fmt: skip
    assert ours == [match.amount for match in matching.match(pool, theirs)]
