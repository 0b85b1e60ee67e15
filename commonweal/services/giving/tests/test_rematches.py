"""Matches and won chargebacks; and pools that have matched at the gift, before settlements were."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict
from commonweal.kernel.ledger import Transfer, post, request_hash
from commonweal.services.giving import jobs, matching, pages
from commonweal.services.giving.actions import books, campaigns, gifts, payouts, returns, settlements
from commonweal.services.giving.payment import Order
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import pools as queries
from commonweal.services.giving.rules import matches as rules
from commonweal.services.giving.rules.gifts import COLLECTED, Give, Outcome
from commonweal.services.giving.tests.conftest import NOW, World, plan, somebody
from commonweal.services.giving.tests.test_matches import OVER, left, open_pool, promised, raised, settle
from commonweal.services.giving.tests.test_payouts import pay_out, put_in
from tests.cluster import unguarded

assert pages.urlpatterns, "loaded before a fixture puts other providers in place"


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    made = Simulator(tmp_path)
    monkeypatch.setattr("commonweal.services.giving.payment.providers", lambda: {"simulator": made})
    return made


def dispute(world: World, simulator: Simulator, gift: uuid.UUID, amount: int, **changed: Any) -> Outcome:
    asked = Order(world.campaign.id, gift, amount, "CNY", world.campaign.title)
    return gifts.confirm("simulator", *simulator.report_chargeback(asked, clock.now(), **changed))


def paid(world: World, simulator: Simulator, amount: int) -> uuid.UUID:
    gift = promised(world, amount)
    asked = Order(world.campaign.id, gift, amount, "CNY", world.campaign.title)
    assert gifts.confirm("simulator", *simulator.report(asked, NOW)) is Outcome.PAID
    return gift


def stands_again() -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT amount, short FROM giving_match_again ORDER BY at, matching")
        return list(cursor.fetchall())


@given(st.integers(0, 100), st.integers(-5, 100))
def test_never_more_than_is_free(wish: int, free: int) -> None:
    assert 0 <= rules.restored(wish, free) <= max(0, free) and rules.restored(wish, free) <= wish


def test_a_match_stands_again_when_the_chargeback_is_won(world: World, simulator: Simulator) -> None:
    pool = open_pool(world, 700)
    gift = paid(world, simulator, 600)
    assert settle(world, pool) == {str(gift): 600}
    with clock.stopped(OVER):
        assert dispute(world, simulator, gift, 600) is Outcome.CHARGED_BACK
        assert (left(world, pool), raised(world)) == (700, 0)
        assert dispute(world, simulator, gift, 600, succeeded=False) is Outcome.CHARGEBACK_WON
        payouts.lay(world.campaign.id)
        assert (left(world, pool), raised(world)) == (100, 1_200)
        found = queries.one(world.campaign.id, pool)
        assert (found.matched - found.taken_back, found.again, found.short, found.free) == (600, 600, 0, 100)
        with connection.cursor() as cursor:
            cursor.execute("SELECT gift FROM giving_payment WHERE reference = 'won' AND amount = 600 ORDER BY transfer")
            again = cursor.fetchone()[0]
        returns.refund(world.officer, world.campaign.id, again, 150, "asked for", "r")
        returns.send(world.campaign.id, _only_refund(world, again))
        assert (left(world, pool), raised(world)) == (250, 900), "what stands again is taken back like any match"


def _only_refund(world: World, gift: uuid.UUID) -> uuid.UUID:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM giving_return WHERE gift = %s AND cause = 'refund'", [gift])
        return uuid.UUID(str(cursor.fetchone()[0]))


def test_part_of_a_gift_won_is_part_of_its_match(world: World, simulator: Simulator) -> None:
    pool = open_pool(world, 600)
    gift = paid(world, simulator, 600)
    settle(world, pool)
    with clock.stopped(OVER):
        dispute(world, simulator, gift, 200, reference="one")
        dispute(world, simulator, gift, 100, reference="two")
        assert left(world, pool) == 300
        dispute(world, simulator, gift, 200, reference="one", succeeded=False)
        assert left(world, pool) == 100
        dispute(world, simulator, gift, 100, reference="two", succeeded=False)
        payouts.lay(world.campaign.id)
    assert (left(world, pool), raised(world)) == (0, 1_200)
    assert stands_again() == [(200, 0), (100, 0)]


def test_what_the_pool_has_no_money_for_is_stated(world: World, simulator: Simulator) -> None:
    pool = open_pool(world, 600)
    gift = paid(world, simulator, 600)
    settle(world, pool)
    with clock.stopped(OVER), connection.cursor() as cursor:
        dispute(world, simulator, gift, 600)
        book, asset = world.campaign.id, "CNY"
        legs = books.move(books.pool(book, asset, pool), books.provider(book, asset, COLLECTED), 450)
        post(cursor, [Transfer(book, "elsewhere", request_hash("elsewhere"), "giving.pass", legs, OVER)])
        assert dispute(world, simulator, gift, 600, succeeded=False) is Outcome.CHARGEBACK_WON
    assert stands_again() == [(150, 450)]
    found = queries.one(world.campaign.id, pool)
    assert (found.again, found.short, left(world, pool)) == (150, 450, 0)


def test_a_gift_that_was_spent_whole_is_not_matched_again_and_it_is_said(world: World, simulator: Simulator) -> None:
    pool = open_pool(world, 600)
    gift = paid(world, simulator, 600)
    settle(world, pool)
    with clock.stopped(OVER):
        pay_out(world, 600, "a")  # first in, first out: the gift itself
        dispute(world, simulator, gift, 600)
        assert left(world, pool) == 600
        assert dispute(world, simulator, gift, 600, succeeded=False) is Outcome.CHARGEBACK_WON
    assert stands_again() == [(0, 600)] and left(world, pool) == 600


def test_the_match_comes_from_the_book_of_its_pool(world: World, simulator: Simulator) -> None:
    with clock.stopped(NOW.replace(month=10)):
        other = campaigns.publish(world.officer, plan(world.charity, filing_number="53329000A26002"))
    pool = open_pool(world, 1_000, scheme=matching.ProRata(), campaigns=(world.campaign.id, other.id))
    taken = gifts.give(Give(other.id, world.giver.id, 400, "CNY", "simulator", "k"))
    asked = Order(other.id, taken.id, 400, "CNY", other.title)
    gifts.confirm("simulator", *simulator.report(asked, NOW))
    settle(world, pool)
    full = left(world, pool)
    with clock.stopped(OVER):
        gifts.confirm("simulator", *simulator.report_chargeback(asked, OVER))
        assert left(world, pool) == 1_000
        gifts.confirm("simulator", *simulator.report_chargeback(asked, OVER, succeeded=False))
        payouts.lay(other.id)
    assert left(world, pool) == full < 1_000


def test_raw_sql_restores_no_more_than_was_taken(world: World, simulator: Simulator) -> None:
    pool = open_pool(world, 600)
    gift = paid(world, simulator, 600)
    settle(world, pool)
    with clock.stopped(OVER):
        dispute(world, simulator, gift, 600)
    statement = """INSERT INTO giving_match_again SELECT m.book, m.matching, r.id, NULL, 0, 601, now()
        FROM giving_match m JOIN giving_return r ON r.book = m.book AND r.gift = m.gift"""
    with pytest.raises(IntegrityError, match="stands again"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


# Pools that matched at the gift, before settlements were


def matched_as_once(world: World, pool: uuid.UUID, gift: uuid.UUID, amount: int) -> None:
    """A match as the platform made it at the gift, without a settlement."""
    book, asset, id = world.campaign.id, "CNY", uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute("SELECT company FROM giving_pool WHERE id = %s", [pool])
        (company,) = cursor.fetchone()
        legs = books.move(books.pool(book, asset, pool), books.received(book, asset), amount)
        post(cursor, [Transfer(book, f"match {id}", request_hash("match", str(id)), "giving.match", legs, NOW, id=id)])
        values = {"book": book, "id": id, "company": company, "amount": amount, "gift": gift, "pool": pool, "now": NOW}
        cursor.execute(
            """
            WITH gift AS (
                INSERT INTO giving_gift (book, id, giver, amount, channel, at)
                VALUES (%(book)s, %(id)s, %(company)s, %(amount)s, 'matching', %(now)s)
            )
            INSERT INTO giving_payment (book, gift, amount, transfer, fact, reference, at)
            VALUES (%(book)s, %(id)s, %(amount)s, %(id)s, %(id)s, '', %(now)s)
            """,
            values,
        )
        with unguarded(cursor):
            cursor.execute(
                """
                INSERT INTO giving_match (book, gift, matching, pool_book, pool, amount, counted)
                VALUES (%(book)s, %(gift)s, %(id)s, %(book)s, %(pool)s, %(amount)s, %(amount)s)
                """,
                values,
            )


def judged(world: World, pool: uuid.UUID) -> None:
    jobs.settle_pools()
    found = queries.one(world.campaign.id, pool)
    assert found.digest is not None
    for steward in world.stewards:
        settlements.judge(steward, world.campaign.id, pool, found.digest.hex(), approves=True)


def test_what_was_matched_at_the_gift_is_not_matched_again(world: World) -> None:
    pool = open_pool(world, 1_000, scheme=matching.ProRata())
    (old,) = put_in(world, 400)
    matched_as_once(world, pool, old, 400)
    new = gifts.give(Give(world.campaign.id, somebody("new@test.example").id, 300, "CNY", COLLECTED, "new")).id
    with clock.stopped(OVER):
        found = queries.file(queries.one(world.campaign.id, pool), OVER)
        assert {gift.id: gift.withheld for gift in found.gifts} == {str(old): "matched-before", str(new): ""}
        assert set(found.matches or {}) == {str(new)}


def test_a_pool_that_holds_less_than_its_file_gives_pays_nothing_and_says_so(world: World) -> None:
    pool = open_pool(world, 1_000, scheme=matching.ProRata())
    (old,) = put_in(world, 400)
    matched_as_once(world, pool, old, 400)
    gifts.give(Give(world.campaign.id, somebody("new@test.example").id, 300, "CNY", COLLECTED, "new"))
    with clock.stopped(OVER):
        judged(world, pool)
        with pytest.raises(Conflict, match=r"settlement\.short"):
            settlements.pay(world.campaign.id, pool)
    assert left(world, pool) == 600, "nothing is half-done"


def test_a_first_come_pool_holds_no_more_than_it_has(world: World) -> None:
    pool = open_pool(world, 1_000)
    (old,) = put_in(world, 600)
    matched_as_once(world, pool, old, 400)
    (new,) = put_in(world, 700)
    assert new and left(world, pool) == 600
    assert queries.one(world.campaign.id, pool).free == 0
