"""`commonweal forget`: a person is erased, and what was deleted also leaves the files of the database."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import psycopg

from commonweal.kernel.errors import NotFound
from commonweal.kernel.text import Text
from commonweal.operation.database import conninfo

REWRITTEN = 256_000_000
"""Bytes up to which a table is written anew, so that nothing deleted is left in it; a larger one is only vacuumed."""

TOUCHED = """
SELECT relid::regclass::text, pg_total_relation_size(relid) FROM pg_stat_xact_user_tables
WHERE n_tup_upd + n_tup_del > 0 ORDER BY 1
"""
"""The tables in which this transaction has changed or deleted rows."""


def forget(party: uuid.UUID) -> dict[str, Any]:
    """Erase a person and clean the tables; returns what was done. Raises `NotFound`, and `Conflict` for organisations.

    Doing it again cleans nothing and adds nothing to the log. Old row versions also stand in the write-ahead log until
    it is reused; docs/explanation/erasure.md says what that means.
    """
    from django.db import connection, transaction

    from commonweal.kernel.parties import erasure
    from commonweal.kernel.parties.models import Party

    with transaction.atomic():
        try:
            erased = erasure.forget(party)
        except Party.DoesNotExist as error:
            raise NotFound("party.unknown", Text("There is no such person.", "没有这个人。")) from error
        with connection.cursor() as cursor:
            cursor.execute(TOUCHED)
            touched = cursor.fetchall()
    with psycopg.connect(conninfo(), autocommit=True) as session:
        for table, size in touched if erased else []:
            full = "(FULL, ANALYZE)" if size <= REWRITTEN else "(ANALYZE)"
            session.execute(f"VACUUM {full} {table}")
        if erased:
            session.execute("CHECKPOINT")
    return {"party": str(party), "erased": erased, "cleaned": [table for table, _ in touched] if erased else []}


def read_forgotten(path: Path) -> set[str]:
    """The pseudonyms in a list of those who have been forgotten; none if there is no such list."""
    return set(path.read_text().split()) if path.exists() else set()
