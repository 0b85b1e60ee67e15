"""Money out: two people, one payment, and a trace that sums to the fen in both directions."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator

import pytest
from django.db import IntegrityError, connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from commonweal.kernel.ledger import audit, balance
from commonweal.kernel.notices.inbox import inbox
from commonweal.kernel.parties import people
from commonweal.kernel.text import Text
from commonweal.services.giving import jobs
from commonweal.services.giving.actions import books, gifts, payouts
from commonweal.services.giving.queries import campaigns as campaign_queries
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.queries import payouts as queries
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.rules.payouts import State
from commonweal.services.giving.rules.plans import Asking
from commonweal.services.giving.tests.conftest import NOW, World, picture

WHAT = Text("Eight lessons", "八节课")


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


def put_in(world: World, *amounts: int) -> list[uuid.UUID]:
    """Collected gifts, one after the other."""
    return [
        gifts.give(Give(world.campaign.id, world.giver.id, amount, "CNY", COLLECTED, str(uuid.uuid4()))).id
        for amount in amounts
    ]


def ask(world: World, amount: int, key: str = "a") -> uuid.UUID:
    return payouts.ask(world.officer, world.campaign.id, Asking(amount, WHAT, (picture(),)), key)


def approve(world: World, request: uuid.UUID) -> None:
    for steward in world.stewards:
        payouts.judge(steward, world.campaign.id, request, approves=True)


def pay_out(world: World, amount: int, key: str) -> uuid.UUID:
    request = ask(world, amount, key)
    approve(world, request)
    payouts.pay(world.campaign.id, request)
    return request


def test_asked_for_with_evidence_approved_by_two_and_paid_once(world: World) -> None:
    first, second = put_in(world, 3_000, 4_000)
    request = ask(world, 5_000)
    assert ask(world, 5_000) == request, "the same form sent twice is one request"
    assert [each.id for each in queries.waiting()] == [request]
    assert payouts.judge(world.stewards[0], world.campaign.id, request, approves=True) is State.ASKED
    with pytest.raises(Conflict, match=r"payout\.same-person"):
        payouts.judge(world.stewards[0], world.campaign.id, request, approves=True)
    with pytest.raises(Conflict, match=r"payout\.not-approved"):
        payouts.pay(world.campaign.id, request)
    assert payouts.judge(world.stewards[1], world.campaign.id, request, approves=True) is State.APPROVED

    transfer = payouts.pay(world.campaign.id, request)
    assert payouts.pay(world.campaign.id, request) == transfer
    paid = queries.payout(world.campaign.id, request)
    assert (paid.state, paid.transfer) == (State.PAID, transfer)
    assert [(part.amount, part.whole) for part in gift_queries.trace(world.campaign.id, first)] == [(3_000, 5_000)]
    assert [(part.amount, part.whole) for part in gift_queries.trace(world.campaign.id, second)] == [(2_000, 5_000)]
    assert [(each.nth, each.amount) for each in gift_queries.sources(world.campaign.id, request)] == [
        (1, 3_000),
        (2, 2_000),
    ]
    book = world.campaign.id
    with connection.cursor() as cursor:
        assert balance(cursor, books.fund(book, "CNY")) == 2_000
        assert balance(cursor, books.bank(book, "CNY")) == 0
        assert balance(cursor, books.provider(book, "CNY", COLLECTED)) == 2_000, "it left from the charity's own hands"
        assert audit(cursor) == []
    assert campaign_queries.page(book).available == 2_000

    jobs.tell_paid(campaign=str(book), request=str(request))
    assert sorted("30.00" in each.title.zh for each in inbox(world.giver)) == [False, True]
    assert len(inbox(world.officer)) == 1


def test_the_trace_sums_to_the_fen_whatever_comes_and_goes(world: World) -> None:
    dice = random.Random(20261125)
    given: list[uuid.UUID] = []
    paid: list[uuid.UUID] = []
    for step in range(40):
        given += put_in(world, *(dice.randint(1, 700) for _ in range(dice.randint(1, 4))))
        there = campaign_queries.page(world.campaign.id).available
        if step % 3 == 2:
            paid.append(pay_out(world, dice.randint(1, there), f"p{step}"))
    book = world.campaign.id
    by_request: dict[uuid.UUID, int] = {}
    for gift in given:
        parts = gift_queries.trace(book, gift)
        assert sum(part.amount for part in parts) <= gift_queries.gift(book, gift).amount
        for part in parts:
            by_request[part.request] = by_request.get(part.request, 0) + part.amount
    assert by_request == {request: queries.payout(book, request).amount for request in paid}
    for request in paid:
        assert sum(each.amount for each in gift_queries.sources(book, request)) == by_request[request]
    traces = gift_queries.traces_of(gift_queries.Gifts(world.giver.id)[:])
    assert sum(part.amount for parts in traces.values() for part in parts) == sum(by_request.values())
    payouts.lay(book)
    with connection.cursor() as cursor:
        assert balance(cursor, books.fund(book, "CNY")) == campaign_queries.page(book).available
        assert audit(cursor) == []


def test_nobody_judges_their_own_charity(world: World) -> None:
    put_in(world, 1_000)
    request = ask(world, 500)
    with pytest.raises(NotAllowed, match=r"role\.missing"):
        payouts.judge(world.giver, world.campaign.id, request, approves=True)
    people.grant_role(world.officer, people.STEWARD)
    with pytest.raises(NotAllowed, match=r"payout\.own"):
        payouts.judge(world.officer, world.campaign.id, request, approves=True)
    people.grant_role(world.stewards[0], people.OFFICER, world.charity)
    with pytest.raises(NotAllowed, match=r"payout\.own"):
        payouts.judge(world.stewards[0], world.campaign.id, request, approves=True)


def test_a_declined_payout_stays_declined_and_says_why(world: World) -> None:
    put_in(world, 1_000)
    request = ask(world, 800)
    with pytest.raises(Invalid, match=r"text\.empty"):
        payouts.judge(world.stewards[0], world.campaign.id, request, approves=False)
    state = payouts.judge(world.stewards[0], world.campaign.id, request, approves=False, note="发票不清楚")
    assert state is State.DECLINED
    with pytest.raises(Conflict, match=r"payout\.decided"):
        payouts.judge(world.stewards[1], world.campaign.id, request, approves=True)
    jobs.tell_declined(campaign=str(world.campaign.id), request=str(request))
    assert inbox(world.officer)[0].body.zh == "发票不清楚"
    assert ask(world, 1_000, "again") != request, "what was declined is free again"


def test_no_more_is_asked_for_than_there_is(world: World) -> None:
    put_in(world, 1_000)
    ask(world, 700)
    with pytest.raises(Conflict, match=r"fund\.too-low"):
        ask(world, 301, "b")
    ask(world, 300, "c")


def test_who_may_ask_and_with_what(world: World) -> None:
    put_in(world, 1_000)
    book = world.campaign.id
    with pytest.raises(NotAllowed):
        payouts.ask(world.giver, book, Asking(1, WHAT, (picture(),)), "k")
    with pytest.raises(NotFound, match=r"campaign\.unknown"):
        payouts.ask(world.officer, uuid.uuid4(), Asking(1, WHAT, (picture(),)), "k")
    for evidence, code in (
        ((), r"evidence\.missing"),
        ((picture(),) * 11, r"evidence\.too-many"),
        ((b"<script>alert(1)</script>",), r"picture\.form"),
        ((b"%PDF-1.7 /JavaScript %%EOF",), r"document\.form"),
    ):
        with pytest.raises(Invalid, match=code):
            payouts.ask(world.officer, book, Asking(1, WHAT, evidence), "k")
    for amount in (0, -1):
        with pytest.raises(Invalid, match=r"amount\.too-small"):
            payouts.ask(world.officer, book, Asking(amount, WHAT, (picture(),)), "k")
    with pytest.raises(Invalid, match=r"text\.characters"):
        payouts.ask(world.officer, book, Asking(1, Text("a\x00", "b"), (picture(),)), "k")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO giving_payout SELECT book, id, %(transfer)s, fact, at, amount FROM giving_request",
        "INSERT INTO giving_word SELECT book, id, asked_by, true, '', fact, at FROM giving_request",
        "INSERT INTO giving_draw SELECT book, id, '[0,500)' FROM giving_request",
        "UPDATE giving_request SET amount = 1",
        "DELETE FROM giving_word",
    ],
)
def test_raw_sql_cannot_pay_what_two_people_have_not_approved(world: World, statement: str) -> None:
    (gift,) = put_in(world, 1_000)
    request = ask(world, 500)
    payouts.judge(world.stewards[0], world.campaign.id, request, approves=True)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, {"transfer": gift})


@pytest.mark.parametrize("span", ["[0,400)", "[500,1001)", "[900,1500)"])
def test_raw_sql_cannot_draw_another_amount_or_twice_or_beyond_the_line(world: World, span: str) -> None:
    put_in(world, 1_000)
    request = pay_out(world, 500, "a")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO giving_draw (book, request, span) VALUES (%s, %s, %s)", [world.campaign.id, request, span]
        )
