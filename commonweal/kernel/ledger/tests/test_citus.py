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

from commonweal.kernel.gathering import MARK
from commonweal.kernel.ledger.distribution import breaches, has_citus, plan
from tests import cluster


@pytest.mark.django_db
def test_every_large_table_can_be_distributed_by_book() -> None:
    connection.ensure_connection()
    assert breaches(connection.connection) == []
    found = connection.connection.execute(
        "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid"
        " WHERE attname = 'book' AND relkind = 'r' AND starts_with(relname, 'ledger_')"
        " AND relname NOT IN ('ledger_errand', 'ledger_question')"
    ).fetchone()
    assert found == (5,)  # account, transfer, posting, balance, open; the assets are a reference table


LOOKS = """
CREATE FUNCTION looks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {says}
    RETURN (SELECT NULL FROM added JOIN ledger_account USING (id))
END $$;
CREATE TABLE t (id uuid);
CREATE TRIGGER looks AFTER INSERT ON t REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION looks()
"""


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
        (LOOKS.format(says=""), ("t", "looks", "it looks into books and does not say so")),
        (LOOKS.format(says=MARK), None),
    ],
)
def test_the_lint_finds_what_is_planted(session: psycopg.Connection, planted: str, breach: Any) -> None:
    session.execute("CREATE TABLE s (id uuid PRIMARY KEY)")
    session.execute("SET check_function_bodies TO off")
    session.execute(planted)
    found = breaches(session)
    assert breach in found if breach else found == []


# What Citus does, as far as it matters here: each of its refusals was seen as a real error.
CITUS = """
CREATE TABLE pg_dist_partition (logicalrelid regclass PRIMARY KEY, partkey text, repmodel "char");
CREATE FUNCTION create_reference_table(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = name::regclass AND NOT tgisinternal) THEN
        RAISE EXCEPTION '% has guards that would refuse its rows', name;
    END IF;
    IF EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND name::regclass IN (conrelid, confrelid)) THEN
        RAISE EXCEPTION '% has foreign keys', name;
    END IF;
    INSERT INTO pg_dist_partition VALUES (name::regclass, NULL, 't');
END $$;
CREATE FUNCTION create_distributed_table(name text, key text, colocate_with text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND name::regclass IN (conrelid, confrelid)) THEN
        RAISE EXCEPTION '% has foreign keys', name;
    END IF;
    IF EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = key
               WHERE i.indrelid = name::regclass AND indisunique AND NOT a.attnum = ANY (i.indkey)) THEN
        RAISE EXCEPTION '% has a unique key without %', name, key;
    END IF;
    IF colocate_with <> 'none' AND NOT EXISTS (
        SELECT FROM pg_dist_partition WHERE logicalrelid = colocate_with::regclass) THEN
        RAISE EXCEPTION '% is not distributed', colocate_with;
    END IF;
    INSERT INTO pg_dist_partition VALUES (name::regclass, key, 's');
END $$;
CREATE FUNCTION create_distributed_function(name text) RETURNS void LANGUAGE sql AS 'SELECT name::regprocedure';
SET citus.multi_shard_modify_mode = 'parallel';
"""
OWN = "('run_errand', 'forget_errand', 'refuse_unanswered')"
"""Guards that the distributed form brings along."""
LED = """
SELECT count(*) FROM pg_constraint k
LEFT JOIN pg_dist_partition f ON f.logicalrelid = k.conrelid
LEFT JOIN pg_dist_partition t ON t.logicalrelid = k.confrelid
WHERE contype = 'f' AND ((f.partkey IS NOT NULL AND t.logicalrelid IS NULL)
                      OR (t.partkey IS NOT NULL AND f.partkey IS NULL))
"""


def test_without_citus_nothing_is_to_be_had(session: psycopg.Connection) -> None:
    if cluster.named():
        pytest.skip("the cluster has Citus")
    assert not has_citus(session)


def test_every_statement_is_taken_in_its_order_and_once(session: psycopg.Connection) -> None:
    """On functions that refuse what Citus refuses: Citus itself is not here."""
    if cluster.named():
        pytest.skip("the cluster is in the distributed form already, by the same statements")
    keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"
    guards = f"SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgname NOT IN {OWN}"
    before, guarded = session.execute(keys).fetchone(), session.execute(guards).fetchone()
    session.execute(CITUS)
    assert has_citus(session)
    made = plan(session)
    assert {"ledger_account", "ledger_transfer", "ledger_posting"} <= set(made.large)
    read_by_guards = {"ledger_asset", "giving_filing", "parties_credential", "parties_attestation"}
    assert read_by_guards <= set(made.copied) and not set(made.copied) & set(made.large)
    for statement in made.statements:
        session.execute(statement)
    assert session.execute(keys).fetchone() == before, "a foreign key was lost"
    assert session.execute(guards).fetchone() == guarded, "a guard was lost"
    assert session.execute(LED).fetchone() == (0,), "a foreign key leads where Citus has none"
    again = plan(session)
    assert (again.statements, again.large, again.copied) == ([], [], [])
    session.execute("CREATE TABLE later (book uuid, id uuid, PRIMARY KEY (book, id))")
    assert plan(session).statements[2:] == [
        "SELECT create_distributed_table('later', 'book', colocate_with => 'ledger_account')"
    ]
