"""The rules under which Citus can spread the books over machines, as a lint over PostgreSQL's catalogue.

A large table carries the distribution column `book` in every primary key, unique key and exclusion, its foreign keys
lead to reference tables or carry `book` themselves, and nothing outside leads into it. (Tables without a `book` are
small, local to the coordinator or copied to every machine.)
"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection

BREACHES = """
WITH distributed AS (
    SELECT attrelid AS oid, attnum AS book FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE attname = 'book' AND relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND NOT attisdropped
)
SELECT i.indrelid::regclass::text AS of, i.indexrelid::regclass::text AS name, 'its first column is not book' AS why
FROM pg_index i JOIN distributed d ON d.oid = i.indrelid
WHERE (i.indisunique OR i.indisexclusion) AND i.indkey[0] <> d.book
UNION ALL
SELECT conrelid::regclass::text, conname, 'it leads out of the book'
FROM pg_constraint k JOIN distributed d ON d.oid = k.conrelid
WHERE contype = 'f' AND EXISTS (SELECT FROM distributed WHERE oid = k.confrelid) AND NOT d.book = ANY (conkey)
UNION ALL
SELECT conrelid::regclass::text, conname, 'it leads from a small table to a large one'
FROM pg_constraint k
WHERE contype = 'f' AND EXISTS (SELECT FROM distributed WHERE oid = k.confrelid)
  AND NOT EXISTS (SELECT FROM distributed WHERE oid = k.conrelid)
UNION ALL
SELECT d.oid::regclass::text, 'book', 'a row without book has no place'
FROM distributed d JOIN pg_attribute a ON a.attrelid = d.oid AND a.attnum = d.book WHERE NOT a.attnotnull
UNION ALL
SELECT d.oid::regclass::text, 'primary key', 'it has none'
FROM distributed d WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = d.oid AND contype = 'p')
"""


def breaches(session: Any) -> list[Any]:
    return list(session.execute(BREACHES).fetchall())


@pytest.mark.django_db
def test_every_large_table_can_be_distributed_by_book() -> None:
    connection.ensure_connection()
    assert breaches(connection.connection) == []
    found = connection.connection.execute(
        "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid"
        " WHERE attname = 'book' AND relkind = 'r' AND starts_with(relname, 'ledger_')"
    ).fetchone()
    assert found == (5,)  # account, transfer, posting, balance, open; the assets are a reference table


@pytest.mark.parametrize(
    ("planted", "breach"),
    [
        ("CREATE TABLE t (id uuid PRIMARY KEY, book uuid NOT NULL)", ("t", "t_pkey", "its first column is not book")),
        (
            "CREATE TABLE t (book uuid, id uuid, key text UNIQUE, PRIMARY KEY (book, id))",
            ("t", "t_key_key", "its first column is not book"),
        ),
        (
            "CREATE TABLE t (book uuid, id uuid, account uuid, PRIMARY KEY (book, id));"
            "CREATE TABLE u (book uuid, id uuid, x uuid REFERENCES s, PRIMARY KEY (book, id))",
            None,
        ),
        ("CREATE TABLE t (book uuid, id uuid)", ("t", "primary key", "it has none")),
        (
            "CREATE TABLE t (id uuid PRIMARY KEY, book uuid NOT NULL,"
            " FOREIGN KEY (book, id) REFERENCES ledger_account)",
            ("t", "t_pkey", "its first column is not book"),
        ),
        (
            "CREATE TABLE t (id uuid PRIMARY KEY, b uuid, FOREIGN KEY (b, id) REFERENCES ledger_account)",
            ("t", "t_b_id_fkey", "it leads from a small table to a large one"),
        ),
        (
            "CREATE TABLE t (book uuid, id uuid, b uuid, PRIMARY KEY (book, id),"
            " FOREIGN KEY (b, id) REFERENCES ledger_account)",
            ("t", "t_b_id_fkey", "it leads out of the book"),
        ),
    ],
)
def test_the_lint_finds_what_is_planted(session: psycopg.Connection, planted: str, breach: Any) -> None:
    session.execute("CREATE TABLE s (id uuid PRIMARY KEY)")
    for statement in planted.split(";"):
        session.execute(statement)
    found = breaches(session)
    assert breach in found if breach else found == []
