"""`commonweal database distribute`: the books over several machines, on a PostgreSQL with the Citus extension."""

from __future__ import annotations

from typing import Any

import psycopg

from commonweal.kernel.errors import Conflict
from commonweal.kernel.ledger import distribution
from commonweal.kernel.text import Text
from commonweal.operation.database import conninfo, open_database


def distribute(*, dry_run: bool) -> dict[str, Any]:
    """Bring the database into the distributed form, in one transaction; once done, nothing is left to do.

    Raises `Conflict` with `citus.missing` on a server without Citus, where nothing is changed, and with
    `citus.breaches` if a table cannot be distributed. `dry_run` needs no Citus: it only says what would be done.
    """
    with open_database(), psycopg.connect(conninfo(), application_name="commonweal database distribute") as session:
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
            for statement in plan.statements:
                session.execute(statement)
    return {
        "distributed": plan.large,
        "copied": plan.copied,
        "unguarded": plan.unguarded,
        "statements": plan.statements,
    }
