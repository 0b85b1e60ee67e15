"""A cluster for the tests to run on instead of the embedded server: three running PostgreSQL servers with Citus.

`COMMONWEAL_TEST_CLUSTER` names their addresses, the coordinator's first:
`postgresql://tester@127.0.0.1:8650 postgresql://tester@127.0.0.1:8651 postgresql://tester@127.0.0.1:8652`.
Each database of the tests is one on all of them. A clone copies the template's files on every server: what Citus knows
of shards and machines stands in the database itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier, Literal

VARIABLE = "COMMONWEAL_TEST_CLUSTER"


class Cluster:
    """The servers. It is used as `kernel.postgres.Server` is, as far as the tests need one."""

    def __init__(self, machines: list[str]) -> None:
        self.machines = machines

    def conninfo(self, database: str) -> str:
        """The connection string of a database on the coordinator."""
        return make_conninfo(self.machines[0], dbname=database)

    def create(self, database: str, *, template: str = "template1") -> None:
        """Create a database on every machine, with the settings of its template."""
        self._everywhere(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(database), Identifier(template)))
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as session:
            found = session.execute(
                "SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
                " WHERE datname = %s AND setrole = 0",
                [template],
            )
            for (setting,) in found.fetchall():
                name, value = setting.split("=", 1)
                parts = Identifier(database), SQL(name), Literal(value)
                session.execute(SQL("ALTER DATABASE {} SET {} TO {}").format(*parts))

    def drop(self, database: str) -> None:
        """Drop a database on every machine, if it is there. Citus's own sessions in it may come back once."""
        for last in (False, False, True):
            try:
                self._everywhere(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(database)))
                return
            except psycopg.errors.ObjectInUse:
                if last:
                    raise

    def join(self, database: str) -> None:
        """Make the machines one cluster in this database."""
        for machine in self.machines:
            with psycopg.connect(machine, dbname=database, autocommit=True) as session:
                session.execute("CREATE EXTENSION IF NOT EXISTS citus")
        self._set(
            database, "citus.shard_count", "4"
        )  # two on each of two workers: clones are small, and all cases there
        with psycopg.connect(self.conninfo(database), autocommit=True) as session:
            for number, machine in enumerate(self.machines):
                at = conninfo_to_dict(machine)
                call: LiteralString = "citus_add_node" if number else "citus_set_coordinator_host"
                session.execute(SQL("SELECT {}(%s, %s)").format(SQL(call)), [at["host"], int(str(at["port"]))])

    def distribute(self, database: str) -> None:
        """Bring the database into the distributed form, by the command itself."""
        command = [sys.executable, "-m", "commonweal.cli", "database", "distribute"]
        environment = os.environ | {"DATABASE_URL": self.conninfo(database)}
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)

    def leave(self, database: str) -> None:
        """End all sessions in a database, and let none begin: only so can it be renamed and copied."""
        self._everywhere(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(Identifier(database)))
        self._everywhere(
            SQL("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = {}").format(
                Literal(database)
            )
        )

    def rename(self, old: str, new: str) -> None:
        """Rename a database on every machine."""
        self._everywhere(SQL("ALTER DATABASE {} RENAME TO {}").format(Identifier(old), Identifier(new)))

    def _set(self, database: str, name: LiteralString, value: str) -> None:
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as session:
            session.execute(
                SQL("ALTER DATABASE {} SET {} TO {}").format(Identifier(database), SQL(name), Literal(value))
            )

    def _everywhere(self, statement: psycopg.sql.Composed) -> None:
        for machine in self.machines:
            with psycopg.connect(machine, dbname="postgres", autocommit=True) as session:
                session.execute(statement)


def named() -> Cluster | None:
    """The cluster that the environment names, if it names one."""
    machines = os.environ.get(VARIABLE, "").split()
    return Cluster(machines) if machines else None


@contextmanager
def unguarded(cursor: Any) -> Iterator[None]:
    """Past all guards and keys, as a superuser may plant something within a transaction; on every machine."""
    if named():
        cursor.execute("SET LOCAL citus.propagate_set_commands TO 'local'")
    cursor.execute("SET LOCAL session_replication_role = replica")
    yield
    cursor.execute("SET LOCAL session_replication_role = origin")
