"""Spreading the books over machines with Citus: whether the tables allow it, and the statements that do it.

A table with a column `book` is large and is distributed by it; the small ones of the same service, and those that large
ones refer to or whose guards read, are copied to every machine; all others stay where they are. All of this is read
from PostgreSQL's own catalogue, so a new service needs nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from commonweal.kernel.gathering import MARK
from commonweal.kernel.ledger import abroad, neighbours

FIRST = "ledger_account"
"""The table beside whose shards all others are."""

LARGE = """
    SELECT attrelid AS oid, attnum AS book FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE attname = 'book' AND relkind IN ('r', 'p') AND NOT relispartition
      AND relnamespace = 'public'::regnamespace AND NOT attisdropped
"""
BREACHES = rf"""
WITH distributed AS ({LARGE})
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
UNION ALL
SELECT tgrelid::regclass::text, tgname, 'it looks into books and does not say so'
FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN pg_proc f ON f.oid = tgfoid
WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace AND prosrc NOT LIKE '%{MARK}%'
  AND NOT EXISTS (SELECT FROM distributed WHERE oid = tgrelid)
  AND EXISTS (SELECT FROM pg_class b JOIN distributed USING (oid) WHERE prosrc ~ ('\m' || b.relname || '\M'))
"""

TABLES = rf"""
WITH RECURSIVE distributed AS ({LARGE}), reads AS (
    SELECT conrelid AS reader, confrelid AS oid FROM pg_constraint WHERE contype = 'f'
    UNION
    SELECT tgrelid, c.oid FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
    JOIN pg_class c ON relnamespace = 'public'::regnamespace AND relkind = 'r' AND prosrc ~ ('\m' || relname || '\M')
    WHERE NOT tgisinternal AND tgrelid <> coalesce(to_regclass('ledger_errand'), 0)
), needed AS (
    SELECT c.oid FROM pg_class c JOIN pg_class l ON split_part(l.relname, '_', 1) = split_part(c.relname, '_', 1)
    JOIN distributed d ON d.oid = l.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    UNION
    SELECT r.oid FROM reads r JOIN needed n ON n.oid = r.reader
)
SELECT oid::regclass::text, oid IN (SELECT oid FROM distributed) FROM needed ORDER BY 2, 1
"""
"""Large tables (true) and those to be copied: the small ones of the same service as a large one, and whatever any of
these refers to or reads in its guards.
"""
KEYS = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND conparentid = 0
  AND (conrelid = ANY(%(tables)s::text[]::regclass[]) OR confrelid = ANY(%(tables)s::text[]::regclass[]))
ORDER BY 1, 2
"""
DONE = "SELECT logicalrelid::regclass::text FROM pg_dist_partition WHERE partkey IS NOT NULL OR repmodel = 't'"
GUARDS = """
SELECT tgrelid::regclass::text, quote_ident(tgname), pg_get_triggerdef(oid) FROM pg_trigger
WHERE NOT tgisinternal AND tgrelid = ANY(%(tables)s::text[]::regclass[]) ORDER BY 1, 2
"""


CALLED = r"""
SELECT DISTINCT f.oid::regprocedure::text FROM pg_trigger t JOIN pg_proc g ON g.oid = t.tgfoid
JOIN pg_proc f ON g.prosrc ~ ('\m' || f.proname || '\M') AND f.oid <> g.oid
WHERE NOT tgisinternal AND tgrelid = ANY(%(tables)s::text[]::regclass[]) AND f.pronamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = f.oid AND deptype = 'e')
ORDER BY 1
"""
"""What guards call: Citus sees what a trigger names, not what a body names."""

ASKING = rf"""
WITH distributed AS ({LARGE})
SELECT f.oid::regprocedure::text, pg_get_functiondef(f.oid), prosrc
FROM pg_proc f JOIN pg_language l ON l.oid = f.prolang
WHERE lanname = 'sql' AND pronamespace = 'public'::regnamespace AND NOT proretset AND proargtypes[0] = 'uuid'::regtype
  AND EXISTS (SELECT FROM pg_class JOIN distributed USING (oid) WHERE prosrc ~ ('\m' || relname || '\M'))
ORDER BY 1
"""
"""Functions in SQL that ask large tables about a book, their first argument."""


