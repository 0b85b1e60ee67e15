"""The API's frame: who may, what is read, what is refused, and that its document says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import path
from ninja import Router
from ninja.errors import HttpError

from commonweal.kernel import clock
from commonweal.kernel.doors import Amount, Body, IdempotencyKey, form_key, see_other
from commonweal.kernel.errors import Invalid
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import ApiToken, Login
from commonweal.kernel.quantity import CNY
from commonweal.web import urls
from commonweal.web.api import Api

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

router = Router()


class Order(Body):
    price: Amount
    loaves: int


@router.post("/orders", response=dict[str, Any])
def order(request: HttpRequest, body: Order, key: IdempotencyKey) -> dict[str, Any]:
    return {"fen": body.price.read(CNY), "key": key, "party": str(request.auth.id), "again": Amount.of(5, CNY)}  # type: ignore[attr-defined]


@router.get("/open", auth=None)
def open_to_all(request: HttpRequest, n: int = 0) -> dict[str, int]:
    if n == 7:
        raise HttpError(418, "teapot")
    return {"n": n}


api = Api(urls_namespace="test-api")
api.add_router("/bakery", router)
urlpatterns = [path("api/test/", api.urls), *urls.urlpatterns]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500

GOOD = {"price": {"amount": "8.80", "asset": "CNY"}, "loaves": 2}


@pytest.fixture
def token() -> Iterator[str]:
    yield people.make_token(people.register_person(), "test")


def send(client: Client, token: str, body: Any, **headers: str) -> Any:
    given = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k1"} | headers
    raw = body if isinstance(body, (str, bytes)) else json.dumps(body)
    kind = given.pop("Content-Type", "application/json")
    return client.post("/api/test/bakery/orders", raw, content_type=kind, headers=given)


def test_token_acts_for_its_party(client: Client, token: str) -> None:
    answer = send(client, token, GOOD)
    assert answer.status_code == 200
    assert answer.json()["fen"] == 880
    assert answer.json()["again"] == {"amount": "0.05", "asset": "CNY"}
    assert answer.json()["party"] == str(ApiToken.objects.get().party_id)


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (GOOD | {"extra": 1}, 422, "input.invalid", "extra"),
        (GOOD | {"loaves": "many"}, 422, "input.invalid", "loaves"),
        ({"loaves": 2}, 422, "input.invalid", "price"),
        (GOOD | {"price": {"amount": 8.8, "asset": "CNY"}}, 422, "input.invalid", "price.amount"),
        (GOOD | {"price": {"amount": "8.8e1", "asset": "CNY"}}, 422, "amount.form", "amount"),
        (GOOD | {"price": {"amount": "８.80", "asset": "CNY"}}, 422, "amount.form", "amount"),
        (GOOD | {"price": {"amount": "8.80", "asset": "USD"}}, 422, "amount.asset", "asset"),
        ('{"loaves": NaN}', 400, "request.bad", None),
        ('{"loaves": 1, "loaves": 2}', 400, "request.bad", None),
        ("{", 400, "request.bad", None),
        (b"\xff\xfe", 400, "request.bad", None),
        ("[]", 422, "input.invalid", None),
    ],
)
def test_bad_bodies_are_problems(
    client: Client, token: str, body: Any, status: int, code: str, field: str | None
) -> None:
    answer = send(client, token, body)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (status, code, field)
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("key", ["", "k" * 65, "a b", "é", "\x7f"])
def test_key_has_its_form(client: Client, token: str, key: str) -> None:
    assert send(client, token, GOOD, **{"Idempotency-Key": key}).status_code == 422


def test_other_media_types_are_not_read(client: Client, token: str) -> None:
    answer = send(client, token, "a=b", **{"Content-Type": "application/x-www-form-urlencoded"})
    assert (answer.status_code, answer.json()["code"]) == (415, "media-type.unknown")


def test_too_large_a_body_is_not_read(client: Client, token: str) -> None:
    assert send(client, token, " " * 1_000_001).status_code == 413


def test_nobody_may_not(client: Client, token: str) -> None:
    for wrong in ("cw_unknown", "", "x" * 10_000):
        answer = send(client, wrong, GOOD)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    ApiToken.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert send(client, token, GOOD).status_code == 401
    assert client.post("/api/test/bakery/orders").status_code in (401, 403)


def test_session_needs_the_csrf_token() -> None:
    login = Login.objects.create(party=people.register_person(), email="lin@demo.example")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(login, backend="allauth.account.auth_backends.AuthenticationBackend")
    body = json.dumps(GOOD)
    keyed = {"Idempotency-Key": "k1"}
    answer = strict.post("/api/test/bakery/orders", body, content_type="application/json", headers=keyed)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
    strict.cookies["csrftoken"] = "a" * 32
    keyed["X-CSRFToken"] = "a" * 32
    answer = strict.post("/api/test/bakery/orders", body, content_type="application/json", headers=keyed)
    assert answer.status_code == 200
    assert answer.json()["party"] == str(login.party_id)


def test_unknown_paths_methods_and_statuses_are_problems(client: Client) -> None:
    assert client.get("/api/test/nothing").json()["code"] == "not-found"
    wrong = client.put("/api/test/bakery/open")
    assert (wrong.status_code, wrong.json()["status"]) == (405, 405)
    assert wrong.headers["Allow"] == "GET"
    assert client.get("/api/test/bakery/open?n=x").json()["field"] == "n"
    assert client.get("/api/test/bakery/open?n=7").status_code == 418


def test_document_names_every_problem() -> None:
    schema = json.loads(json.dumps(api.get_openapi_schema()))
    answers = schema["paths"]["/api/test/bakery/orders"]["post"]["responses"]
    assert {"200", "400", "401", "403", "404", "405", "409", "413", "415", "422", "429", "503"} <= set(answers)
    assert answers["409"]["content"]["application/problem+json"]["schema"]["$ref"] == "#/components/schemas/Problem"
    assert "Problem" in schema["components"]["schemas"]
    order_schema = schema["components"]["schemas"]["Order"]
    assert order_schema["additionalProperties"] is False


def test_platform_api_has_its_document(client: Client) -> None:
    assert client.get("/api/v1/openapi.json").json()["info"]["title"] == "Commonweal"


def test_forms_bring_their_key_and_are_answered_with_303() -> None:
    assert form_key(SimpleNamespace(POST={"key": "abc"})) == "abc"  # type: ignore[arg-type]
    with pytest.raises(Invalid) as refused_:
        form_key(SimpleNamespace(POST={}))  # type: ignore[arg-type]
    assert refused_.value.code == "key.form"
    answer = see_other("design-sheet", "look")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/zh/design/look/")
