"""Pictures and documents made for the tests."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image


def picture(kind: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    """A small dark picture."""
    drawn = Image.new(mode, size)
    out = io.BytesIO()
    drawn.save(out, kind, **options)
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that claims to be `width` x `height`, and is."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def document(text: str = "evidence", objects: bytes = b"") -> bytes:
    """A PDF with one page, a title, and whatever `objects` say."""
    title = text.encode("latin-1", "replace")
    return (
        b"%PDF-1.7\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n2 0 obj << /Type /Pages /Kids [] /Count 0 >> "
        b"endobj\n3 0 obj << /Title (" + title + b") >> endobj\n" + objects + b"\ntrailer << /Root 1 0 R /Info 3 0 R >>"
        b"\nstartxref\n0\n%%EOF\n"
    )
