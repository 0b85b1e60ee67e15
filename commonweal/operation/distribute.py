"""`commonweal database distribute`: the books over several machines, on a PostgreSQL with the Citus extension."""

from __future__ import annotations

from typing import Any

import psycopg

from commonweal.kernel.errors import Conflict
from commonweal.kernel.ledger import distribution
from commonweal.kernel.text import Text
from commonweal.operation.database import conninfo, open_database


def distribute(*, dry_run: bool) -> dict[str, Any]:
    """Bring the database into the distributed form; done again, it only makes the neighbours known again.

    The tables are taken in one transaction. Until the neighbours are known the distributed tables take no writing.

    Raises `Conflict` with `citus.missing` on a server without Citus, where nothing is changed, and with
    `citus.breaches` if a table cannot be distributed. `dry_run` needs no Citus: it only says what would be done.
    """
    with (
        open_database(),
        psycopg.connect(conninfo(), application_name="commonweal database distribute", autocommit=True) as session,
    ):
        if not dry_run and not distribution.has_citus(session):
            raise Conflict(
                "citus.missing",
                Text(
                    "This PostgreSQL has no Citus extension: nothing was changed. Everything works on one machine.",
                    "此 PostgreSQL 没有 Citus 扩展，未做任何更改；单机可正常运行。",
                ),
            )
        if wrong := distribution.breaches(session):
            named = "; ".join(f"{table}.{name}: {why}" for table, name, why in wrong)
            raise Conflict(
                "citus.breaches", Text("These cannot be distributed: {n}", "以下表无法分布：{n}").format(n=named)
            )
        plan = distribution.plan(session)
        if not dry_run:
            with session.transaction():
                for statement in plan.statements:
                    session.execute(statement)
            for statement in plan.after:
                _each_machine(session, statement)
    return {
        "distributed": plan.large,
        "copied": plan.copied,
        "statements": [*plan.statements, *plan.after],
    }


def _each_machine(session: psycopg.Connection[Any], statement: str) -> None:
    cursor = session.execute(statement)
    for machine, done, result in cursor.fetchall() if cursor.description else ():
        if not done:
            raise Conflict(
                "citus.machine",
                Text(
                    "Machine {n} did not take it: {why}. Run the command again.",
                    "节点 {n} 未能完成：{why}。请重新执行此命令。",
                ).format(n=machine, why=result),
            )
