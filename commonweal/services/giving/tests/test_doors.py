"""The HTTP edge: what a page and a program may send, and what everything else gets."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from commonweal.kernel import clock
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.services.giving.actions import gifts as gift_actions
from commonweal.services.giving.actions import payouts as payout_actions
from commonweal.services.giving.payment import Order, providers
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import campaigns, payouts
from commonweal.services.giving.rules.gifts import COLLECTED, Give
from commonweal.services.giving.tests.conftest import DAY, NOW, World, picture
from commonweal.services.giving.tests.test_payouts import ask, pay_out, put_in

JSON = "application/json"


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def signed_in(client: Client, world: World) -> Client:
    client.force_login(world.giver.login)
    return client


def token(party: Party) -> dict[str, str]:
    return {"Authorization": f"Bearer {people.make_token(party, 'test')}"}


def post(client: Client, world: World, body: Any, key: str | None = "k1", by: Party | None = None) -> Any:
    """POST a gift as a program of the giver (or somebody else) would."""
    headers = token(by or world.giver) | ({"Idempotency-Key": key} if key is not None else {})
    data = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post(f"/api/v1/giving/campaigns/{world.campaign.id}/gifts", data, content_type=JSON, headers=headers)


FIVE = {"amount": "5.00", "asset": "CNY"}


def gifts_in_books() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM giving_gift")
        return int(cursor.fetchone()[0])


# Programs


def test_a_program_gives_and_is_told_where_to_pay(client: Client, world: World) -> None:
    answer = post(client, world, FIVE)
    assert answer.status_code == 201
    gift = answer.json()
    assert (gift["amount"], gift["state"], gift["fact"]) == (FIVE, "waiting", None)
    assert gift["pay"].startswith("/")
    again = post(client, world, FIVE)
    assert (again.status_code, again.json()["id"], again.json()["given_at"]) == (201, gift["id"], gift["given_at"])
    other = post(client, world, FIVE | {"amount": "6.00"})
    assert (other.status_code, other.json()["code"]) == (409, "key.reused")
    assert gifts_in_books() == 1
    address = f"/api/v1/giving/campaigns/{world.campaign.id}/gifts/{gift['id']}"
    assert client.get(address, headers=token(world.giver)).json()["id"] == gift["id"]
    assert client.get(address, headers=token(world.officer)).status_code == 404
    assert client.get(address).status_code == 401


def test_a_charitys_program_enters_what_was_collected(client: Client, world: World) -> None:
    body = FIVE | {"channel": "collected"}
    answer = post(client, world, body, by=world.officer)
    assert (answer.status_code, answer.json()["state"]) == (201, "paid")
    assert uuid.UUID(answer.json()["fact"])
    assert post(client, world, body).json()["code"] == "gift.not-yours-to-enter"


@pytest.mark.parametrize(
    ("amount", "status"),
    [
        ("5", 201),
        ("0.01", 201),
        ("10000.00", 201),
        (5, 422),
        (5.0, 422),
        (None, 422),
        (["5"], 422),
        ("5e2", 422),
        ("0", 422),
        ("0.00", 422),
        ("-5", 422),
        ("+5", 422),
        ("10000.01", 422),
        ("5.001", 422),
        ("5,00", 422),
        ("1 000", 422),
        ("５", 422),
        ("٥", 422),
        (" 5", 422),
        ("", 422),
        ("NaN", 422),
        ("Infinity", 422),
        ("0x10", 422),
        ("9007199254740993", 422),
        ("9" * 5000, 413),
        ("5\u0000", 422),
    ],
)
def test_amounts_at_the_edge(client: Client, world: World, amount: Any, status: int) -> None:
    answer = post(client, world, FIVE | {"amount": amount})
    assert answer.status_code == status, answer.content
    if status == 422:
        assert answer.json()["field"] == "amount"
        assert answer.json()["zh"] and answer.json()["en"]
    assert gifts_in_books() == (status == 201)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (FIVE | {"colour": "red"}, 422),
        ({"amount": "5.00"}, 422),
        (FIVE | {"asset": "USD"}, 422),
        (FIVE | {"asset": "XYZ"}, 422),
        (FIVE | {"asset": 7}, 422),
        (FIVE | {"channel": "shells"}, 422),
        (FIVE | {"channel": "x" * 21}, 422),
        (FIVE | {"channel": "simulator\u0000"}, 422),
        ([], 422),
        (b"", 422),
        (b"{", 400),
        (b'{"amount": NaN, "asset": "CNY"}', 400),
        (b'{"amount": "5", "amount": "6", "asset": "CNY"}', 400),
        (b"\xff", 400),
    ],
)
def test_bodies_at_the_edge(client: Client, world: World, body: Any, status: int) -> None:
    answer = post(client, world, body)
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert gifts_in_books() == 0


@pytest.mark.parametrize("key", [None, "", "k" * 65, "späße", "a b", "a\tb"])
def test_keys_at_the_edge(client: Client, world: World, key: str | None) -> None:
    answer = post(client, world, FIVE, key)
    assert answer.status_code == 422
    assert gifts_in_books() == 0


def test_a_body_of_ten_megabytes(client: Client, world: World) -> None:
    assert post(client, world, FIVE | {"channel": "x" * 10_000_000}).status_code == 413
    assert gifts_in_books() == 0


def test_who_may_not(client: Client, world: World) -> None:
    def attempt(campaign: uuid.UUID, content_type: str = JSON, **headers: str) -> Any:
        headers = {"Idempotency-Key": "k"} | token(world.giver) | headers
        address = f"/api/v1/giving/campaigns/{campaign}/gifts"
        return client.post(address, json.dumps(FIVE), content_type=content_type, headers=headers)

    assert attempt(world.campaign.id, Authorization="Bearer cw_nothing").status_code == 401
    assert attempt(world.campaign.id, content_type="text/plain").status_code == 415
    assert attempt(uuid.uuid4()).json()["code"] == "campaign.unknown"
    assert gifts_in_books() == 0


def test_a_campaign_that_may_not_take_it_says_why(client: Client, world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE parties_credential SET revoked_at = %s", [NOW])
    answer = post(client, world, FIVE)
    assert (answer.status_code, answer.json()["code"]) == (409, "campaign.unqualified")
    with clock.stopped(world.campaign.closes_at):
        closed = post(client, world, FIVE)
    assert (closed.status_code, closed.json()["code"]) == (409, "campaign.closed")


def test_campaigns_for_programs(client: Client, world: World) -> None:
    found = client.get("/api/v1/giving/campaigns?q=yinyue").json()
    assert (found["count"], found["campaigns"][0]["goal"]) == (1, {"amount": "2176.00", "asset": "CNY"})
    assert client.get("/api/v1/giving/campaigns?q=xyz").json()["count"] == 0
    assert client.get("/api/v1/giving/campaigns?q=%00'%27)%3b--").status_code in (200, 422)
    for query in ("limit=0", "limit=101", "offset=-1", "limit=x"):
        assert client.get(f"/api/v1/giving/campaigns?{query}").status_code == 422
    one = client.get(f"/api/v1/giving/campaigns/{world.campaign.id}").json()
    assert one["state"] == "open"


# Providers


def report(world: World, gift: uuid.UUID, **changed: Any) -> tuple[bytes, dict[str, str]]:
    simulator = providers()["simulator"]
    assert isinstance(simulator, Simulator)
    return simulator.report(Order(world.campaign.id, gift, 500, "CNY", world.campaign.title), NOW, **changed)


def test_callbacks_come_over_http(client: Client, world: World) -> None:
    gift = gift_actions.give(Give(world.campaign.id, world.giver.id, 500, "CNY", "simulator", "k"))
    address = "/api/v1/giving/payments/simulator"
    body, headers = report(world, gift.id)

    def call(body: bytes, headers: dict[str, str]) -> Any:
        return client.post(address, body, content_type=JSON, headers=headers)

    assert call(body + b" ", headers).status_code == 401
    assert call(body, {}).status_code == 401
    assert call(body, headers).json() == {"outcome": "paid"}
    assert call(body, headers).json() == {"outcome": "known"}
    assert call(*report(world, uuid.uuid4())).json() == {"outcome": "unknown"}
    assert call(*report(world, gift.id, amount=1)).json() == {"outcome": "differs"}
    assert call(b"x" * 20_000, headers).status_code == 413
    assert client.post("/api/v1/giving/payments/shells", body, content_type=JSON).status_code == 409
    assert campaigns.card(world.campaign.id).raised == 500


# People


def give_form(client: Client, world: World, language: str = "zh", **values: str) -> Any:
    form = {"choice": "5", "amount": "", "key": str(uuid.uuid4())} | values
    return client.post(f"/{language}/giving/{world.campaign.id}/give/", form)


def test_a_guest_gives_pays_and_finds_the_gift_again(client: Client, world: World) -> None:
    assert gifts_in_books() == 0
    answer = give_form(client, world)
    assert answer.status_code == 303
    assert "5.00" in client.get(answer["Location"]).content.decode()
    paid = client.post(answer["Location"])
    assert paid.status_code == 303
    receipt = client.get(paid["Location"]).content.decode()
    assert "谢谢您" in receipt and "5.00" in receipt
    assert "石坝小学" in client.get("/zh/giving/mine/").content.decode()
    assert Client().get(paid["Location"]).status_code == 404, "a receipt is its giver's own"
    assert client.get(paid["Location"] + "receipt").status_code == 404, "not sealed yet"


def test_old_gifts_are_on_later_pages(client: Client, world: World) -> None:
    for n in range(21):
        gift_actions.give(Give(world.campaign.id, world.giver.id, 500 + n, "CNY", "simulator", f"k{n}"))
    client.force_login(world.giver.login)
    first, second = (client.get(f"/en/giving/mine/?page={n}").content.decode() for n in (1, 2))
    link = f"/en/giving/{world.campaign.id}/gifts/"
    assert (first.count(link), second.count(link)) == (20, 1)
    assert "5.20" in first and "5.20" not in second and "5.00" in second


@pytest.mark.parametrize("amount", ["5e2", "0", "-5", "1.001", "５", "10000.01", "abc", "1,000"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_wrong_amount_comes_back_with_the_form_and_the_reason(
    client: Client, world: World, amount: str, language: str
) -> None:
    answer = give_form(client, world, language, amount=amount)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert f'value="{amount}"' in page and 'id="amount-error"' in page
    assert gifts_in_books() == 0


def test_forms_with_wrong_keys_channels_and_names(client: Client, world: World) -> None:
    assert give_form(client, world, key="").status_code == 422
    assert give_form(client, world, key="späße").status_code == 422
    assert give_form(client, world, channel="shells").status_code == 422
    assert give_form(client, world, amount="5\x00").status_code == 422
    assert client.post(f"/zh/giving/{uuid.uuid4()}/give/", {"choice": "5"}).status_code == 404
    with clock.stopped(world.campaign.closes_at + DAY):
        assert give_form(client, world).status_code == 409
    assert Client(enforce_csrf_checks=True).post(f"/zh/giving/{world.campaign.id}/give/").status_code == 403


def test_an_order_cannot_be_changed_on_its_way(client: Client, world: World) -> None:
    address = give_form(client, world)["Location"]
    assert client.get(address[:-3] + "x/").status_code == 404
    assert client.get(f"/zh/giving/{world.campaign.id}/give/").status_code == 303


@pytest.mark.parametrize(
    "query", ["", "?q=音乐", "?q=yy", "?q=%00", "?q=')--", "?topic=nothing", "?state=all", "?page=x"]
)
def test_the_list_is_always_there(client: Client, world: World, query: str) -> None:
    assert client.get(f"/zh/giving/?{query}").status_code == 200


def test_pages_of_the_open_world(client: Client, world: World) -> None:
    put_in(world, 10_000)
    request = pay_out(world, 5_000, "a")
    for language in ("zh", "en"):
        for path in (
            "", "books/", "grants/", "mine/", f"{world.campaign.id}/", f"organisations/{world.charity.id}/",
            f"{world.campaign.id}/payouts/{request}/",
        ):  # fmt: skip
            answer = client.get(f"/{language}/giving/{path}")
            assert answer.status_code == 200, path
            assert not re.search(r"\{[%{]|\bNone\b", answer.content.decode()), path
    nothing = uuid.uuid4()
    for path in (f"{nothing}/", f"organisations/{nothing}/", f"grants/{nothing}/{nothing}/", "pay/x/"):
        assert client.get(f"/zh/giving/{path}").status_code == 404, path


def test_a_story_with_a_script_in_it_is_text(client: Client, world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE giving_campaign SET story_zh = '<script>alert(1)</script>'")
    page = client.get(f"/zh/giving/{world.campaign.id}/").content.decode()
    assert "&lt;script&gt;alert(1)" in page and "<script>alert(1)" not in page


# The charity and the stewards


def test_a_charity_tells_and_asks_and_two_stewards_say_yes(client: Client, world: World) -> None:
    put_in(world, 10_000)
    book = world.campaign.id
    client.force_login(world.officer.login)
    assert "石坝小学" in client.get("/zh/giving/charity/").content.decode()
    assert client.get(f"/zh/giving/{book}/tell/").status_code == 200
    told = {"title_zh": "开课了", "body_zh": "三十二个孩子都来了。", "picture": SimpleUploadedFile("a.png", picture())}
    assert client.post(f"/zh/giving/{book}/tell/", told).status_code == 303
    assert "开课了" in client.get(f"/en/giving/{book}/").content.decode()
    bad = told | {"picture": SimpleUploadedFile("a.png", b"no picture")}
    assert client.post(f"/zh/giving/{book}/tell/", bad).status_code == 422

    assert client.get(f"/zh/giving/{book}/ask/").status_code == 200
    asked = {"amount": "30", "what_zh": "六节课", "key": "k"}
    assert client.post(f"/zh/giving/{book}/ask/", asked).status_code == 422
    asked |= {"evidence": SimpleUploadedFile("e.png", picture())}  # type: ignore[dict-item]
    answer = client.post(f"/zh/giving/{book}/ask/", asked)
    assert answer.status_code == 303
    assert client.get(answer["Location"] + "evidence/0/")["Content-Type"] == "image/webp"
    assert client.get(answer["Location"] + "evidence/1/").status_code == 404
    over = asked | {"amount": "80", "key": "k2", "evidence": SimpleUploadedFile("e.png", picture())}
    assert client.post(f"/zh/giving/{book}/ask/", over).status_code == 409

    judge = answer["Location"] + "judge/"
    assert client.post(judge, {"word": "approve"}).status_code == 403
    for steward in world.stewards:
        client.force_login(steward.login)
        assert "六节课" in client.get("/zh/giving/payouts/").content.decode()
        assert client.post(judge, {"word": "approve"}).status_code == 303
        assert client.post(judge, {"word": "approve"}).status_code == 409
    (payout,) = payouts.payouts_of(book)
    payout_actions.pay(book, payout.id)
    assert client.get("/zh/giving/mismatches/").status_code == 200
    assert "30.00" in client.get(f"/zh/giving/{book}/").content.decode()


def test_consoles_are_not_for_everybody(signed_in: Client, world: World) -> None:
    put_in(world, 1_000)
    request = ask(world, 500)
    book = world.campaign.id
    assert signed_in.get(f"/zh/giving/{book}/tell/").status_code == 404
    assert signed_in.get(f"/zh/giving/{book}/ask/").status_code == 404
    assert signed_in.get("/zh/giving/payouts/").status_code == 403
    assert signed_in.get("/zh/giving/mismatches/").status_code == 403
    evidence = f"/zh/giving/{book}/payouts/{request}/evidence/0/"
    assert signed_in.get(evidence).status_code == 200, "givers see the evidence"
    stranger = Client()
    assert stranger.get(evidence).status_code == 404
    assert stranger.get("/zh/giving/charity/").status_code == 303
    gift_actions.give(Give(book, None, 100, "CNY", COLLECTED, "box"))
    assert stranger.get("/zh/giving/mine/").status_code == 200
