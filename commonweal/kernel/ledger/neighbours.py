"""Neighbours: the shards of all tables that hold the same books, on the machine where they are.

Citus sends a statement to a shard, and there a trigger must look at that shard's neighbours and at nothing else. Each
group of neighbours gets a schema on its machine, in which the tables' names are views of its shards; so do the copies
of small tables. Every guard gets a copy there that knows no other names. So the guards hold as they were written.
A shard that is moved afterwards has the guards of the table itself, which cannot look anywhere: it refuses every
writing until its neighbours are made known again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import psycopg

from commonweal.kernel import gathering
from commonweal.kernel.gathering import MARK
from commonweal.kernel.ids import uuid7
from commonweal.kernel.proof.log import STAGE

T = TypeVar("T")

ERRAND = (
    """
CREATE UNLOGGED TABLE ledger_errand (
    book      uuid NOT NULL,
    id        uuid NOT NULL,
    statement text NOT NULL,
    stripe    text,
    answer    uuid[],
    staged    uuid[],
    entries   bytea[],
    PRIMARY KEY (book, id)
)
""",
    """
CREATE FUNCTION ledger_run_errand() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    got uuid;
    answer uuid[] := '{}';
BEGIN
    PERFORM set_config('commonweal.stripe', coalesce(NEW.stripe, ''), true);
    FOR got IN EXECUTE NEW.statement LOOP
        answer := answer || got;
    END LOOP;
    NEW.answer := answer;
    WITH taken AS (DELETE FROM proof_staged RETURNING id, entry)
    SELECT array_agg(id), array_agg(entry) INTO NEW.staged, NEW.entries FROM taken;
    RETURN NEW;
END $$
""",
    "CREATE TRIGGER run_errand BEFORE INSERT ON ledger_errand FOR EACH ROW EXECUTE FUNCTION ledger_run_errand()",
    """
CREATE FUNCTION ledger_forget_errand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM ledger_errand WHERE book = NEW.book AND id = NEW.id;
    RETURN NULL;
END $$
""",
    "CREATE TRIGGER forget_errand AFTER INSERT ON ledger_errand FOR EACH ROW EXECUTE FUNCTION ledger_forget_errand()",
)
"""An errand is a statement that is run where its book is, as one statement of that machine: all of it or nothing, its
guards at its end. What it returns and what it stages for the log comes back with it; nothing of it stays.

It is a row that is inserted, not a function that is called: Citus hands calls on at some times only, rows always.
"""

ASKING = """
DECLARE
    neighbours_of_book text := 'books_' || get_shard_id_for_distribution_column('ledger_account', $1);
BEGIN
    IF to_regnamespace(neighbours_of_book) IS NOT NULL THEN
        PERFORM set_config('search_path', neighbours_of_book || ', books_copied, public', true);
    END IF;
    RETURN (
{body}
    );
