"""Queries whose plans are kept."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.utils import DataError

from commonweal.kernel.sql import discard_plans, keep_plans, prepared, row, rows

QUERY = "SELECT n + %(more)s AS sum FROM generate_series(1, 3) AS n"
KEPT = """
    SELECT count(*) AS number, sum(generic_plans + custom_plans)::int AS times FROM pg_prepared_statements
    WHERE statement LIKE %(like)s"""


def kept() -> dict[str, int]:
    return row(KEPT, {"like": "%generate_series(1, 3) AS n"}) or {}


@pytest.fixture
def session(db: None) -> Iterator[None]:
    connection.ensure_connection()
    before = connection.connection.prepare_threshold
    keep_plans()
    yield
    connection.connection.prepare_threshold = before


def test_what_is_asked_again_is_prepared_once(session: None) -> None:
    assert [found["sum"] for found in rows(QUERY, {"more": 1})] == [2, 3, 4]
    assert row(QUERY, {"more": 2}) == {"sum": 3}
    assert kept() == {"number": 1, "times": 2}
    with prepared() as cursor:
        discard_plans(cursor)
    assert row(QUERY, {"more": 3}) == {"sum": 4}
    assert kept() == {"number": 1, "times": 3}


@pytest.mark.django_db
def test_other_sessions_plan_each_time() -> None:
    assert row(QUERY, {"more": 1}) == {"sum": 2}
    assert kept() == {"number": 0, "times": None}


def test_an_error_and_its_rollback_leave_the_session_usable(session: None) -> None:
    assert row(QUERY, {"more": 1}) == {"sum": 2}
    with pytest.raises(DataError, match="division by zero"), prepared() as cursor, cursor.connection.transaction():
        cursor.execute("SELECT 1 / %s::int", [0])
    assert row(QUERY, {"more": 1}) == {"sum": 2}