@dataclass
class Plan:
    """What is to be done, in order: `statements` in one transaction, then each of `after` by itself."""

    large: list[str] = field(default_factory=list)
    copied: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


def breaches(session: Any) -> list[tuple[str, str, str]]:
    """Table, constraint and reason of everything that Citus would not take (`session`: a psycopg connection)."""
    return list(session.execute(BREACHES).fetchall())


def has_citus(session: Any) -> bool:
    """Whether the server has the extension."""
    found = session.execute("SELECT count(*) FROM pg_proc WHERE proname = 'create_distributed_table'").fetchone()
    return bool(found[0])


def plan(session: Any) -> Plan:
    """The statements that bring this database into the distributed form; none if it is in it already.

    Foreign keys and guards are put aside first and back at the end: Citus takes a table only while no key leads from or
    to it, and a guard would refuse the rows that are there already.
    """
    done = set()
    if session.execute("SELECT to_regclass('pg_dist_partition') IS NOT NULL").fetchone()[0]:
        done = {name for (name,) in session.execute(DONE)}
    database = session.execute("SELECT quote_ident(current_database())").fetchone()[0]
    # One connection a machine: rows of copied tables and of books are written in the same transaction.
    sequential = f"ALTER DATABASE {database} SET citus.multi_shard_modify_mode TO 'sequential'"
    joining = f"ALTER DATABASE {database} SET citus.enable_repartition_joins TO on"
    made = Plan(after=[sequential, joining, abroad.ANSWERED, neighbours.KNOWN, neighbours.WHOLE])
    for name, large in session.execute(TABLES).fetchall():
        if name not in done:
            (made.large if large else made.copied).append(name)
    asking = session.execute(ASKING).fetchall()
    made.statements = [
        *(neighbours.asking(definition, body) for _, definition, body in asking),
        *(f"ALTER FUNCTION {signature} SET search_path = public" for signature, _, _ in asking),
        *(f"SELECT create_distributed_function('{signature}')" for signature, _, _ in asking),
    ]
    work = _spread(session, made, {signature for signature, _, _ in asking}) if made.large or made.copied else []
    for table, (creation, *guards) in {"ledger_errand": neighbours.ERRAND, "ledger_question": abroad.QUESTION}.items():
        if session.execute("SELECT to_regclass(%s) IS NULL", [table]).fetchone()[0]:
            placed = f"SELECT create_distributed_table('{table}', 'book', colocate_with => '{FIRST}')"
            work += [creation, placed, *guards]
    if work:
        made.statements += [
            "SET LOCAL citus.multi_shard_modify_mode TO 'sequential'",
            "SET LOCAL citus.enable_unsafe_triggers TO on",
            *work,
        ]
    return made


def _spread(session: Any, made: Plan, asking: set[str]) -> list[str]:
    tables = made.large + made.copied
    keys = session.execute(KEYS, {"tables": tables}).fetchall()
    guards = session.execute(GUARDS, {"tables": tables}).fetchall()
    called = {signature for (signature,) in session.execute(CALLED, {"tables": tables})} - asking
    return [
        *(f"ALTER TABLE {table} DROP CONSTRAINT {name}" for table, name, _ in keys),
        *(f"DROP TRIGGER {name} ON {table}" for table, name, _ in guards),
        *(f"SELECT create_reference_table('{table}')" for table in made.copied),
        *(
            f"SELECT create_distributed_table('{table}', 'book', colocate_with => "
            f"'{'none' if table == FIRST else FIRST}')"
            for table in sorted(made.large, key=lambda table: table != FIRST)
        ),
        *(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}" for table, name, definition in keys),
        *(definition for _, _, definition in guards),
        *(f"SELECT create_distributed_function('{signature}')" for signature in sorted(called)),
    ]
