"""Spreading the books over machines with Citus: whether the tables allow it, and the statements that do it.

A table with a column `book` is large and is distributed by it; a table that a large one refers to is copied to every
machine; all others stay where they are. All of this is read from PostgreSQL's own catalogue, so a new service needs
nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

LARGE = """
    SELECT attrelid AS oid, attnum AS book FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE attname = 'book' AND relkind IN ('r', 'p') AND NOT relispartition
      AND relnamespace = 'public'::regnamespace AND NOT attisdropped
"""
BREACHES = f"""
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
"""

TABLES = f"""
WITH RECURSIVE distributed AS ({LARGE}), copied AS (
    SELECT k.confrelid AS oid FROM pg_constraint k JOIN distributed d ON d.oid = k.conrelid
    WHERE contype = 'f' AND k.confrelid NOT IN (SELECT oid FROM distributed)
    UNION
    SELECT k.confrelid FROM pg_constraint k JOIN copied c ON c.oid = k.conrelid WHERE contype = 'f'
)
SELECT oid::regclass::text, true FROM distributed UNION ALL SELECT oid::regclass::text, false FROM copied ORDER BY 2, 1
"""
KEYS = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND conparentid = 0
  AND (conrelid = ANY(%(tables)s::text[]::regclass[]) OR confrelid = ANY(%(tables)s::text[]::regclass[]))
ORDER BY 1, 2
"""
GUARDS = """
SELECT tgrelid::regclass::text, quote_ident(tgname) FROM pg_trigger
WHERE NOT tgisinternal AND tgrelid = ANY(%(tables)s::text[]::regclass[]) ORDER BY 1, 2
"""


@dataclass
class Plan:
    """What is to be done, in order. `unguarded` are the triggers that copied tables lose: Citus allows none on them."""

    large: list[str] = field(default_factory=list)
    copied: list[str] = field(default_factory=list)
    unguarded: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)


def breaches(session: Any) -> list[tuple[str, str, str]]:
    """Table, constraint and reason of everything that Citus would not take (`session`: a psycopg connection)."""
    return list(session.execute(BREACHES).fetchall())


def has_citus(session: Any) -> bool:
    """Whether the server has the extension."""
    found = session.execute("SELECT count(*) FROM pg_proc WHERE proname = 'create_distributed_table'").fetchone()
    return bool(found[0])


def plan(session: Any) -> Plan:
    """The statements that bring this database into the distributed form; none if it is in it already.

    Foreign keys are put aside first and back at the end: Citus takes a table only while none leads from or to it.
    """
    done = set()
    if session.execute("SELECT to_regclass('pg_dist_partition') IS NOT NULL").fetchone()[0]:
        done = {name for (name,) in session.execute("SELECT logicalrelid::regclass::text FROM pg_dist_partition")}
    made = Plan()
    for name, large in session.execute(TABLES).fetchall():
        if name not in done:
            (made.large if large else made.copied).append(name)
    tables = made.large + made.copied
    if not tables:
        return made
    keys = session.execute(KEYS, {"tables": tables}).fetchall()
    guards = session.execute(GUARDS, {"tables": made.copied}).fetchall()
    made.unguarded = [f"{name} on {table}" for table, name in guards]
    first = next(iter(sorted(done & {"ledger_account"})), made.large[0] if made.large else "")
    made.statements = [
        "SET citus.enable_unsafe_triggers TO on",
        *(f"ALTER TABLE {table} DROP CONSTRAINT {name}" for table, name, _ in keys),
        *(f"DROP TRIGGER {name} ON {table}" for table, name in guards),
        *(f"SELECT create_reference_table('{table}')" for table in made.copied),
        *(
            f"SELECT create_distributed_table('{table}', 'book', colocate_with => "
            f"'{'default' if table == first else first}')"
            for table in sorted(made.large, key=lambda table: table != first)
        ),
        *(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}" for table, name, definition in keys),
    ]
    return made
