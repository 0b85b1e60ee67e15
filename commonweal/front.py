"""The one port. A raw ASGI dispatcher: hot and live routes are answered on the event loop, all else by Django.

Django runs as WSGI in a pool of threads, which was measured to carry several times what it carries under ASGI. The
body is read here, on the loop, before a thread is taken: a slow sender occupies no thread, and one that sends too much
is refused before Django sees it.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import io
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commonweal.settings")
if multiprocessing.parent_process() is not None:
    # Until granian listens to signals here, a stop ends this process: what a fork has inherited would swallow it.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

from django.urls import get_resolver

from commonweal.kernel import live as live_streams
from commonweal.kernel.errors import Busy
from commonweal.kernel.registry import services
from commonweal.kernel.text import Text
from commonweal.operation import lifeline
from commonweal.web import failures, languages, live
from commonweal.web.wsgi import application as django

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Handler = Callable[[Scope, Receive, Send], Awaitable[Receive | None]]
"""Answers a request on the event loop; or leaves it to Django, and returns how to read it from its beginning."""

THREADS = 8
QUEUE = 256
"""Requests that may wait for a thread; one more is answered 503 at once."""
MAX_BODY = 12_000_000
"""Bytes of a request's body: a file of 10 MB and its form."""
MAX_HELD = 256_000_000
"""Bytes of bodies that are held at a time; beyond it senders of bodies are answered 503."""
PATIENCE = 15.0
"""Seconds in which the next part of a body must come, else the answer is 408."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

REFUSALS = {
    408: ("body.slow", "The rest of the request did not come. Send it again.", "请求没有传完，请重新发送。"),
    413: ("body.too-large", "A request may have 12 MB at most.", "请求过大，最多 12 MB。"),
    501: ("method.unknown", "This method is not known here.", "不支持此请求方法。"),
    503: ("busy", "Many people are here right now. Try again in a second.", "现在访问的人很多，请一秒后再试。"),
}
"""What is refused before Django sees it: status, then code and both texts."""
WAIT = Text(
    "Many people are here right now. A page that you wanted to see is asked for again by itself in three seconds. If "
    "you have just sent a form, go back and send it once more: the same form is taken once, however often it is sent.",
    "现在访问的人很多。如果您在打开页面，三秒后会自动重试；如果刚提交了表单，请返回再提交一次：同一张表单无论提交几次，只受理一次。",
)
"""What a 503 says to people."""

_pool = ThreadPoolExecutor(THREADS, "django")
_waiting = 0
_held = 0


class _Refused(Exception):
    """A request that does not get to Django; its argument is the status."""


class _Gone(Exception):
    """The sender has left in the middle of the body."""


def live_routes() -> dict[str, Handler]:
    """The raw routes of the house and of every service by their path's beginning, longest first."""
    found: dict[str, Handler] = {**live.routes}
    for service in services():
        found |= getattr(service.module("live"), "routes", {})
    return dict(sorted(found.items(), key=lambda route: -len(route[0])))


