"""Arrays as PostgreSQL writes them, for statements over many rows: far faster to make than lists are to adapt."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime


def array(elements: Iterable[object]) -> str:
    """An array of elements that are written as they are: whole numbers, or what the functions below return."""
    return "{" + ",".join(map(str, elements)) + "}"


def ids(values: Iterable[uuid.UUID | None]) -> str:
    """An array of UUIDs."""
    return "{" + ",".join([value.hex if value else "NULL" for value in values]) + "}"


def moments(values: Iterable[datetime | None]) -> str:
    """An array of moments; those of a batch are few."""
    found = list(values)
    written = {value: f'"{value.isoformat()}"' if value else "NULL" for value in set(found)}
    return "{" + ",".join([written[value] for value in found]) + "}"


def octets(values: Iterable[bytes | None]) -> str:
    """An array of byte strings."""
    return "{" + ",".join([f'"\\\\x{value.hex()}"' if value else "NULL" for value in values]) + "}"


def texts(values: Iterable[str]) -> str:
    """An array of texts, whatever characters they have."""
    return "{" + ",".join(['"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]) + "}"
