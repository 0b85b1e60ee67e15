"""The database of the tests: one embedded server, one migrated template, and clones of it.

pytest loads this module before anything else (`-p tests.database`), so that no test can reach a real data directory.
The server's files stay in `.data/tests`, so that only the first run has to initialise and migrate; the server itself
runs as long as some session uses it. It does not sync to the disk (that makes a clone take 20 ms instead of up to two
seconds): a SIGKILL loses nothing all the same, and files of before the machine's last start are thrown away.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import importlib.metadata
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from psycopg.conninfo import conninfo_to_dict

from commonweal.kernel.postgres import Server
from tests import cluster
from tests.cluster import Cluster

ROOT = Path(__file__).parent.parent
HOME = ROOT / ".data" / "tests"
"""The home of the server that all sessions in this checkout share."""

OF_THE_TESTS = {"COMMONWEAL_DATA", "COMMONWEAL_NEWCOMER", "COMMONWEAL_PICTURES", cluster.VARIABLE}
"""Variables that speak to the tests, not to the platform."""

_numbers = itertools.count()


def _remove(directory: str, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(directory, ignore_errors=True)


def _leave_real_settings() -> None:
    """Take the platform's settings out of the environment and give the session a data directory of its own."""
    if "COMMONWEAL_TEST_RUN" not in os.environ:  # the first process; xdist's workers inherit the rest
        for name in [name for name in os.environ if name.startswith("COMMONWEAL_") and name not in OF_THE_TESTS]:
            del os.environ[name]
        os.environ.pop("DATABASE_URL", None)
        directory = tempfile.mkdtemp(prefix="commonweal-")
        owner = os.getpid()
        atexit.register(_remove, directory, owner)
        os.environ["COMMONWEAL_TEST_RUN"] = os.environ["COMMONWEAL_DATA_DIR"] = directory


_leave_real_settings()


@contextmanager
def server() -> Iterator[Server | Cluster]:
    """The running server. Sessions share it; the last one to leave stops it. If a cluster is named, it is that."""
    HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
    if named := cluster.named():
        yield named
        return
    shared = Server(HOME, {"fsync": "off"})
    with (HOME / "sessions.lock").open("a") as sessions:
        if _taken(sessions, fcntl.LOCK_EX):  # nobody is there: what an aborted session has left can go
            _trust_only_this_boot(shared)
            shared.start()
            _drop_clones(shared)
        fcntl.flock(sessions, fcntl.LOCK_SH)
        shared.start()
        try:
            yield shared
        finally:
            if _taken(sessions, fcntl.LOCK_EX):
                shared.stop()


def _taken(lock: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _trust_only_this_boot(shared: Server) -> None:
    boot, mark = Path("/proc/sys/kernel/random/boot_id").read_text(), HOME / "boot"
    if not mark.exists() or mark.read_text() != boot:
        shutil.rmtree(shared.cluster, ignore_errors=True)
        mark.write_text(boot)


def _databases(shared: Server | Cluster, prefix: str) -> list[str]:
    import psycopg

    with psycopg.connect(shared.conninfo("postgres")) as connection:
        query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        return [name for (name,) in connection.execute(query, [prefix])]


def _drop_clones(shared: Server) -> None:
    for name in _databases(shared, "clone_"):
        shared.drop(name)


@contextmanager
def clone(shared: Server | Cluster) -> Iterator[str]:
    """A fresh copy of the migrated template; the name of the database, which goes when the block ends."""
    name = f"clone_{os.getpid()}_{next(_numbers)}"
    shared.create(name, template=template(shared))
    try:
        yield name
    finally:
        shared.drop(name)


def template(shared: Server | Cluster) -> str:
    """The database with all migrations applied, named after their hash; made by whoever needs it first."""
    name = f"template_{_migrations()}"
    with (HOME / "template.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = _databases(shared, "template_")
        if name not in known:
            for old in known:
                shared.drop(old)
            shared.drop("migrating")
            shared.create("migrating")
            if isinstance(shared, Cluster):
                shared.join("migrating")
            _migrate(shared, "migrating")
            if isinstance(shared, Cluster):
                shared.distribute("migrating")
                shared.leave("migrating")
                shared.rename("migrating", name)
            else:
                _rename(shared, "migrating", name)
    return name


def _migrations() -> str:
    """A hash of everything that the migrations depend on."""
    from django.apps import apps

    digest = hashlib.sha256(repr([(app.label, app.path) for app in apps.get_app_configs()]).encode())
    for package in ("django", "django-allauth"):
        digest.update(importlib.metadata.version(package).encode())
    sources = [*(ROOT / "commonweal").rglob("migrations/*.py"), *(ROOT / "commonweal").rglob("apps.py")]
    sources += (ROOT / "commonweal" / "services").glob("*/__init__.py")  # the assets
    if cluster.named():
        sources += (ROOT / "commonweal" / "kernel" / "ledger").glob("*.py")  # the distributed form
    for path in sorted(sources):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _migrate(shared: Server | Cluster, database: str) -> None:
    from django.core.management import call_command

    with connected_to(shared, database):
        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)


def _rename(shared: Server, old: str, new: str) -> None:
    import psycopg

    with psycopg.connect(shared.conninfo("postgres"), autocommit=True) as connection:
        names = psycopg.sql.Identifier(old), psycopg.sql.Identifier(new)
        connection.execute(psycopg.sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))


@contextmanager
def connected_to(shared: Server | Cluster, database: str) -> Iterator[None]:
    """Django's default connection, in all threads, leads to `database` within the block; no session is left behind."""
    from django.db import connections
    from django.db.backends.postgresql.base import DatabaseWrapper

    connection = cast(DatabaseWrapper, connections["default"])
    settings = connection.settings_dict
    at = {name: str(value) for name, value in conninfo_to_dict(shared.conninfo(database)).items()}
    places = {"HOST": at["host"], "PORT": at.get("port", ""), "USER": at["user"], "NAME": at["dbname"]}
    before = {name: settings.get(name, "") for name in places}
    connection.close()
    connection.close_pool()
    settings.update(places)
    try:
        yield
    finally:
        connection.close()
        connection.close_pool()
        settings.update(before)