_routes = live_routes()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Dispatch one request."""
    if scope["type"] != "http":
        return
    _stop_streams_first()
    try:
        for prefix, handler in _routes.items():
            if scope["path"].startswith(prefix):
                unread = await handler(scope, receive, send)
                if unread is None:
                    return
                receive = unread
                break
        await _answer_by_django(scope, receive, send)
    except Busy:
        await _refuse(scope, send, 503)
    except _Refused as refused:
        await _refuse(scope, send, refused.args[0])
    except _Gone:
        return


@functools.cache
def _stop_streams_first() -> None:
    """Let a stop end the live streams: granian would wait for them until its patience is over.

    Its own handler goes on with the stop: it is there for both signals.
    """

    def stop() -> None:
        live_streams.close()
        os.kill(os.getpid(), signal.SIGINT)

    if multiprocessing.parent_process() is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)


async def _answer_by_django(scope: Scope, receive: Receive, send: Send) -> None:
    global _waiting, _held  # noqa: PLW0603
    if scope["method"] not in METHODS:
        raise _Refused(501)
    body = await _read(scope, receive)
    if _waiting >= QUEUE + THREADS:
        raise _Refused(503)
    _waiting += 1
    _held += len(body)
    try:
        loop = asyncio.get_running_loop()
        status, headers, content = await loop.run_in_executor(_pool, _run, _environ(scope, body))
    finally:
        _waiting -= 1
        _held -= len(body)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})


async def _read(scope: Scope, receive: Receive) -> bytes:
    """The whole body. Raises `_Refused` if it is too large, too slow or one too many, `_Gone` if its sender is gone."""
    global _held  # noqa: PLW0603
    declared = next((value for name, value in scope["headers"] if name.lower() == b"content-length"), b"")
    if declared.isdigit() and int(declared) > MAX_BODY:
        raise _Refused(413)
    chunks: list[bytes] = []
    size = 0
    try:
        while True:
            async with asyncio.timeout(PATIENCE):
                message = await receive()
            if message["type"] != "http.request":
                raise _Gone
            chunk = message.get("body", b"")
            size += len(chunk)
            _held += len(chunk)
            if size > MAX_BODY:
                raise _Refused(413)
            if size and _held > MAX_HELD:
                raise _Refused(503)
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)
    except TimeoutError:
        raise _Refused(408) from None
    finally:
        _held -= size


def _run(environ: dict[str, Any]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Ask Django, in a thread of the pool. Its answers are whole: nothing of ours streams through here."""
    started: list[Any] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        started[:] = [status, headers]
        return lambda _: None

    answer = django(environ, start_response)
    try:
        body = b"".join(answer)
    finally:
        answer.close()
    status, headers = started[:2]
    return int(status[:3]), [(n.lower().encode("latin1"), v.strip().encode("latin1")) for n, v in headers], body


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """The WSGI environment (PEP 3333) of an ASGI scope."""
    host, port = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin1"),
        "QUERY_STRING": scope["query_string"].decode("latin1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 0),
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin1").upper(), raw_value.decode("latin1")
        if "_" in name or name in ("CONTENT-LENGTH", "TRANSFER-ENCODING"):
            continue  # x_forwarded_for must not pass for X-Forwarded-For; and the body is whole, its length is known
        name = "CONTENT_TYPE" if name == "CONTENT-TYPE" else f"HTTP_{name.replace('-', '_')}"
        separator = "; " if name == "HTTP_COOKIE" else ","
        environ[name] = f"{environ[name]}{separator}{value}" if name in environ else value
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ


async def _refuse(scope: Scope, send: Send, status: int) -> None:
    """A refusal that needs no thread: a page for whoever reads one, else problem details (RFC 9457), both languages."""
    code, en, zh = REFUSALS[status]
    language, accept = languages.of_path(scope["path"]), b""
    for name, value in scope["headers"]:
        accept = value if name.lower() == b"accept" else accept
    if language and b"text/html" in accept:
        text = WAIT if status == 503 else Text(en, zh)
        kind, content = b"text/html; charset=utf-8", failures.page_of_all(status, code, text, language)
    else:
        problem = {"type": "about:blank", "title": en, "status": status, "detail": en, "code": code, "en": en, "zh": zh}
        kind, content = b"application/problem+json", json.dumps(problem, ensure_ascii=False).encode()
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if status == 503:
        headers.append((b"retry-after", b"1"))
        if scope["method"] == "GET":
            headers.append((b"refresh", b"3"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


get_resolver().url_patterns  # noqa: B018 - every page is loaded before the first request, not while it waits
gc.freeze()  # what is loaded by now stays: collections look at requests alone
gc.set_threshold(50_000, 20, 100)
if (server := multiprocessing.parent_process()) is not None:
    lifeline.hold(server.pid)
    for service in services():
        getattr(service.module("live"), "open", lambda: None)()
