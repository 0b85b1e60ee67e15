"""Signing in with WeChat, against a provider on this machine that answers as WeChat does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from commonweal.kernel import clock
from commonweal.kernel.parties import people, session
from commonweal.kernel.parties.models import Login
from commonweal.web.signin import wechat
from commonweal.web.tests.people import browser, person


class WeChat(HTTPServer):
    """Knows one code; says `answer` to it."""

    answer: bytes
    asked: list[dict[str, list[str]]]


class Handler(BaseHTTPRequestHandler):
    server: WeChat

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        self.server.asked.append(query)
        right = query.get("code") == ["right"]
        self.send_response(200)  # WeChat always answers 200
        self.end_headers()
        self.wfile.write(self.server.answer if right else b'{"errcode": 40029, "errmsg": "invalid code"}')

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def provider(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[WeChat]:
    settings.WECHAT = "wx123:the-secret"
    with WeChat(("127.0.0.1", 0), Handler) as server:
        server.answer, server.asked = json.dumps({"access_token": "t", "openid": "o-1", "unionid": "u-1"}).encode(), []
        monkeypatch.setattr(wechat, "EXCHANGE", f"http://127.0.0.1:{server.server_port}/")
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def go(client: Client, query: str = "") -> dict[str, list[str]]:
    """Leave for WeChat; what it is told."""
    answer = client.get(f"/zh/account/wechat/{query}")
    assert answer["Location"].startswith(wechat.ASK)
    return parse_qs(urlsplit(answer["Location"]).query)


def come_back(client: Client, code: str = "right", query: str = "") -> Any:
    told = go(client, query)
    return client.get("/zh/account/wechat/back/", {"code": code, "state": told["state"][0]})


def test_somebody_new_joins_in_and_comes_again(provider: WeChat) -> None:
    client = browser()
    guest = people.register_person()
    kept = client.session
    kept[session.GUEST] = str(guest.id)
    kept.save()
    told = go(client)
    assert told["appid"] == ["wx123"]
    assert told["redirect_uri"] == ["http://testserver/zh/account/wechat/back/"]
    answer = come_back(client, query="?next=/zh/inbox/")
    assert answer["Location"] == "/zh/inbox/"
    login = Login.objects.get()
    assert login.party == guest
    assert login.email is None
    assert "u-1" not in (login.wechat or "")
    assert client.get("/zh/account/").status_code == 200
    assert "已绑定" in client.get("/zh/account/").content.decode()
    assert provider.asked[0]["secret"] == ["the-secret"]
    come_back(again := browser())
    assert again.session["_auth_user_id"] == str(login.pk)
    assert Login.objects.count() == 1


def test_it_is_connected_to_an_account_or_belongs_to_another(provider: WeChat) -> None:
    login, other = person(), person()
    assert come_back(browser(login)).status_code == 303
    login.refresh_from_db()
    assert login.wechat
    answer = come_back(browser(other))
    assert answer.status_code == 409
    assert "另一个账号" in answer.content.decode()


@pytest.mark.parametrize("answer", [b"", b"[]", b"not json", b'{"errcode": -1}', b'{"openid": "x"', b"\xff"])
def test_an_answer_that_says_nothing_signs_nobody_in(provider: WeChat, answer: bytes) -> None:
    provider.answer = answer
    client = browser()
    assert come_back(client).status_code == 422
    assert not Login.objects.exists()


def test_nobody_comes_back_who_has_not_left(provider: WeChat) -> None:
    client = browser()
    for query in ({"code": "right", "state": ""}, {"code": "right"}, {"code": "right", "state": "guessed"}, {}):
        assert client.get("/zh/account/wechat/back/", query).status_code == 422
    word = go(client)["state"][0]
    assert browser().get("/zh/account/wechat/back/", {"code": "right", "state": word}).status_code == 422
    with clock.stopped(clock.now() + timedelta(seconds=wechat.LASTS + 1)):
        assert client.get("/zh/account/wechat/back/", {"code": "right", "state": word}).status_code == 422
    assert client.get("/zh/account/wechat/back/", {"code": "right", "state": word}).status_code == 422  # once only
    assert come_back(client, code="wrong").status_code == 422
    assert provider.asked == [provider.asked[0]]
    assert not Login.objects.exists()


def test_when_wechat_is_away_it_is_said(provider: WeChat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wechat, "EXCHANGE", "http://127.0.0.1:9/")
    answer = come_back(browser())
    assert answer.status_code == 422
    assert "微信未能确认" in answer.content.decode()


def test_where_it_is_not_set_up_it_is_not_offered(db: None, client: Client) -> None:
    assert "微信" not in client.get("/zh/account/login/").content.decode()
    assert client.get("/zh/account/wechat/").status_code == 404
    assert client.get("/zh/account/wechat/back/").status_code == 422


def test_where_it_is_set_up_it_is_offered(provider: WeChat, client: Client) -> None:
    assert "微信登录" in client.get("/zh/account/login/").content.decode()
    assert "绑定" in browser(person()).get("/zh/account/").content.decode()
