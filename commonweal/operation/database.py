"""The database that the settings name: the embedded server, or the one in DATABASE_URL."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from commonweal.kernel.errors import Conflict
from commonweal.kernel.postgres import Server, running
from commonweal.kernel.postgres.binaries import program
from commonweal.kernel.text import Text

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commonweal.settings")


def setup() -> None:
    """Load Django with our settings."""
    import django

    django.setup()


def conninfo() -> str:
    """The libpq connection string of the platform's database."""
    from django.conf import settings

    if settings.DATABASE_URL:
        return settings.DATABASE_URL
    database = settings.DATABASES["default"]
    return psycopg.conninfo.make_conninfo(host=database["HOST"], user=database["USER"], dbname=database["NAME"])


def embedded() -> Server | None:
    """The embedded server, unless DATABASE_URL names another."""
    from django.conf import settings

    return None if settings.DATABASE_URL else Server(settings.HOME)


def client(name: str, *words: str) -> None:
    """Run a PostgreSQL client program (`pg_dump`, `pg_restore`) on the platform's database.

    The password goes through the environment, where other users of the machine cannot read it. Raises `Conflict` with
    the program's own complaint.
    """
    database: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(conninfo())
    environment = os.environ | {"PGPASSWORD": str(database.pop("password", ""))}
    where = f"--dbname={psycopg.conninfo.make_conninfo(**database)}"
    done = subprocess.run([program(name), where, *words], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        text = Text("{name} did not succeed: {words}", "{name} 未能完成：{words}")
        raise Conflict("database.program", text.format(name=name, words=done.stderr.strip()))


@contextmanager
def reach() -> Iterator[Path]:
    """The data directory, with its database reachable and as it is. Raises `Conflict` if there is none."""
    setup()
    from django.conf import settings

    server = embedded()
    if server is not None and not (server.cluster / "PG_VERSION").exists():
        raise Conflict(
            "data.none",
            Text(
                "{home} is not a data directory of commonweal. Name one with --data or COMMONWEAL_DATA_DIR.",
                "{home} 不是同心平台的数据目录。请用 --data 或 COMMONWEAL_DATA_DIR 指定。",
            ).format(home=settings.HOME),
        )
    with _answering() if server is None else running(settings.HOME):
        try:
            yield settings.HOME
        finally:
            from django.db import connections

            connections.close_all()
            for connection in connections.all():
                if hasattr(connection, "close_pool"):
                    connection.close_pool()


@contextmanager
def _answering() -> Iterator[None]:
    """Refuse to begin if the server in DATABASE_URL does not answer."""
    try:
        psycopg.connect(conninfo(), connect_timeout=10).close()
    except psycopg.OperationalError as error:
        text = Text("The database in DATABASE_URL does not answer: {why}", "DATABASE_URL 指向的数据库没有响应：{why}")
        raise Conflict("database.away", text.format(why=str(error).strip())) from error
    yield


@contextmanager
def open_database() -> Iterator[Path]:
    """The data directory, with its database reachable and prepared, for the length of one command."""
    setup()
    from django.conf import settings

    from commonweal.operation.prepare import prepare

    server = embedded()
    if server is not None:
        server.initialise()
    with reach() as home:
        prepare(home, database=settings.DATABASE_URL)
        yield home
