"""Time banks over HTTP: pages in both languages and the API."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.services.giving.actions import clearings, exchanges
from commonweal.services.giving.clearing import parse, statement
from commonweal.services.giving.queries import banks as queries
from commonweal.services.giving.queries import clearings as clearing_queries
from commonweal.services.giving.queries import exchanges as exchange_queries
from commonweal.services.giving.tests.test_banks import (
    FLOOR,
    There,
    ally,
    ask,
    asking,
    balances,
    exchange,
    found,
    north,
    south,
    steward,
    today,
)

__all__ = ["north", "south", "steward", "today"]


def api(client: Client, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
    address = f"/api/v1/giving/{path}"
    if body is None:
        return client.get(address)
    return client.post(address, json.dumps(body), content_type="application/json", headers=headers)


def help_form(there: There, **changes: str) -> dict[str, str]:
    form = {"side": "gives", "bank": str(there.id), "numbers": "2", "minutes": "60", "category": "care", "key": "form"}
    return form | changes


@pytest.mark.parametrize(("language", "sent", "done"), [("zh", "待对方确认", "已确认"), ("en", "Waits", "Confirmed")])
def test_from_asking_to_join_to_a_confirmed_exchange(
    client: Client, north: There, language: str, sent: str, done: str
) -> None:
    page = f"/{language}/giving/banks/{north.id}/"
    stranger, account = north.people[0], f"{page}account/"
    assert client.get(page).status_code == client.get(f"/{language}/giving/banks/").status_code == 200
    client.force_login(stranger.login)
    assert client.post(account, help_form(north, numbers="2、3")).status_code == 303
    shown = client.get(account).content.decode()
    assert shown.count(sent) == 2
    first, second = exchange_queries.waiting(queries.by_number(north.id, [1])[1].id)
    client.force_login(north.people[2].login)
    at = f"{page}exchanges/{first.id}/"
    assert client.get(at).status_code == 404  # neither side of it
    client.force_login(north.people[1].login)
    assert client.post(at, {"word": "withdraw"}).status_code == 403
    assert client.post(at, {"word": "confirm"}).status_code == 303
    assert done in client.get(at).content.decode()
    assert client.post(at, {"word": "confirm"}).status_code == 409
    assert client.post(at, {"word": "nonsense"}).status_code == 422
    assert client.post(at, {"word": "dispute", "minutes": "60"}).status_code == 422
    assert client.post(at, {"word": "give-back"}).status_code == 303
    client.force_login(north.people[2].login)
    assert client.post(f"{page}exchanges/{second.id}/", {"word": "decline"}).status_code == 303
    assert balances(north) == [0, 0, 0]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"minutes": "0"}, 422),
        ({"minutes": "-5"}, 422),
        ({"minutes": "9223372036854775808"}, 422),
        ({"minutes": "1e3"}, 422),
        ({"numbers": "1"}, 422),
        ({"numbers": "two"}, 422),
        ({"numbers": ""}, 422),
        ({"numbers": "77"}, 422),
        ({"numbers": "2, 2"}, 422),
        ({"category": ""}, 422),
        ({"side": "steals"}, 422),
        ({"bank": "nowhere"}, 422),
        ({"bank": str(uuid.uuid4())}, 409),
        ({"minutes": str(FLOOR + 1)}, 409),
        ({"key": ""}, 422),
    ],
)
def test_a_form_that_is_wrong_is_shown_again(
    client: Client, north: There, changes: dict[str, str], status: int
) -> None:
    client.force_login(north.people[0].login)
    answer = client.post(f"/zh/giving/banks/{north.id}/account/", help_form(north, **changes))
    assert answer.status_code == status
    assert "error-summary" in answer.content.decode() or 'role="alert"' in answer.content.decode()
    assert balances(north) == [0, 0, 0]


def test_the_same_form_sent_twice_is_one_exchange_and_changed_it_is_refused(client: Client, north: There) -> None:
    client.force_login(north.people[0].login)
    account = f"/en/giving/banks/{north.id}/account/"
    for _ in range(2):
        assert client.post(account, help_form(north)).status_code == 303
    assert client.post(account, help_form(north, minutes="61")).status_code == 409
    assert len(exchange_queries.of_member(queries.by_number(north.id, [1])[1].id)) == 1


@pytest.mark.parametrize("language", ["zh", "en"])
def test_officers_found_admit_ally_and_release(client: Client, north: There, south: There, language: str) -> None:
    home = f"/{language}/giving/banks"
    client.force_login(north.people[0].login)
    assert client.post(f"{home}/{south.id}/", {"name": ""}).status_code == 422
    assert client.post(f"{home}/{south.id}/", {"name": "Neighbour"}).status_code == 303
    assert client.get(f"{home}/{south.id}/members/").status_code == 404  # not let in yet
    (waiting,) = queries.members(south.id, waiting=True)
    assert client.post(f"{home}/{south.id}/members/", {"word": "admit", "member": waiting.id}).status_code == 404
    client.force_login(south.officer.login)
    assert "Neighbour" in client.get(f"{home}/{south.id}/members/").content.decode()
    assert client.post(f"{home}/{south.id}/members/", {"word": "admit", "member": waiting.id}).status_code == 303
    assert client.post(f"{home}/{south.id}/members/", {"word": "admit", "member": "x"}).status_code == 422
    assert client.post(f"{home}/{south.id}/members/", {"word": "release", "member": waiting.id}).status_code == 303
    assert client.post(f"{home}/{south.id}/allies/", {"other": north.id, "most": "0"}).status_code == 422
    assert client.post(f"{home}/{south.id}/allies/", {"other": north.id, "most": "90"}).status_code == 303
    (proposed,) = queries.alliances(north.id)
    word = {"word": "accept", "alliance": proposed.id}
    assert client.post(f"{home}/{south.id}/allies/", word).status_code == 403
    client.force_login(north.officer.login)
    assert client.post(f"{home}/{north.id}/allies/", word).status_code == 303
    assert client.post(f"{home}/{north.id}/allies/", word).status_code == 409
    assert client.post(f"{home}/{north.id}/allies/", word | {"word": "end"}).status_code == 303
    other = people.register_organisation(queries.bank(north.id).name, "TEST-OTHER-0001")
    people.grant_role(north.officer, people.OFFICER, other)
    form = {"organisation": str(other.id), "name_zh": "新时间银行", "may_owe": "600", "may_bear": "0"}
    assert client.post(f"{home}/", form | {"may_owe": "6001"}).status_code == 422
    assert client.post(f"{home}/", form).status_code == 303
    assert client.post(f"{home}/", form).status_code == 409


def test_a_steward_decides_and_members_leave(client: Client, north: There, steward: Party) -> None:
    made = exchange(north, 1, north, 2, 60)
    exchanges.dispute(north.people[0], made.book, made.id, 20)
    client.force_login(steward.login)
    at = f"/zh/giving/banks/{made.book}/exchanges/{made.id}/"
    assert at in client.get("/zh/giving/disputes/").content.decode()
    assert "north neighbour" not in client.get(at).content.decode()  # a steward sees numbers, not names
    assert client.post(at, {"word": "decide", "minutes": "61"}).status_code == 422
    assert client.post(at, {"word": "decide", "minutes": "20"}).status_code == 303
    assert balances(north) == [-20, 20, 0]
    account = f"/zh/giving/banks/{north.id}/account/"
    client.force_login(north.people[0].login)
    assert client.post(account, {"word": "leave"}).status_code == 409
    client.force_login(north.people[1].login)
    assert client.post(account, {"word": "leave"}).status_code == 303
    assert client.get(account).status_code == 303


def test_strangers_see_a_clearing_and_recompute_it(client: Client, north: There, south: There) -> None:
    west = found("west")
    for one, other in ((north, south), (south, west), (west, north)):
        ally(one, other)
        exchange(one, 1, other, 2, 30)
    id = clearings.clear()
    for language in ("zh", "en"):
        assert client.get(f"/{language}/giving/clearings/").status_code == 200
        page = client.get(f"/{language}/giving/clearings/{id}/").content.decode()
        assert clearing_queries.clearing(id).told.digest in page  # type: ignore[arg-type]
    file = client.get(f"/en/giving/clearings/{id}/statement.json")
    assert statement.wrong(parse(file.content)) == []
    (told,) = api(client, "clearings").json()
    assert (told["number"], told["struck"], told["statement"]) == (1, 90, parse(file.content).digest)
    assert api(client, f"clearings/{id}/statement").content == file.content
    assert client.get(f"/en/giving/clearings/{uuid.uuid4()}/").status_code == 404


def test_the_api_from_founding_to_a_decision(client: Client, north: There, south: There, steward: Party) -> None:
    client.force_login(north.officer.login)
    alliance = api(client, f"banks/{north.id}/alliances", {"other": str(south.id), "most": 90}).json()["id"]
    client.force_login(south.officer.login)
    assert api(client, f"banks/{south.id}/alliances/{alliance}/acceptance", {}).status_code == 204
    assert [each["most"] for each in api(client, f"banks/{south.id}/alliances").json()] == [90]
    assert {each["id"] for each in api(client, "banks").json()} == {str(north.id), str(south.id)}
    assert api(client, f"banks/{south.id}").json()["members"] == 3

    client.force_login(north.people[0].login)
    others = [{"bank": str(north.id), "number": 2, "minutes": 10}, {"bank": str(south.id), "number": 1, "minutes": 40}]
    body = {"side": "gives", "category": "lessons", "others": others}
    assert api(client, f"banks/{north.id}/exchanges", body).status_code == 422  # no key
    answer = api(client, f"banks/{north.id}/exchanges", body, **{"Idempotency-Key": "one"})
    assert answer.status_code == 201
    assert api(client, f"banks/{north.id}/exchanges", body, **{"Idempotency-Key": "one"}).json() == answer.json()
    again = api(client, f"banks/{north.id}/exchanges", body | {"category": "care"}, **{"Idempotency-Key": "one"})
    assert (again.status_code, again.json()["code"]) == (409, "key.reused")
    over = body | {"others": [{"bank": str(south.id), "number": 2, "minutes": 2**63}]}
    refused = api(client, f"banks/{north.id}/exchanges", over, **{"Idempotency-Key": "two"})
    assert (refused.status_code, refused.json()["code"]) == (422, "amount.too-large")
    far = next(each for each in answer.json() if each["payee"]["bank"] == str(south.id))
    at = f"banks/{far['bank']}/exchanges/{far['id']}"
    assert api(client, f"{at}/answer", {"word": "confirm"}).status_code == 403

    client.force_login(south.people[0].login)
    assert api(client, f"{at}/answer", {"word": "confirm"}).status_code == 204
    assert api(client, f"{at}/dispute", {"minutes": 30}).status_code == 204
    client.force_login(steward.login)
    assert api(client, f"{at}/decision", {"minutes": 30}).status_code == 204
    client.force_login(south.people[0].login)
    mine = api(client, f"banks/{south.id}/account").json()
    assert (mine["number"], mine["balance"], mine["free"]) == (1, 30, 30 + FLOOR)
    assert [(each["state"], each["back"]) for each in mine["exchanges"]] == [("settled", 10)]
    assert api(client, f"banks/{south.id}/report").json()[0] == {
        "category": "lessons",
        "exchanges": 1,
        "people": 2,
        "minutes": None,
        "with_allies": None,
    }
    assert api(client, f"banks/{north.id}/account").status_code == 404
    near = next(each for each in answer.json() if each["payee"]["bank"] == str(north.id))
    client.force_login(north.people[0].login)
    assert api(client, f"banks/{north.id}/exchanges/{near['id']}/answer", {"word": "withdraw"}).status_code == 204
    assert api(client, f"banks/{north.id}/leave", {}).status_code == 409


def test_the_api_for_members(client: Client, north: There) -> None:
    made = exchange(north, 1, north, 2, 30)
    (asked,) = ask(north, 2, asking(north, 3, minutes=5))
    client.force_login(north.people[1].login)
    assert api(client, f"banks/{made.book}/exchanges/{made.id}/answer", {"word": "give-back"}).status_code == 204
    client.force_login(north.people[2].login)
    assert api(client, f"banks/{asked.book}/exchanges/{asked.id}/answer", {"word": "decline"}).status_code == 204
    assert api(client, f"banks/{asked.book}/exchanges/{asked.id}/answer", {"word": "steal"}).status_code == 422
    assert api(client, f"banks/{north.id}/leave", {}).status_code == 204
    member = api(client, f"banks/{north.id}/members", {"name": "Back again"}).json()["id"]
    client.force_login(north.officer.login)
    assert api(client, f"banks/{north.id}/members/{member}/admission", {}).status_code == 204
    assert api(client, f"banks/{north.id}/members/{member}/release", {}).status_code == 204
    other = people.register_organisation(queries.bank(north.id).name, "TEST-OTHER-0002")
    people.grant_role(north.officer, people.OFFICER, other)
    body = {"organisation": str(other.id), "name": {"zh": "东时间银行"}, "may_owe": 60, "may_bear": 0}
    made_bank = api(client, "banks", body).json()["id"]
    proposed = api(client, f"banks/{made_bank}/alliances", {"other": str(north.id), "most": 5}).json()["id"]
    assert api(client, f"banks/{made_bank}/alliances/{proposed}/end", {}).status_code == 204
