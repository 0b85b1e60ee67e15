"""Running one query. The names of its columns are the fields of what is returned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection


def rows(query: str, values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """All rows as dictionaries."""
    with connection.cursor() as cursor:
        cursor.execute(query, values or {})
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def row(query: str, values: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """The first row, if there is one."""
    return next(iter(rows(query, values)), None)
