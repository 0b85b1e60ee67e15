"""Running one query. The names of its columns are the fields of what is returned.

In a session that keeps plans (`keep_plans`) what is asked again and again is parsed and planned once. Django's sessions
do not, unless they are told to: a plan that is kept is as old as the statistics that it was made from.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeVar, overload

import psycopg
from django.db import connection

from commonweal.kernel import gathering


class Prepared(psycopg.Cursor[Any]):
    """A cursor whose statements are prepared, if its session keeps plans. Errors are Django's, as with its own cursors.

    Values are bound by the server.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Prepared:
        """Execute, prepared if the session keeps plans."""
        with connection.wrap_database_errors:
            ask = partial(super().execute, params=params, **{"prepare": True, **options})
            return gathering.asked(self.connection, query, ask)


def prepared() -> Prepared:
    """A prepared cursor on Django's connection, within its transaction."""
    connection.ensure_connection()
    return Prepared(connection.connection)


def keep_plans() -> None:
    """Let Django's session in this thread keep the plans of `Prepared` statements, for one who asks the same for long.

    Whoever does this discards the plans from time to time (`discard_plans`), and ends the session with its own work
    instead of giving it back to a pool.
    """
    connection.ensure_connection()
    connection.connection.prepare_threshold = 0


def discard_plans(cursor: psycopg.Cursor[Any]) -> None:
    """Have everything planned anew, from what the tables have become. Statements stay parsed."""
    cursor.execute("DISCARD PLANS", prepare=False)


def rows(query: str, values: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """All rows as dictionaries."""
    with prepared() as cursor:
        cursor.execute(query, values or {})
        names = [column.name for column in cursor.description or ()]
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
