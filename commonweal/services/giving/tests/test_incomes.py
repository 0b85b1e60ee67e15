"""The host's own income: asked for by one steward, agreed to by two others, paid once, never more than it has."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving import pages
from commonweal.services.giving.actions import incomes, payouts
from commonweal.services.giving.payment.simulator import Simulator
from commonweal.services.giving.queries import incomes as queries
from commonweal.services.giving.rules import incomes as rules
from commonweal.services.giving.rules.incomes import State
from commonweal.services.giving.tests.conftest import NOW, World, somebody
from commonweal.services.giving.tests.test_fees import hosted, of_book, paid

assert pages.urlpatterns, "loaded before a fixture puts other providers in place"
WHAT = Text("Rent of the office", "办公室租金")


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    made = Simulator(tmp_path)
    monkeypatch.setattr("commonweal.services.giving.payment.providers", lambda: {"simulator": made})
    return made


@pytest.fixture
def third(world: World) -> Party:
    found = somebody("steward3@test.example")
    people.grant_role(found, people.STEWARD)
    return found


@pytest.fixture
def home(world: World, simulator: Simulator) -> World:
    """A campaign in which the host has earned 206.27 and a tip of 386.76."""
    home = hosted(world)
    paid(home, simulator, 219_165, tip=38_676)
    payouts.lay(home.campaign.id)
    return home


EARNED = 20_627 + 38_676


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100), st.integers(-5, 110))
def test_no_more_than_is_earned_and_not_owed(earned: int, borne: int, promised: int, amount: int) -> None:
    there = rules.free(earned, borne, promised)
    assert there == max(0, earned - borne - promised)
    try:
        rules.check_amount(amount, there)
        assert 0 < amount <= there
    except Conflict as refused:
        assert refused.code == ("income.nothing" if amount < 1 else "income.above") and not 0 < amount <= there


def test_two_others_agree_and_it_is_paid_once(home: World, third: Party) -> None:
    campaign, (one, two) = home.campaign.id, home.stewards
    with pytest.raises(NotAllowed):
        incomes.ask(home.officer, campaign, 100, WHAT, "k")
    for amount, code in ((0, "income.nothing"), (EARNED + 1, "income.above")):
        with pytest.raises(Conflict) as refused:
            incomes.ask(one, campaign, amount, WHAT, "k")
        assert refused.value.code == code
    with pytest.raises(Invalid, match=r"text\.characters"):
        incomes.ask(one, campaign, 100, Text("a\u202e", "b"), "k")
    with pytest.raises(NotFound, match=r"campaign\.unknown"):
        incomes.ask(one, uuid.uuid4(), 100, WHAT, "k")
    id = incomes.ask(one, campaign, 50_000, WHAT, "k")
    assert incomes.ask(one, campaign, 50_000, WHAT, "k") == id
    with pytest.raises(Conflict, match=r"key\.reused"):
        incomes.ask(one, campaign, 40_000, WHAT, "k")
    with pytest.raises(Conflict, match=r"income\.above"):
        incomes.ask(two, campaign, EARNED - 50_000 + 1, WHAT, "promised")
    with pytest.raises(NotAllowed, match=r"income\.own"):
        incomes.judge(one, campaign, id, approves=True)
    assert incomes.judge(two, campaign, id, approves=True) is State.ASKED
    with pytest.raises(Conflict, match=r"income\.same-person"):
        incomes.judge(two, campaign, id, approves=True)
    with pytest.raises(Conflict, match=r"income\.not-approved"):
        incomes.pay(campaign, id)
    assert incomes.judge(third, campaign, id, approves=True) is State.APPROVED
    for _ in range(2):
        incomes.pay(campaign, id)
    assert of_book(home)["host"] == EARNED - 50_000
    assert of_book(home)["payable"] == 50_000, "it leaves when the provider has settled"
    with pytest.raises(Conflict, match=r"income\.decided"):
        incomes.judge(third, campaign, id, approves=False, note="too late")


def test_a_no_ends_it_and_sets_the_money_free(home: World, third: Party) -> None:
    id = incomes.ask(home.stewards[0], home.campaign.id, EARNED, WHAT, "k")
    with pytest.raises(Invalid, match=r"text\.empty"):
        incomes.judge(third, home.campaign.id, id, approves=False)
    assert incomes.judge(third, home.campaign.id, id, approves=False, note="too much") is State.DECLINED
    there = queries.earned(home.campaign.id)
    assert there is not None and there.free == EARNED


def test_raw_sql_is_held_too(home: World, third: Party) -> None:
    id = incomes.ask(home.stewards[0], home.campaign.id, 100, WHAT, "k")
    incomes.judge(third, home.campaign.id, id, approves=True)
    own = [home.stewards[0].id]
    for statement, values, why in (
        ("INSERT INTO giving_income_word SELECT book, id, %s, true, '', fact, at FROM giving_income", own,
         "themselves"),
        ("INSERT INTO giving_income_paid SELECT i.book, i.id, t.id, i.fact, i.at FROM giving_income i "
         "JOIN ledger_transfer t ON t.book = i.book LIMIT 1", [], "two people"),
        ("UPDATE giving_income SET amount = 1", [], "append-only"),
    ):  # fmt: skip
        with pytest.raises(IntegrityError, match=why), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)


@pytest.mark.parametrize(("language", "word"), [("zh", "基金会收入"), ("en", "The foundation")])
def test_the_doors(home: World, third: Party, client: Client, language: str, word: str) -> None:
    page = f"/{language}/giving/incomes/"
    client.force_login(home.giver.login)
    assert client.get(page).status_code == 403
    client.force_login(home.stewards[0].login)
    assert word in client.get(page).content.decode()
    form = {"campaign": str(home.campaign.id), "amount": "100", "what_zh": "办公室租金", "key": "k"}
    for wrong, status in (({"campaign": ""}, 422), ({"amount": "x"}, 422), ({"amount": "999999"}, 409),
                          ({"what_zh": ""}, 422), ({"campaign": str(uuid.uuid4())}, 404)):  # fmt: skip
        assert client.post(page, form | wrong).status_code == status
    assert client.post(page, form).status_code == 303
    (asked,) = queries.incomes()
    judge = f"/{language}/giving/{home.campaign.id}/incomes/{asked.id}/judge/"
    assert judge not in client.get(page).content.decode(), "who asked does not judge"
    assert client.post(judge, {"word": "approve"}).status_code == 403
    client.force_login(home.stewards[1].login)
    assert judge in client.get(page).content.decode()
    assert client.post(judge, {"word": "decline"}).status_code == 422
    assert client.post(judge, {"word": "approve"}).status_code == 303

    def post(by: Party, path: str, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {people.make_token(by, 'test')}", "Idempotency-Key": "c1"}
        where = f"/api/v1/giving/campaigns/{home.campaign.id}/incomes{path}"
        return client.post(where, json.dumps(body), content_type="application/json", headers=headers)

    assert post(third, f"/{asked.id}/words", {"approves": True}).json()["state"] == "approved"
    asking = {"amount": "1.00", "asset": "CNY", "what": {"en": "Rent"}}
    assert post(third, "", asking).status_code == 201
    assert post(home.officer, "", asking).status_code == 403
    client.force_login(third.login)
    said = client.get("/api/v1/giving/incomes").json()
    assert [each["state"] for each in said] == ["asked", "approved"] or [each["state"] for each in said] == [
        "approved", "asked",
    ]  # fmt: skip
