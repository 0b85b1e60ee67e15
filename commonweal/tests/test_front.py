"""The one port: what never gets to Django, and what Django is told of the rest."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

import pytest

from commonweal import front
from commonweal.kernel.errors import Busy
from commonweal.kernel.text import Text

Message = MutableMapping[str, Any]


class Visit:
    """One request as a server hands it in: `parts` of the body, then nothing more (or, if `leaves`, a disconnect)."""

    def __init__(
        self,
        method: str = "GET",
        path: str = "/",
        *,
        headers: Iterable[tuple[str, str]] = (),
        parts: Iterable[bytes] = (b"",),
        leaves: bool = False,
        stalls: bool = False,
    ) -> None:
        self.scope: Message = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"q=1",
            "http_version": "1.1",
            "scheme": "http",
            "server": ("127.0.0.1", 8000),
            "client": ("192.0.2.7", 4000),
            "headers": [(name.encode(), value.encode("latin1")) for name, value in headers],
        }
        self.parts, self.leaves, self.stalls = list(parts), leaves, stalls
        self.sent: list[Message] = []
        self.received = 0

    async def receive(self) -> Message:
        if not self.parts:
            if self.stalls:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}
        self.received += len(self.parts[0])
        more = len(self.parts) > 1 or self.leaves or self.stalls
        return {"type": "http.request", "body": self.parts.pop(0), "more_body": more}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def go(self) -> Visit:
        await front.application(self.scope, self.receive, self.send)
        return self

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return list(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return bytes(self.sent[1]["body"])

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


def visit(*args: Any, **kwargs: Any) -> Visit:
    return asyncio.run(Visit(*args, **kwargs).go())


Application = Callable[[dict[str, Any], Callable[..., Any]], Any]


class Said(list[bytes]):
    """A WSGI answer that knows whether it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The environments that reach a WSGI application in Django's place, which answers with the body."""
    environs: list[dict[str, Any]] = []

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Said:
        environs.append(environ)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", " a=1"), ("Set-Cookie", " b=2")])
        return Said([b"<", environ["wsgi.input"].read(), b">"])

    monkeypatch.setattr(front, "django", application)
    return environs


def test_the_body_is_whole_and_its_length_is_the_true_one(asked: list[dict[str, Any]]) -> None:
    headers = [("content-length", "5"), ("transfer-encoding", "chunked"), ("content-type", "text/plain")]
    answer = visit("POST", "/x", headers=headers, parts=[b"ab", b"", b"cde"])
    assert (answer.status, answer.body) == (200, b"<abcde>")
    assert asked[0]["CONTENT_LENGTH"] == "5"
    assert asked[0]["CONTENT_TYPE"] == "text/plain"
    assert "HTTP_TRANSFER_ENCODING" not in asked[0]


def test_the_environment_is_that_of_pep_3333(asked: list[dict[str, Any]]) -> None:
    visit("GET", "/zh/山/", headers=[("host", "gives.example")])
    environ = asked[0]
    assert environ["PATH_INFO"].encode("latin1").decode() == "/zh/山/"
    assert environ["QUERY_STRING"] == "q=1"
    assert environ["REMOTE_ADDR"] == "192.0.2.7"
    assert environ["HTTP_HOST"] == "gives.example"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("127.0.0.1", "8000")


def test_headers_given_twice_are_joined_and_cookies_with_their_own_separator(asked: list[dict[str, Any]]) -> None:
    visit(headers=[("cookie", "a=1"), ("Cookie", "b=2"), ("accept", "x"), ("accept", "y"), ("x-name", "é")])
    assert asked[0]["HTTP_COOKIE"] == "a=1; b=2"
    assert asked[0]["HTTP_ACCEPT"] == "x,y"
    assert asked[0]["HTTP_X_NAME"] == "é"


def test_a_header_with_an_underscore_cannot_pass_for_one_with_a_hyphen(asked: list[dict[str, Any]]) -> None:
    visit(headers=[("x_forwarded_proto", "https"), ("x-forwarded-proto", "http")])
    assert asked[0]["HTTP_X_FORWARDED_PROTO"] == "http"


def test_each_cookie_keeps_a_header_of_its_own(asked: list[dict[str, Any]]) -> None:
    assert [value for name, value in visit().headers if name == b"set-cookie"] == [b"a=1", b"b=2"]


def test_head_has_no_body(asked: list[dict[str, Any]]) -> None:
    answer = visit("HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert asked[0]["REQUEST_METHOD"] == "HEAD"


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "get", "BREW"])
def test_an_unknown_method_does_not_get_to_django(asked: list[dict[str, Any]], method: str) -> None:
    answer = visit(method)
    assert (answer.status, answer.code, asked) == (501, "method.unknown", [])


def test_a_body_that_says_it_is_too_large_is_not_even_read(asked: list[dict[str, Any]]) -> None:
    answer = visit("POST", headers=[("Content-Length", str(front.MAX_BODY + 1))], parts=[b"x"])
    assert (answer.status, answer.code, asked, answer.received) == (413, "body.too-large", [], 0)


def test_a_body_that_grows_too_large_is_refused_at_the_limit(asked: list[dict[str, Any]]) -> None:
    part = b"x" * 1_000_000
    answer = visit("POST", parts=[part] * 20)
    assert (answer.status, asked, answer.received) == (413, [], 13_000_000)
    assert front._held == 0
    assert visit("POST", parts=[part] * 12).status == 200


