"""Orders from vendors: two approvals, confirmed by the receiving side, paid as invoiced, traced line by line."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal
from commonweal.kernel.ledger import audit, balance
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import books, orders, payouts, vendors
from commonweal.services.giving.queries import campaigns as campaign_queries
from commonweal.services.giving.queries import gifts as gift_queries
from commonweal.services.giving.queries import orders as queries
from commonweal.services.giving.queries import payouts as payout_queries
from commonweal.services.giving.queries import totals
from commonweal.services.giving.queries import vendors as vendor_queries
from commonweal.services.giving.rules import orders as rules
from commonweal.services.giving.rules.orders import Billed, State, Wanted
from commonweal.services.giving.rules.payouts import State as Approval
from commonweal.services.giving.rules.trace import Span, draw
from commonweal.services.giving.tests.conftest import NOW, World, picture, somebody
from commonweal.services.giving.tests.test_doors import JSON, token
from commonweal.services.giving.tests.test_payouts import approve, pay_out, put_in

WHAT = Text("Sheet music and lessons", "乐谱与课时")


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def vendor(world: World) -> Party:
    made = people.register_organisation(Text("Erhai Music", "洱海乐器"), "MUSIC-0001")
    people.grant_role(world.giver, people.OFFICER, made)
    vendors.admit(world.stewards[0], made.id, Text("Sheet music", "乐谱"), "a@b.example")
    return made


def offer(world: World, vendor: Party, price: int, what: str = "Songs") -> uuid.UUID:
    return vendors.offer(world.giver, vendor.id, Text(what, what), Text("copies", "册"), price)


def order(world: World, vendor: Party, *lines: tuple[int, uuid.UUID, int], key: str = "o") -> uuid.UUID:
    """`lines`: the need by its place, the item, how many."""
    needs = [need.id for need in queries.needs(world.campaign.id)]
    wanted = [Wanted(needs[need], item, number) for need, item, number in lines]
    return orders.order(world.officer, world.campaign.id, vendor.id, wanted, WHAT, picture(), key)


def arrive(world: World, request: uuid.UUID, got: dict[int, int], by: Party | None = None) -> None:
    link = orders.receiver_link(world.officer, world.campaign.id, request)
    orders.arrive(by or world.giver, link, got, [picture(90)])


def test_from_the_list_to_the_givers_trace_line_by_line(world: World, vendor: Party) -> None:
    first, second = put_in(world, 5_000, 20_000)
    music, lesson = offer(world, vendor, 1_500), offer(world, vendor, 4_000, "Lesson")
    campaign = world.campaign.id
    request = order(world, vendor, (1, music, 4), (0, lesson, 3))
    assert order(world, vendor, (1, music, 4), (0, lesson, 3)) == request
    with pytest.raises(Conflict, match=r"key\.reused"):
        order(world, vendor, (1, music, 5))
    assert payout_queries.promised(campaign) == 18_000
    with pytest.raises(Conflict, match=r"order\.not-under-way"):
        arrive(world, request, {1: 1})
    approve(world, request)
    with pytest.raises(Conflict, match=r"order\.not-invoiced"):
        payouts.pay(campaign, request)
    with pytest.raises(Conflict, match=r"order\.not-arrived"):
        orders.invoice(world.officer, campaign, request, [Billed(1, 1_500, 1)], picture())
    with pytest.raises(NotAllowed, match=r"order\.own"):
        arrive(world, request, {1: 1}, by=world.officer)
    for wrong in ({}, {1: 5}, {3: 1}, {1: 0}):
        with pytest.raises(Invalid, match=r"arrival\.number"):
            arrive(world, request, wrong)
    arrive(world, request, {1: 3})
    assert queries.order(campaign, request).state is State.ARRIVING
    with pytest.raises(Conflict, match=r"order\.under-way"):
        orders.cancel(world.officer, campaign, request, "Too late")
    arrive(world, request, {1: 1, 2: 2})
    for above in ([Billed(1, 1_501, 4)], [Billed(2, 4_000, 3)], [Billed(3, 1, 1)]):
        with pytest.raises(Conflict, match=r"order\.overrun"):
            orders.invoice(world.officer, campaign, request, above, picture())
    orders.invoice(world.officer, campaign, request, [Billed(1, 1_400, 4), Billed(2, 4_000, 2)], picture())
    assert payout_queries.promised(campaign) == 13_600, "what is saved is free at once"
    with pytest.raises(Conflict, match=r"order\.invoiced"):
        orders.invoice(world.officer, campaign, request, [Billed(1, 1_400, 4)], picture())
    payouts.pay(campaign, request)
    payouts.pay(campaign, request)

    found = queries.order(campaign, request)
    assert (found.state, found.saved, payout_queries.payout(campaign, request).amount) == (State.PAID, 4_400, 13_600)
    assert campaign_queries.page(campaign).available == 11_400
    assert [total.spent for total in totals.gifts()] == [13_600]
    assert [need.left for need in queries.needs(campaign)] == [160_000 - 8_000, 57_600 - 5_600]
    assert [(s.what.en, s.amount, s.things) for s in queries.shares(campaign, request, first)] == [("Songs", 5_000, 3)]
    assert [(s.what.en, s.amount, s.things) for s in queries.shares(campaign, request, second)] == [
        ("Songs", 600, 0),
        ("Lesson", 8_000, 2),
    ]
    assert [part.whole for part in gift_queries.trace(campaign, first)] == [13_600]
    with connection.cursor() as cursor:
        assert audit(cursor) == []
        assert balance(cursor, books.fund(campaign, "CNY")) == 11_400
    assert queries.shares(campaign, pay_out(world, 100, "plain"), second) == [], "an ordinary payout has no lines"


def test_the_filed_budget_of_a_need_is_the_limit_and_a_cancelled_order_frees_it(world: World, vendor: Party) -> None:
    put_in(world, 500_000)
    music = offer(world, vendor, 10_000)
    request = order(world, vendor, (1, music, 5))
    with pytest.raises(Conflict, match=r"order\.above-need"):
        order(world, vendor, (1, music, 1), key="p")
    with pytest.raises(NotAllowed, match=r"order\.not-yours"):
        orders.cancel(world.giver, world.campaign.id, request, "Because")
    approve(world, request)
    orders.cancel(world.stewards[0], world.campaign.id, request, "The vendor has closed")
    assert queries.order(world.campaign.id, request).state is State.CANCELLED
    assert payout_queries.promised(world.campaign.id) == 0
    with pytest.raises(Conflict, match=r"order\.not-under-way"):
        arrive(world, request, {1: 1})
    again = order(world, vendor, (1, music, 5), key="p")
    payouts.judge(world.stewards[0], world.campaign.id, again, approves=False, note="Too dear")
    assert queries.order(world.campaign.id, again).state is State.DECLINED
    assert queries.needs(world.campaign.id)[1].left == 57_600


def test_who_may_list_and_what_is_on_offer(world: World, vendor: Party) -> None:
    with pytest.raises(NotAllowed):
        vendors.admit(world.officer, vendor.id, Text("a", "a"), "a")
    with pytest.raises(Conflict, match=r"vendor\.known"):
        vendors.admit(world.stewards[0], vendor.id, Text("a", "a"), "a")
    for nobody in (uuid.uuid4(), world.giver.id):
        with pytest.raises(NotFound, match=r"organisation\.unknown"):
            vendors.admit(world.stewards[0], nobody, Text("a", "a"), "a")
    with pytest.raises(NotAllowed):
        vendors.offer(world.officer, vendor.id, Text("a", "a"), Text("b", "b"), 1)
    with pytest.raises(NotFound, match=r"vendor\.unknown"):
        vendors.offer(world.giver, world.charity.id, Text("a", "a"), Text("b", "b"), 1)
    item = offer(world, vendor, 100)
    with pytest.raises(NotAllowed):
        vendors.end(world.officer, item)
    vendors.end(world.giver, item)
    with pytest.raises(NotFound, match=r"item\.unknown"):
        vendors.end(world.giver, item)
    put_in(world, 1_000)
    with pytest.raises(Conflict, match=r"order\.item-ended"):
        order(world, vendor, (0, item, 1))
    with pytest.raises(Invalid, match=r"order\.lines"):
        order(world, vendor)
    with pytest.raises(Invalid, match=r"order\.lines"):
        order(world, vendor, (0, offer(world, vendor, 100), -1))
    assert vendor_queries.vendor(vendor.id).items == 1


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO giving_order_line SELECT book, request, 2, need, item, price, 1 FROM giving_order_line",
        "INSERT INTO giving_arrival SELECT book, request, place, 2, 3, evidence, by_party, fact, at "
        "FROM giving_arrival",
        "INSERT INTO giving_arrival SELECT a.book, request, place, 2, 1, a.evidence, asked_by, a.fact, a.at "
        "FROM giving_arrival a JOIN giving_request r ON r.id = a.request",
        "INSERT INTO giving_invoice SELECT book, request, 300, '', by_party, fact, at FROM giving_arrival; "
        "INSERT INTO giving_invoice_line SELECT book, request, 1, 100, 3 FROM giving_arrival",
        "INSERT INTO giving_invoice SELECT book, request, 101, '', by_party, fact, at FROM giving_arrival; "
        "INSERT INTO giving_invoice_line SELECT book, request, 1, 101, 1 FROM giving_arrival",
        "INSERT INTO giving_invoice SELECT book, request, 150, '', by_party, fact, at FROM giving_arrival; "
        "INSERT INTO giving_invoice_line SELECT book, request, 1, 100, 1 FROM giving_arrival",
        "INSERT INTO giving_payout SELECT a.book, a.request, %(transfer)s, a.fact, a.at, 300 FROM giving_arrival a",
        "UPDATE giving_order_line SET price = 1",
        "DELETE FROM giving_invoice",
    ],
)
def test_raw_sql_cannot_bend_an_order(world: World, vendor: Party, statement: str) -> None:
    (gift,) = put_in(world, 1_000)
    request = order(world, vendor, (0, offer(world, vendor, 100), 3))
    approve(world, request)
    arrive(world, request, {1: 1})
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        for part in statement.split("; "):
            cursor.execute(part, {"transfer": gift})


@given(st.lists(st.integers(1, 50), min_size=1, max_size=12), st.lists(st.integers(1, 40), min_size=1, max_size=6),
       st.data())  # fmt: skip
def test_each_line_is_paid_exactly_by_the_gifts_that_paid_the_order(
    gifts: list[int], costs: list[int], data: st.DataObject
) -> None:
    ends = list(accumulate(gifts))
    gone = data.draw(st.sets(st.integers(0, ends[-1] - 1), max_size=ends[-1] // 2))
    drawn_before = [Span(place, place + 1) for place in gone]
    amount = sum(costs)
    try:
        drawn = draw(ends[-1], drawn_before, amount)
    except Conflict:
        return
    by_place = dict(enumerate(costs, 1))
    total = dict.fromkeys(by_place, 0)
    for size, end in zip(gifts, ends, strict=True):
        gift = Span(end - size, end)
        mine = rules.shares(drawn, gift, by_place)
        overlap = sum(max(0, min(s.end, gift.end) - max(s.start, gift.start)) for s in drawn)
        assert sum(mine.values()) == overlap
        for place, part in mine.items():
            total[place] += part
    assert total == by_place


ORDERS = st.builds(
    rules.Order,
    ordered_by=st.just(uuid.UUID(int=1)),
    approval=st.sampled_from(Approval),
    lines=st.lists(
        st.tuples(st.integers(1, 9), st.integers(1, 5)).flatmap(
            lambda pair: st.integers(0, pair[1]).map(lambda arrived: rules.Line(1, pair[0], pair[1], arrived))
        ),
        min_size=1,
        max_size=1,
    ).map(tuple),
    invoiced=st.booleans(),
    cancelled=st.booleans(),
)


@given(ORDERS, st.integers(0, 10), st.integers(0, 6))
def test_an_invoice_is_never_above_what_was_agreed_and_came(order: rules.Order, price: int, quantity: int) -> None:
    (line,) = order.lines
    try:
        rules.check_invoice(order, [Billed(1, price, quantity)])
    except Refusal:
        return
    assert order.approval is Approval.APPROVED and not order.cancelled and not order.invoiced
    assert 0 < price <= line.price and 0 < quantity <= line.arrived


def test_every_state_has_its_words() -> None:
    assert set(rules.TITLES) == set(State)


def upload(name: str = "paper.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture(), "image/png")


def test_the_pages_of_an_order(world: World, vendor: Party, client: Client) -> None:
    put_in(world, 5_000)
    client.force_login(world.stewards[0].login)
    assert "Admit" in client.get("/en/giving/vendors/").content.decode()
    admission = {"registration": "NOBODY", "about_zh": "书", "contact": "x"}
    assert client.post("/en/giving/vendors/", admission).status_code == 422
    assert client.post("/en/giving/vendors/", admission | {"registration": "MUSIC-0001"}).status_code == 409
    client.force_login(world.giver.login)
    shop = f"/en/giving/vendors/{vendor.id}/"
    thing = {"what_zh": "歌本", "unit_zh": "册", "price": "15"}
    assert client.post(shop, thing | {"price": "x"}).status_code == 422
    assert client.post(shop, thing).status_code == 303
    assert "歌本" in client.get(shop).content.decode()
    base = f"/en/giving/{world.campaign.id}/orders/"
    assert client.get(f"{base}new/{vendor.id}/").status_code == 404
    client.force_login(world.officer.login)
    assert "洱海乐器" in client.get(base.replace("/en/", "/zh/")).content.decode()
    assert client.get(f"{base}new/{vendor.id}/").status_code == 200
    need = queries.needs(world.campaign.id)[1].id
    form = {"need-1": str(need), "quantity-1": "2", "what_zh": "歌本两册", "key": "k"}
    assert client.post(f"{base}new/{vendor.id}/", form).status_code == 422
    assert client.post(f"{base}new/{vendor.id}/", form | {"quote": upload(), "quantity-1": ""}).status_code == 422
    assert client.post(f"{base}new/{vendor.id}/", form | {"quote": upload(), "quantity-1": "9999"}).status_code == 409
    address = client.post(f"{base}new/{vendor.id}/", form | {"quote": upload()})["Location"]
    approve(world, uuid.UUID(address.split("/")[-2]))
    page = client.get(address).content.decode()
    link = re.search(r'href="([^"]+/arrivals/[^"]+)"', page)
    assert link is not None
    bill = {"price-1": "14", "quantity-1": "2", "document": upload()}
    assert client.post(f"{address}invoice/", bill).status_code == 409
    assert client.post(link[1], {"quantity-1": "2", "evidence": upload()}).status_code == 403
    client.force_login(somebody("school@test.example").login)
    assert client.get(f"{link[1][:-5]}xxxx/").status_code == 422
    assert "歌本" in client.get(link[1]).content.decode()
    assert client.post(link[1], {"quantity-1": "2"}).status_code == 422
    assert client.post(link[1], {"quantity-1": "3", "evidence": upload()}).status_code == 422
    assert client.post(link[1], {"quantity-1": "2", "evidence": upload()}).status_code == 303
    assert client.get(f"{address}arrivals/0/").status_code == 404
    client.force_login(world.officer.login)
    assert client.get(f"{address}arrivals/0/").status_code == 200
    assert client.get(f"{address}arrivals/1/").status_code == 404
    assert client.post(f"{address}invoice/", bill | {"price-1": "16", "document": upload()}).status_code == 409
    assert client.post(f"{address}invoice/", bill | {"document": upload()}).status_code == 303
    payouts.pay(world.campaign.id, uuid.UUID(address.split("/")[-2]))
    assert client.post(f"{address}cancel/", {"reason": "no"}).status_code == 409
    client.force_login(world.giver.login)
    (gift,) = gift_queries.Gifts(world.giver.id)
    receipt = client.get(f"/en/giving/{world.campaign.id}/gifts/{gift.id}/").content.decode()
    assert "歌本: 2 册" in receipt
    assert "2.00" in client.get(address).content.decode(), "what was saved"


def test_programs_order(world: World, vendor: Party, client: Client) -> None:
    put_in(world, 5_000)
    base = "/api/v1/giving/"

    def post(path: str, body: dict[str, Any], by: Party, status: int) -> Any:
        headers = token(by) | {"Idempotency-Key": "k"}
        answer = client.post(base + path, json.dumps(body), content_type=JSON, headers=headers)
        assert answer.status_code == status, answer.content
        return answer.json() if status == 201 else None

    paper = base64.b64encode(picture()).decode()
    thing = {"what": {"en": "Songs"}, "unit": {"en": "copies"}, "price": "15.00"}
    post(f"vendors/{vendor.id}/items", thing, world.officer, 403)
    item = post(f"vendors/{vendor.id}/items", thing, world.giver, 201)["id"]
    assert client.get(f"{base}vendors/{vendor.id}/items").json()[0]["price"]["amount"] == "15.00"
    assert client.get(f"{base}vendors").json()[0]["name"]["en"] == "Erhai Music"
    post("vendors", {"organisation": str(vendor.id), "about": {"en": "x"}, "contact": "x"}, world.stewards[0], 409)
    orders_of = f"campaigns/{world.campaign.id}/orders"
    wanted = {"vendor": str(vendor.id), "what": {"en": "Songs"}, "quotation": paper,
              "lines": [{"item": item, "need": 2, "quantity": 2}]}  # fmt: skip
    post(orders_of, wanted, world.giver, 403)
    post(orders_of, wanted | {"lines": [{"item": item, "need": 9, "quantity": 2}]}, world.officer, 409)
    id = post(orders_of, wanted, world.officer, 201)["id"]
    approve(world, uuid.UUID(id))
    link = orders.receiver_link(world.officer, world.campaign.id, uuid.UUID(id))
    came = {"link": link, "lines": [{"line": 1, "quantity": 2}], "evidence": [paper]}
    post("arrivals", came | {"link": "x"}, world.giver, 422)
    post("arrivals", came, world.officer, 403)
    post("arrivals", came, world.giver, 204)
    post(f"{orders_of}/{id}/cancel", {"reason": "no"}, world.officer, 409)
    bill = {"lines": [{"line": 1, "price": "14.50", "quantity": 2}], "document": paper}
    post(f"{orders_of}/{id}/invoice", bill, world.officer, 204)
    (told,) = client.get(base + orders_of).json()
    assert (told["state"], told["saved"]["amount"], told["lines"][0]["arrived"]) == ("invoiced", "1.00", 2)
    assert client.delete(f"{base}items/{item}", headers=token(world.giver)).status_code == 204
