"""The database of the tests itself: clones are whole, separate, and gone afterwards."""

import os
import threading
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from commonweal.kernel.postgres import Server
from tests import database


def names(server: Server) -> set[str]:
    with psycopg.connect(server.conninfo("postgres")) as session:
        return {name for (name,) in session.execute("SELECT datname FROM pg_database")}


def stage(cursor: object) -> None:
    cursor.execute("INSERT INTO proof_staged VALUES (gen_random_uuid(), 'x')")  # type: ignore[attr-defined]


def staged(cursor: object) -> int:
    cursor.execute("SELECT count(*) FROM proof_staged")  # type: ignore[attr-defined]
    return int(cursor.fetchone()[0])  # type: ignore[attr-defined]


@pytest.mark.django_db
@pytest.mark.parametrize("time", [1, 2])
def test_db_is_rolled_back(time: int) -> None:
    with connection.cursor() as cursor:
        assert staged(cursor) == 0
        stage(cursor)
        assert staged(cursor) == 1


@pytest.mark.parametrize("time", [1, 2])
def test_a_fresh_database_commits_in_all_threads_and_begins_empty(fresh_database: str, time: int) -> None:
    def work() -> None:
        with connection.cursor() as cursor:
            stage(cursor)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with psycopg.connect(fresh_database) as session, session.cursor() as cursor:
        assert staged(cursor) == 3


def test_the_schema_is_migrated(session: psycopg.Connection) -> None:
    assert session.execute("SELECT count(*) > 0 FROM django_migrations").fetchone() == (True,)


def test_a_clone_is_gone_when_the_block_ends(postgres: Server, django_db_setup: None) -> None:
    with database.clone(postgres) as name:
        assert name in names(postgres)
    assert name not in names(postgres)


def test_no_real_data_directory_can_be_reached() -> None:
    from commonweal import settings

    assert Path(os.environ["COMMONWEAL_TEST_RUN"]) == settings.HOME
    assert settings.DATABASE_URL == ""