def test_a_sender_who_leaves_half_way_has_sent_nothing(asked: list[dict[str, Any]]) -> None:
    answer = visit("POST", parts=[b"half"], leaves=True)
    assert (answer.sent, asked, front._held) == ([], [], 0)


def test_a_sender_who_stalls_is_told_so(asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "PATIENCE", 0.01)
    answer = visit("POST", parts=[b"half"], stalls=True)
    assert (answer.status, answer.code, asked, front._held) == (408, "body.slow", [], 0)


def test_bodies_beyond_the_memory_are_refused_and_requests_without_one_are_not(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "MAX_HELD", 3)
    answer = visit("POST", parts=[b"four"])
    assert (answer.status, answer.code) == (503, "busy")
    assert (b"retry-after", b"1") in answer.headers
    monkeypatch.setattr(front, "_held", 4)
    assert visit("GET").status == 200


def test_when_all_threads_and_the_queue_are_taken_the_answer_is_503_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def slow(environ: dict[str, Any], start_response: Callable[..., Any]) -> Said:
        release.wait(10)
        start_response("204 No Content", [])
        return Said()

    monkeypatch.setattr(front, "django", slow)
    monkeypatch.setattr(front, "QUEUE", 2)

    async def rush() -> tuple[list[Visit], Visit, Visit]:
        inside = [asyncio.create_task(Visit().go()) for _ in range(front.THREADS + 2)]
        await asyncio.sleep(0)
        refused = await Visit().go()
        release.set()
        answered = list(await asyncio.gather(*inside))
        return answered, refused, await Visit().go()

    answered, refused, later = asyncio.run(rush())
    assert {answer.status for answer in answered} == {204}
    assert (refused.status, refused.code) == (503, "busy")
    assert later.status == 204


def test_the_answer_is_closed_even_if_reading_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Said([b"x"])

    def broken(environ: dict[str, Any], start_response: Callable[..., Any]) -> Said:
        start_response("200 OK", [])
        answer.append(None)  # type: ignore[arg-type]
        return answer

    monkeypatch.setattr(front, "django", broken)
    with pytest.raises(TypeError):
        visit()
    assert answer.closed
    assert front._waiting == 0


@pytest.mark.parametrize("status", front.REFUSALS)
def test_each_refusal_is_said_in_both_languages(status: int) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(front._refuse(Visit().scope, send, status))
    problem = json.loads(sent[1]["body"])
    assert problem["status"] == sent[0]["status"] == status
    assert problem["en"].isascii()
    assert not problem["zh"].isascii()


def test_django_itself_answers(fresh_database: str) -> None:
    answer = visit("GET", "/api/v1/nothing", headers=[("host", "localhost")])
    assert (answer.status, answer.code) == (404, "not-found")


def test_what_is_not_http_is_left_alone() -> None:
    async def never(*_: object) -> Any:
        raise AssertionError

    asyncio.run(front.application({"type": "lifespan"}, never, never))


def test_a_live_route_answers_itself_or_leaves_the_whole_request_to_django(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def route(scope: Message, receive: Any, send: Any) -> Any:
        if scope["method"] == "GET":
            await front._refuse(scope, send, 501)
            return None
        first = await receive()

        async def again() -> Message:
            return dict(first)

        return again

    monkeypatch.setattr(front, "_routes", {"/hot/": route})
    assert visit("GET", "/hot/x").status == 501
    assert asked == []
    answer = visit("POST", "/hot/x", parts=[b"abc"])
    assert (answer.status, answer.body) == (200, b"<abc>")


def test_a_live_route_that_is_full_answers_503(monkeypatch: pytest.MonkeyPatch) -> None:
    async def route(scope: Message, receive: Any, send: Any) -> Any:
        raise Busy("busy", Text("Later.", "稍后。"), retry_after=1)

    monkeypatch.setattr(front, "_routes", {"/hot/": route})
    answer = visit("POST", "/hot/x")
    assert (answer.status, answer.code) == (503, "busy")
    assert (b"retry-after", b"1") in answer.headers


@pytest.mark.parametrize(("language", "words"), [("zh", "现在访问的人很多"), ("en", "Many people are here right now")])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_people_are_told_on_a_page_that_the_queue_is_full(
    monkeypatch: pytest.MonkeyPatch, language: str, words: str, method: str
) -> None:
    monkeypatch.setattr(front, "_waiting", front.QUEUE + front.THREADS)
    answer = visit(method, f"/{language}/giving/x/give/", headers=[("accept", "text/html,*/*;q=0.8")])
    headers = dict(answer.headers)
    assert (answer.status, headers[b"retry-after"], headers[b"cache-control"]) == (503, b"1", b"no-store")
    assert headers[b"content-type"] == b"text/html; charset=utf-8"
    assert headers.get(b"refresh") == (b"3" if method == "GET" else None), "a form is never sent again by itself"
    page = answer.body.decode()
    assert words in page and page.count("<h1>") == 1 and 'href=""' in page
    for other in (visit(method, f"/{language}/x/"), visit(method, "/api/v1/x", headers=[("accept", "text/html")])):
        assert other.code == "busy", "programs get the problem document"
