"""Fixtures of every test. A test that uses `db` runs in a transaction that is rolled back; one that needs real commits,
threads or a served page asks for `fresh_database`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator

import hypothesis
import psycopg
import pytest
from pytest_django import DjangoDbBlocker

from commonweal.kernel.postgres import Server
from tests import database
from tests.cluster import Cluster

pytest_plugins = ["tests.browser.fixtures", "tests.browser.walking"]

# How long an example takes is decided by what else the machine does: it is never a verdict.
hypothesis.settings.register_profile("house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def plain_static_addresses() -> Iterator[None]:
    """Pages are rendered without the hashed addresses, for which the static files would have to be gathered first."""
    from django.conf import settings
    from django.test import override_settings

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    with override_settings(STORAGES=settings.STORAGES | {"staticfiles": plain}):
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server | Cluster]:
    """The running embedded server of the tests, or the cluster that the environment names."""
    with database.server() as server:
        yield server


@pytest.fixture(scope="session")
def django_db_setup(postgres: Server | Cluster, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """In place of pytest-django's: the worker's database is a clone of the migrated template."""
    with (
        django_db_blocker.unblock(),
        database.clone(postgres) as name,
        database.connected_to(postgres, name),
        django_db_blocker.block(),
    ):
        yield


@pytest.fixture
def fresh_database(
    request: pytest.FixtureRequest,
    postgres: Server | Cluster,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[str]:
    """A database of the test's own, where commits are real. Django leads to it; the value is its connection string."""
    if "db" in request.fixturenames or request.node.get_closest_marker("django_db"):
        raise pytest.UsageError("a test uses either db or fresh_database")
    with (
        django_db_blocker.unblock(),
        database.clone(postgres) as name,
        database.connected_to(postgres, name),
    ):
        yield postgres.conninfo(name)


@pytest.fixture
def session(fresh_database: str) -> Iterator[psycopg.Connection]:
    """A session of its own in a fresh database; each statement commits unless `transaction()` is open."""
    with psycopg.connect(fresh_database, autocommit=True) as connection:
        yield connection


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """The browser's event loop counts as running in this thread as long as the browser lives. A test without a browser
    and all its fixtures, those of its package too, do not see it: Django keeps other connections for a thread in which
    a loop runs, and a test may run a loop of its own.
    """
    running = asyncio._get_running_loop()
    if "browser" in getattr(item, "fixturenames", ()):
        return (yield)
    asyncio._set_running_loop(None)
    try:
        return (yield)
    finally:
        asyncio._set_running_loop(running)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser's tests come first: under `--dist worksteal` one worker begins with them and the others take from the
    end, so that one platform is started and seeded for the run, not one a worker.

    The log cannot be emptied between tests, so that Django's flushing of tables cannot work here.
    """
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)
    for item in items:
        for marker in item.iter_markers("django_db"):
            if marker.kwargs.get("transaction") or (marker.args and marker.args[0]):
                raise pytest.UsageError(f"{item.nodeid}: ask for the fixture fresh_database instead")
