"""What nobody sends by accident: the house answers it with a refusal, never with a failure."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.web.tests.people import browser, person

FORM = "multipart/form-data"
ADDRESSES = ["/en/", "/zh/transparency/", "/en/account/login/", "/en/account/phone/", "/zh/developers/", "/checkpoint",
             "/api/v1/log/checkpoint", "/api/v1/account/me"]  # fmt: skip


@pytest.mark.parametrize(
    "token",
    ["", "cw_", "cw_" + "a" * 43, "a" * 5000, "\x00", "cw_\u202e", "' OR '1'='1", "Bearer", "cw_..\n", "null"],
)
def test_bad_tokens(db: None, token: str) -> None:
    header = f"Bearer {token}".encode().decode("latin-1")
    answer = Client().get("/api/v1/account/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] in ("token.unknown", "sign-in.needed")


@pytest.mark.parametrize("scheme", ["Basic YTpi", "bearer", "Token x", "", "Bearer a b c"])
def test_other_schemes(db: None, scheme: str) -> None:
    assert Client().get("/api/v1/account/me", headers={"Authorization": scheme}).status_code == 401


def test_a_token_of_the_forgotten_is_dead(db: None) -> None:
    from commonweal.kernel.parties.erasure import forget

    login = person()
    secret = people.make_token(login.party, "x")
    forget(login.party_id)
    assert Client().get("/api/v1/account/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 401


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("query", ["%00", "q=%00&page=%00", "page=-1&page=9999999999999999999999", "next=%00", "%ff%fe",
                                   "a=" + "b" * 20_000, "&".join(f"n{n}=1" for n in range(1500))])  # fmt: skip
def test_queries_with_anything_in_them(db: None, address: str, query: str) -> None:
    assert browser().get(f"{address}?{query}").status_code < 500 or address.endswith("checkpoint")


@pytest.mark.parametrize(
    "path",
    ["/en/%00", "/%00/", "/en/fact/%00/", "/zh/../../etc/passwd", "/en/inbox/%F0%9F%92%A9/", "//evil.example/", "/en//",
     "/tile/%00", "/en/account/%0d%0aSet-Cookie:a=b/", "/" + "a" * 20_000, "/static/../settings.py",
     "/static/%2e%2e/%2e%2e/keys/secret", "/en/fact/00000000-0000-0000-0000-00000000000g/"],
)  # fmt: skip
def test_paths_with_anything_in_them(db: None, path: str) -> None:
    answer = browser().get(path)
    assert 300 <= answer.status_code < 500
    assert "evil" not in answer.headers.get("Location", "")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "QUERY"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_methods_that_are_not_for_it(db: None, address: str, method: str) -> None:
    assert browser().generic(method, address).status_code in (200, 401, 405)


@pytest.mark.parametrize(
    "cookies",
    [{"sessionid": "x"}, {"sessionid": "\x01" * 40}, {"sessionid": "a" * 4000}, {"language": "../../en"},
     {"theme": "<script>"}, {"csrftoken": "short"}, {"sessionid": "' OR 1=1 --"}],
)  # fmt: skip
def test_cookies_with_anything_in_them(db: None, cookies: dict[str, str]) -> None:
    client = browser()
    for name, value in cookies.items():
        client.cookies[name] = value
    answer = client.get("/", follow=True)
    assert answer.status_code == 200
    assert "<script>" not in answer.content.decode()


def test_a_host_that_is_not_ours(db: None) -> None:
    for host in ("evil.example", "localhost/../", "\u202e"):
        assert browser().get("/en/", headers={"Host": host.encode().decode("latin-1")}).status_code == 400


def test_fields_of_ten_megabytes_are_too_large(db: None) -> None:
    large = "x" * 10_000_000
    signed_in = browser(person())
    for client, path, field in (
        (signed_in, "/en/account/name/", "name"),
        (signed_in, "/en/account/tokens/", "title"),
        (browser(), "/en/account/phone/", "phone"),
        (browser(), "/en/account/login/", "login"),
    ):
        answer = client.post(path, f"{field}={large}", content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 413, path
    many = "&".join(f"field{n}=x" for n in range(5000))
    answer = signed_in.post("/en/account/name/", many, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'--x\r\nContent-Disposition: form-data; name="evidence"; filename="../a"\r\n\r\ncut', f"{FORM}; boundary=x"),
        (b"--x", FORM),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
        (b"name=%ff%fe", "application/x-www-form-urlencoded"),
        (b'{"name": "x"}', "application/json"),
        (b"", f"{FORM}; boundary={'y' * 300}"),
        (b"name=x", "application/x-www-form-urlencoded; charset=utf-7"),
    ],
)  # fmt: skip
def test_bodies_that_are_no_forms(db: None, body: bytes, kind: str) -> None:
    login = person()
    client = browser(login)
    for path in ("/en/account/name/", "/en/account/organisations/new/"):
        assert client.generic("POST", path, body, content_type=kind).status_code in (303, 400, 413, 422)
    assert not Party.objects.filter(kind="organisation").exists()


def test_what_is_not_ours_to_see_cannot_be_told_from_what_is_not_there(db: None) -> None:
    from commonweal.kernel.notices import inbox
    from commonweal.kernel.text import Text

    other = person()
    inbox.notify(other.party_id, "test.x", Text("a", "甲"), Text("a", "甲"))
    (message,) = inbox.inbox(other.party)
    client = browser(person())
    there, nowhere = f"/en/inbox/{message.id}/", f"/en/inbox/{'0' * 8}-0000-0000-0000-{'0' * 12}/"
    answers: list[Any] = [client.get(path) for path in (there, nowhere)]
    assert {answer.status_code for answer in answers} == {404}
    pages = [a.content.decode().replace(str(message.id), "ID").replace(nowhere[10:-1], "ID") for a in answers]
    assert pages[0] == pages[1]


def test_nothing_personal_is_logged(db: None, caplog: pytest.LogCaptureFixture) -> None:
    browser().post("/en/account/login/", {"login": "somebody@example.org", "password": "a secret password"})
    browser().post("/en/account/phone/", {"phone": "13812345678"})
    browser().get("/en/nowhere/", headers={"Authorization": "Bearer cw_secret"})
    for word in ("somebody@example.org", "secret", "13812345678"):
        assert word not in caplog.text
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM web_cache WHERE cache_key LIKE '%%somebody%%'")
        assert cursor.fetchone() == (0,)
