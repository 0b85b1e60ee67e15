"""Queries that Citus refuses, on a database that refuses one as Citus does."""

from __future__ import annotations

import psycopg
import pytest
from django.db import IntegrityError, InternalError, NotSupportedError, connection, transaction

from commonweal.kernel import gathering
from commonweal.kernel.sql import rows
from tests import cluster

REFUSING = """
CREATE TABLE ledger_errand ();
CREATE FUNCTION refuse(what text) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', what USING ERRCODE = 'feature_not_supported';
END $$;
CREATE TABLE kept (n integer);
CREATE VIEW seen AS SELECT refuse('complex joins') AS n;
CREATE SCHEMA books_whole;
CREATE VIEW books_whole.seen AS SELECT 7 AS n;
CREATE VIEW books_whole.kept AS SELECT * FROM public.kept OFFSET 0;
CREATE TABLE used (n integer);
CREATE FUNCTION looks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- looks into other books
    RETURN NULL;
END $$;
CREATE TRIGGER looks AFTER INSERT ON used FOR EACH STATEMENT EXECUTE FUNCTION looks();
CREATE FUNCTION ledger_answer() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM used WHERE n < 0) THEN
        RAISE EXCEPTION 'ledger: less than nothing' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    INSERT INTO kept VALUES (1);
END $$;
CREATE FUNCTION copied(what text) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', what USING ERRCODE = 'internal_error';
END $$;
"""


@pytest.fixture
def refusing(session: psycopg.Connection) -> None:
    if cluster.named():
        pytest.skip("the cluster itself refuses")
    session.execute(REFUSING)
    connection.close()  # a session learns at its beginning that the books are spread


def test_what_is_refused_once_is_gathered_from_then_on(refusing: None, caplog: pytest.LogCaptureFixture) -> None:
    query = "SELECT n FROM seen"
    with transaction.atomic():
        assert rows(query) == [{"n": 7}]
        assert rows("SELECT 1 AS here") == [{"here": 1}], "the transaction goes on"
        assert connection.cursor().execute("SHOW search_path").fetchone() == ('"$user", public',)
    assert [record.getMessage() for record in caplog.records] == [
        f"gathered from now on, since Citus says: complex joins\n{query}"
    ]
    assert rows(query) == [{"n": 7}]
    assert len(caplog.records) == 1


def test_djangos_own_cursors_gather_too_and_write_to_the_table_itself(refusing: None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO kept SELECT n + %s FROM seen", [1])
        cursor.execute("SELECT n FROM kept")
        assert cursor.fetchall() == [(8,)]


def test_what_guards_ask_about_other_books_is_answered_with_the_statement(refusing: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO used VALUES (%s)", [1])  # a transaction of its own, with the answer
        with transaction.atomic():
            cursor.execute("INSERT INTO used SELECT 2")
            with pytest.raises(IntegrityError, match="less than nothing"):
                cursor.execute("INSERT INTO used VALUES (-1)")
        cursor.execute("INSERT INTO kept VALUES (5)")
        cursor.execute("SELECT (SELECT array_agg(n ORDER BY n) FROM used), (SELECT array_agg(n ORDER BY n) FROM kept)")
        assert cursor.fetchone() == ([1, 2], [1, 1, 5])


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ("giving: income 7 is not agreed to by two people", IntegrityError),
        ("giving_gift_102008 is append-only: UPDATE refused", IntegrityError),
        ('new row for relation "t_102008" violates check constraint "t_check"', IntegrityError),
        ("the disk is full", InternalError),
    ],
)
def test_a_guard_is_known_by_its_words_where_citus_keeps_no_state(
    refusing: None, said: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal, match=said) as caught:
        rows("SELECT copied(%(said)s) AS n", {"said": said})
    assert type(caught.value) is refusal
    with pytest.raises(refusal, match=said), connection.cursor() as cursor:
        cursor.execute("SELECT copied(%s)", [said])


def test_what_locks_rows_is_never_gathered(refusing: None) -> None:
    with pytest.raises(NotSupportedError, match="complex joins"), connection.cursor() as cursor:
        cursor.execute("SELECT n FROM seen FOR UPDATE")


def test_on_one_machine_a_refusal_is_an_error(session: psycopg.Connection) -> None:
    if cluster.named():
        pytest.skip("this is not one machine")
    session.execute(
        "CREATE FUNCTION refuse() RETURNS integer LANGUAGE plpgsql AS 'BEGIN RAISE feature_not_supported; END'"
    )
    assert not gathering.spread(session)
    with pytest.raises(NotSupportedError):
        rows("SELECT refuse() AS n")
