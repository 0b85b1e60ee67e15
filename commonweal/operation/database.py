"""The database that the settings name: the embedded server, or the one in DATABASE_URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import psycopg

from commonweal.kernel.postgres import Server, running


def setup() -> None:
    """Load Django with our settings."""
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commonweal.settings")
    django.setup()


def conninfo() -> str:
    """The libpq connection string of the platform's database."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    parts = {
        "host": database["HOST"],
        "port": database.get("PORT"),
        "user": database["USER"],
        "password": database.get("PASSWORD"),
        "dbname": database["NAME"],
    }
    return psycopg.conninfo.make_conninfo(**{name: value for name, value in parts.items() if value})


def embedded() -> Server | None:
    """The embedded server, unless DATABASE_URL names another."""
    from django.conf import settings

    return None if settings.DATABASE_URL else Server(settings.HOME)


@contextmanager
def open_database() -> Iterator[Any]:
    """The database, reachable and prepared, for the length of one command; settings and Django are loaded."""
    setup()
    from django.conf import settings

    from commonweal.operation.prepare import prepare

    with nullcontext() if settings.DATABASE_URL else running(settings.HOME):
        prepare(settings.HOME, database=settings.DATABASE_URL)
        try:
            yield
        finally:
            from django.db import connections

            connections.close_all()
            for connection in connections.all():
                if hasattr(connection, "close_pool"):
                    connection.close_pool()
