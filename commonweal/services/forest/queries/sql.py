"""Running one query. The names of its columns are the keys of what is returned."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, overload

from django.db import connection


def rows(query: str, values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """All rows as dictionaries."""
    with connection.cursor() as cursor:
        cursor.execute(query, values or {})
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def row(query: str, values: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """The first row, if there is one."""
    return next(iter(rows(query, values)), None)


T = TypeVar("T")


class Found(Sequence[T]):
    """What fits a search: counted and read part by part, as `django.core.paginator` does."""

    @abstractmethod
    def part(self, skip: int, most: int) -> list[T]:
        """At most `most` of what was found, after the first `skip`."""

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> list[T]: ...
    def __getitem__(self, place: int | slice) -> T | list[T]:
        if isinstance(place, int):
            return self.part(place, 1)[0]
        skip = place.start or 0
        return self.part(skip, max(0, (len(self) if place.stop is None else place.stop) - skip))
