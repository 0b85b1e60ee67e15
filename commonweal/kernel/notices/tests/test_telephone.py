"""Text messages: to a real gateway on this machine, and to the console."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pytest_django import Settings

from commonweal.kernel.notices.telephone import Console, Gateway, telephone

NUMBER = "+8613812345678"


class Provider(HTTPServer):
    """Takes messages until it is told to refuse them."""

    taken: list[dict[str, str]]
    status = 202


class Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"] == "application/json"
        self.server.taken.append(json.loads(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(("127.0.0.1", 0), Handler) as server:
        server.taken = []
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_gateway_takes_the_text_or_says_no(provider: Provider) -> None:
    gateway = Gateway(f"http://127.0.0.1:{provider.server_port}/send")
    gateway.send(NUMBER, "验证码 123456")
    assert provider.taken == [{"to": NUMBER, "text": "验证码 123456"}]
    provider.status = 500
    with pytest.raises(OSError, match="500"):
        gateway.send(NUMBER, "again")


def test_nobody_there() -> None:
    with pytest.raises(OSError, match="refused"):
        Gateway("http://127.0.0.1:9/").send(NUMBER, "text")


def test_the_console_shows_the_text_and_hides_the_number(capsys: pytest.CaptureFixture[str]) -> None:
    Console().send(NUMBER, "code 123456")
    printed = capsys.readouterr().out
    assert "code 123456" in printed
    assert "…78" in printed
    assert "138123456" not in printed


def test_the_settings_choose(settings: Settings) -> None:
    assert isinstance(telephone(), Console)
    settings.TELEPHONE_GATEWAY = "https://sms.example/send"
    chosen = telephone()
    assert isinstance(chosen, Gateway)
    assert chosen.url == "https://sms.example/send"
