"""Guards that look into other books, where the books are spread over machines.

On a shard such a guard would see its own machine and take the rest for empty. So it says in its body that it looks into
other books (`MARK`), and on a shard it only keeps what was added, as a question (`ledger_question`). Whoever wrote has
the question answered in the same transaction: on the coordinator, where all books can be asked, by the guard as it was
written. A question that nobody has had answered refuses the commit.

A small table is written on every machine; it asks on the coordinator alone (`books_copied.ledger_question`).

What such a guard asks of books it asks row by row, with the book in every condition or an index that leads to the row:
Citus sends that where the book is. `added`, what was written, is read by itself.
"""

from __future__ import annotations

from commonweal.kernel.gathering import MARK

QUESTION = (
    """
CREATE UNLOGGED TABLE ledger_question (
    book  uuid NOT NULL,
    id    uuid NOT NULL,
    guard text NOT NULL,
    added jsonb NOT NULL,
    PRIMARY KEY (book, id)
)
""",
    """
CREATE FUNCTION ledger_refuse_unanswered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM ledger_question q WHERE q.id = NEW.id) THEN
        PERFORM ledger_refuse(format('%s has not looked into other books', NEW.guard));
    END IF;
    RETURN NULL;
END $$
""",
    """
CREATE CONSTRAINT TRIGGER refuse_unanswered AFTER INSERT ON ledger_question
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_refuse_unanswered()
""",
)
"""What guards on shards have asked and nobody has answered yet: empty outside of transactions."""

ANSWERED = rf"""
DO $do$
DECLARE
    guard record;
    place text;
BEGIN
    SET LOCAL citus.enable_ddl_propagation TO off;
    SET LOCAL check_function_bodies TO off;
    SET LOCAL client_min_messages TO warning;
    FOR guard IN
        SELECT t.tgname AS name, c.relname AS of, f.proname AS calls, pg_get_functiondef(f.oid) AS function
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc f ON f.oid = t.tgfoid
        WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace
          AND f.pronamespace = 'public'::regnamespace AND f.prosrc LIKE '%{MARK}%'
    LOOP
        place := 'abroad_' || guard.calls;
        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', place);
        EXECUTE format('DROP TABLE IF EXISTS %I.added', place);
        EXECUTE format('CREATE UNLOGGED TABLE %I.added (LIKE public.%I)', place, guard.of);
        EXECUTE replace(guard.function, 'FUNCTION public.' || guard.calls || '(',
                        format('FUNCTION %I.%I(', place, guard.calls));
        EXECUTE format('ALTER FUNCTION %I.%I() SET search_path = %I, public', place, guard.calls, place);
        EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %I.added FOR EACH STATEMENT EXECUTE FUNCTION %I.%I()',
                       guard.name, place, place, guard.calls);
    END LOOP;
    CREATE SCHEMA IF NOT EXISTS books_copied;
    CREATE UNLOGGED TABLE IF NOT EXISTS books_copied.ledger_question (
        id uuid PRIMARY KEY, guard text NOT NULL, added jsonb NOT NULL);
    EXECUTE replace(pg_get_functiondef('ledger_refuse_unanswered'::regproc), 'FUNCTION public.',
                    'FUNCTION books_copied.');
    ALTER FUNCTION books_copied.ledger_refuse_unanswered SET search_path = books_copied, public;
    DROP TRIGGER IF EXISTS refuse_unanswered ON books_copied.ledger_question;
    CREATE CONSTRAINT TRIGGER refuse_unanswered AFTER INSERT ON books_copied.ledger_question
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION books_copied.ledger_refuse_unanswered();
    CREATE OR REPLACE FUNCTION ledger_look(guard text, added jsonb) RETURNS void LANGUAGE plpgsql AS $look$
    BEGIN
        EXECUTE format('INSERT INTO %1$I.added SELECT * FROM jsonb_populate_recordset(NULL::%1$I.added, $1)',
                       'abroad_' || guard) USING added;
        EXECUTE format('DELETE FROM %I.added', 'abroad_' || guard);
    END $look$;
    CREATE OR REPLACE FUNCTION ledger_answer() RETURNS void LANGUAGE plpgsql AS $answer$
    DECLARE
        question record;
    BEGIN
        FOR question IN SELECT book, id, guard, added FROM ledger_question LOOP
            PERFORM ledger_look(question.guard, question.added);
            DELETE FROM ledger_question WHERE book = question.book AND id = question.id;
        END LOOP;
        FOR question IN SELECT id, guard, added FROM books_copied.ledger_question LOOP
            PERFORM ledger_look(question.guard, question.added);
            DELETE FROM books_copied.ledger_question WHERE id = question.id;
        END LOOP;
    END $answer$;
END $do$
"""
"""On the coordinator each of these guards gets a table `added` of its own: what is put there it looks at, over all
books. `ledger_answer` puts there what was asked.
"""