END
"""


def asking(definition: str, body: str) -> str:
    """A function that asks about a book, its first argument: where the book is it asks there, elsewhere Citus."""
    inner = ASKING.replace("{body}", body.strip().rstrip(";"))
    return definition.replace(body, inner).replace("LANGUAGE sql", "LANGUAGE plpgsql")


RUN = """
INSERT INTO ledger_errand (book, id, statement, stripe)
VALUES (%s, %s, %s, current_setting('commonweal.stripe', true)) RETURNING answer, staged, entries
"""

KNOWN = rf"""
SELECT nodeid, success, result FROM run_command_on_all_nodes($known$
DO $do$
DECLARE
    home record;
    near record;
    guard record;
BEGIN
    SET LOCAL citus.enable_ddl_propagation TO off;
    SET LOCAL check_function_bodies TO off;
    SET LOCAL client_min_messages TO warning;
    FOR home IN
        SELECT 'books_copied' AS place, NULL::text AS least, NULL::int AS colocation
        UNION ALL
        SELECT 'books_' || s.shardid, s.shardminvalue, p.colocationid FROM pg_dist_shard s
        JOIN pg_dist_partition p ON p.logicalrelid = s.logicalrelid
        JOIN pg_dist_placement l ON l.shardid = s.shardid AND l.groupid = (SELECT groupid FROM pg_dist_local_group)
        WHERE s.logicalrelid = 'ledger_account'::regclass
    LOOP
        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', home.place);
        IF home.least IS NOT NULL THEN
            EXECUTE format('CREATE UNLOGGED TABLE IF NOT EXISTS %I.proof_staged '
                           '(id uuid PRIMARY KEY, entry bytea NOT NULL)', home.place);
        END IF;
        FOR near IN
            SELECT p.logicalrelid AS of, c.relname AS name, c.relname || '_' || s.shardid AS shard, s.shardid
            FROM pg_dist_partition p JOIN pg_dist_shard s ON s.logicalrelid = p.logicalrelid
            JOIN pg_class c ON c.oid = p.logicalrelid
            WHERE CASE WHEN home.least IS NULL THEN p.partmethod = 'n' AND p.repmodel = 't'
                       ELSE p.colocationid = home.colocation AND s.shardminvalue = home.least END
        LOOP
            EXECUTE format('CREATE OR REPLACE VIEW %I.%I AS SELECT * FROM public.%I',
                           home.place, near.name, near.shard);
            FOR guard IN
                SELECT t.tgname AS name, t.tgname || '_' || near.shardid AS own, f.proname AS calls,
                       pg_get_functiondef(f.oid) AS function, pg_get_triggerdef(t.oid) AS trigger,
                       f.prosrc LIKE '%{MARK}%' AS abroad
                FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
                WHERE t.tgrelid = near.of AND NOT t.tgisinternal AND f.pronamespace = 'public'::regnamespace
            LOOP
                EXECUTE format('DROP TRIGGER IF EXISTS %I ON public.%I', guard.own, near.shard);
                IF guard.abroad AND home.least IS NULL AND (SELECT groupid FROM pg_dist_local_group) <> 0 THEN
                    CONTINUE;
                END IF;
                IF guard.abroad THEN
                    guard.function := format(
                        'CREATE FUNCTION public.%s() RETURNS trigger LANGUAGE plpgsql AS %L', guard.calls,
                        format('BEGIN ' || CASE WHEN home.least IS NULL
                            THEN 'INSERT INTO ledger_question SELECT gen_random_uuid(), %1$L, jsonb_agg(to_jsonb(n)) '
                                 'FROM added n HAVING count(*) > 0;'
                            ELSE 'INSERT INTO ledger_question SELECT n.book, gen_random_uuid(), %1$L, '
                                 'jsonb_agg(to_jsonb(n)) FROM added n GROUP BY n.book;'
                            END || ' RETURN NULL; END', guard.calls));
                    EXECUTE format('DROP FUNCTION IF EXISTS %I.%I()', home.place, guard.calls);
                END IF;
                EXECUTE replace(guard.function, 'FUNCTION public.' || guard.calls || '(',
                                format('FUNCTION %I.%I(', home.place, guard.calls));
                EXECUTE format('ALTER FUNCTION %I.%I() SET search_path = %I, books_copied, public',
                               home.place, guard.calls, home.place);
                EXECUTE replace(replace(replace(guard.trigger,
                    'TRIGGER ' || guard.name || ' ', format('TRIGGER %I ', guard.own)),
                    ' ON public.' || quote_ident(near.name) || ' ', format(' ON public.%I ', near.shard)),
                    'EXECUTE FUNCTION ' || guard.calls || '(',
                    format('EXECUTE FUNCTION %I.%I(', home.place, guard.calls));
            END LOOP;
        END LOOP;
    END LOOP;
END $do$
$known$)
"""
"""Makes the neighbours known on every machine; again after shards have been moved, and after an update."""

WHOLE = """
DO $do$
DECLARE
    name text;
BEGIN
    SET LOCAL citus.enable_ddl_propagation TO off;
    SET LOCAL client_min_messages TO warning;
    CREATE SCHEMA IF NOT EXISTS books_whole;
    FOR name IN
        SELECT relname FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid WHERE partkey IS NOT NULL
    LOOP
        EXECUTE format('CREATE OR REPLACE VIEW books_whole.%I AS SELECT * FROM public.%I OFFSET 0', name, name);
    END LOOP;
END $do$
"""
"""The tables as a query can have them that Citus refuses: gathered before anything is asked of them."""


def within(
    cursor: Any,
    statement: str,
    values: Callable[[Sequence[T]], Mapping[str, object]],
    items: Sequence[T],
    book: Callable[[T], uuid.UUID],
) -> set[uuid.UUID]:
    """Execute a statement that writes `items` to their books and returns ids; `values` are its parameters for some.

    On one machine it is that statement. Where the books are spread it is one errand for each group of neighbours.
    """
    if not gathering.spread(cursor.connection):
        cursor.execute(statement, values(items))
        return {row[0] for row in cursor.fetchall()}
    binding, ids = psycopg.ClientCursor(cursor.connection), set[uuid.UUID]()
    for part in _parts(cursor.connection, items, book):
        cursor.execute(RUN, [book(part[0]), uuid7(), binding.mogrify(statement, values(part))])
        answer, staged, entries = cursor.fetchone()
        ids.update(answer)
        if staged:
            cursor.execute(STAGE, [staged, entries])
    if gathering.asks_abroad(cursor.connection, statement):
        cursor.execute(gathering.ANSWER)
    return ids


def _parts(connection: Any, items: Sequence[T], book: Callable[[T], uuid.UUID]) -> list[list[T]]:
    """The items by the shard of their book, in one order for all."""
    found = connection.execute(
        "SELECT book, get_shard_id_for_distribution_column('ledger_account', book) FROM unnest(%s::uuid[]) AS book",
        [list({book(item) for item in items})],
    )
    shards: dict[uuid.UUID, int] = dict(found.fetchall())
    groups: dict[int, list[T]] = {}
    for item in items:
        groups.setdefault(shards[book(item)], []).append(item)
    return [groups[shard] for shard in sorted(groups)]
