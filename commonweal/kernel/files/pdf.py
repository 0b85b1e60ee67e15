"""Looking into a PDF for what could run: names of actions, however they are spelled or packed (ISO 32000-1). Pure."""

from __future__ import annotations

import re
import zlib

ACTIVE = re.compile(rb"/(?:JS|JavaScript|Launch|EmbeddedFiles?|RichMedia|XFA)(?![A-Za-z0-9])")
"""Names that lead to programs or files inside (12.6.4.16, 12.6.4.5, 7.11.4, 13, 12.7.8)."""

UNPACKED = 20_000_000
"""Bytes that the object streams of one document may unpack to."""

_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"/ObjStm\b.{0,400}?stream\r?\n", re.DOTALL)


def carries_program(pdf: bytes) -> bool:
    """Whether a document carries, or may hide, a script, a program or another file; also if it unpacks to too much."""
    room = UNPACKED
    if _names_program(pdf):
        return True
    for start in _STREAM.finditer(pdf):
        unpacker = zlib.decompressobj()
        try:
            objects = unpacker.decompress(pdf[start.end() :], room)
        except zlib.error:
            return True  # packed in a way that we cannot look into
        room -= len(objects)
        if not unpacker.eof or room <= 0 or _names_program(objects):
            return True
    return False


def _names_program(data: bytes) -> bool:
    # A name may spell any letter as #xx (7.3.5).
    return bool(ACTIVE.search(_ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), data)))
