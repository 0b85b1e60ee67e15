"""Files of a map as raw ASGI: tiles and packs, whole or a range of their bytes (RFC 9110, 14), streamed from the disk.

`/live/access/maps/REGION/map.pmtiles` and `pack.zip`; nothing else of the data directory can be named.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from django.conf import settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PREFIX = "/live/access/maps/"
TYPES = {"map.pmtiles": b"application/vnd.pmtiles", "pack.zip": b"application/zip"}
CHUNK = 262_144
_PATH = re.compile(r"([\w.-]{1,60})/(map\.pmtiles|pack\.zip)")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def chosen(header: str, size: int) -> tuple[int, int] | None:
    """The first and last byte that a Range header asks for; the whole file if it asks for something else (14.2).

    None if it asks for nothing that is there.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or not (match[1] or match[2]):
        return 0, size - 1
    if not match[1]:  # the last so many bytes
        return (max(0, size - int(match[2])), size - 1) if int(match[2]) else None
    first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
    if match[2] and int(match[2]) < int(match[1]):
        return 0, size - 1
    return (first, last) if first < size else None


async def download(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer GET and HEAD."""
    match = _PATH.fullmatch(scope["path"].removeprefix(PREFIX))
    path = Path(settings.HOME) / "access" / match[1] / match[2] if match else None
    if path is None or ".." in path.parts or not path.is_file():
        return await _answer(send, 404, [])
    if scope["method"] not in ("GET", "HEAD"):
        return await _answer(send, 405, [(b"allow", b"GET, HEAD")])
    stat = path.stat()
    tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'.encode()
    given = {name.lower(): value for name, value in scope["headers"]}
    headers = [
        (b"content-type", TYPES[path.name]),
        (b"accept-ranges", b"bytes"),
        (b"etag", tag),
        (b"cache-control", b"public, max-age=3600"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if given.get(b"if-none-match") == tag:
        return await _answer(send, 304, headers)
    asked = b"range" in given and given.get(b"if-range", tag) == tag
    span = chosen(given[b"range"].decode("latin1"), stat.st_size) if asked else (0, stat.st_size - 1)
    if span is None:
        return await _answer(send, 416, [*headers, (b"content-range", f"bytes */{stat.st_size}".encode())])
    first, last = span
    whole = last - first + 1 == stat.st_size
    headers.append((b"content-length", str(last - first + 1).encode()))
    if not whole:
        headers.append((b"content-range", f"bytes {first}-{last}/{stat.st_size}".encode()))
    await send({"type": "http.response.start", "status": 200 if whole else 206, "headers": headers})
    if scope["method"] == "GET":
        with path.open("rb") as file:
            file.seek(first)
            left = last - first + 1
            while left > 0 and (piece := await asyncio.to_thread(file.read, min(CHUNK, left))):
                left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
    else:
        await send({"type": "http.response.body", "body": b""})
    return None


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [*headers, (b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
