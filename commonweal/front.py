"""The one port. A raw ASGI dispatcher: hot and live routes are answered on the event loop, all else by Django.

Django runs as WSGI in a pool of threads, which was measured to carry several times what it carries under ASGI. The
body is read here, on the loop, before a thread is taken: a slow sender occupies no thread, and one that sends too much
is refused before Django sees it.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commonweal.settings")

from commonweal.kernel.registry import services
from commonweal.operation import lifeline
from commonweal.web.wsgi import application as django

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Handler = Callable[[Scope, Receive, Send], Awaitable[None]]

THREADS = 8
QUEUE = 256
"""Requests that may wait for a thread; one more is answered 503 at once."""
MAX_BODY = 12_000_000
"""Bytes of a request's body: a file of 10 MB and its form."""

_pool = ThreadPoolExecutor(THREADS, "django")
_waiting = 0


def live_routes() -> dict[str, Handler]:
    """The raw routes of the house and of every service, by their first path: longest first."""
    found: dict[str, Handler] = {}
    for module in [*(service.module("live") for service in services())]:
        found |= getattr(module, "routes", {})
    return dict(sorted(found.items(), key=lambda route: -len(route[0])))


_routes = live_routes()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Dispatch one request."""
    if scope["type"] != "http":
        return
    for prefix, handler in _routes.items():
        if scope["path"].startswith(prefix):
            await handler(scope, receive, send)
            return
    await _answer_by_django(scope, receive, send)


async def _answer_by_django(scope: Scope, receive: Receive, send: Send) -> None:
    global _waiting  # noqa: PLW0603
    if _waiting >= QUEUE + THREADS:
        await _refuse(send, 503, "busy", retry_after=1)
        return
    _waiting += 1
    try:
        body = await _read(receive)
        if body is None:
            await _refuse(send, 413, "body.too-large")
            return
        loop = asyncio.get_running_loop()
        status, headers, chunks = await loop.run_in_executor(_pool, _run, _environ(scope, body))
    finally:
        _waiting -= 1
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": chunks})


async def _read(receive: Receive) -> bytes | None:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY:
            return None
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _run(environ: dict[str, Any]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Ask Django, in a thread of the pool. Its answers are whole: nothing of ours streams through here."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        started[:] = [status, headers]

    answer = django(environ, start_response)
    try:
        body = b"".join(answer)
    finally:
        answer.close()
    status, headers = started
    return int(status[:3]), [(n.lower().encode("latin1"), v.encode("latin1")) for n, v in headers], body


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
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin1").upper().replace("-", "_"), raw_value.decode("latin1")
        if name in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
            continue  # the body is whole, its length is known
        name = "CONTENT_TYPE" if name == "CONTENT_TYPE" else f"HTTP_{name}"
        separator = "; " if name == "HTTP_COOKIE" else ","
        environ[name] = f"{environ[name]}{separator}{value}" if name in environ else value
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ


async def _refuse(send: Send, status: int, code: str, retry_after: int | None = None) -> None:
    """A refusal that needs neither Django nor a thread: problem+json with both languages."""
    en, zh = {
        413: ("Less, please: a request may have 12 MB at most.", "请求过大，最多 12 MB。"),
        503: ("Many people are here right now. Try again in a second.", "现在访问的人很多，请一秒后再试。"),
    }[status]
    body = {"type": "about:blank", "title": en, "status": status, "detail": en, "code": code, "en": en, "zh": zh}
    content = json.dumps(body, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(content)).encode())]
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


if os.environ.get("COMMONWEAL_LIFELINE"):
    lifeline.hold()
