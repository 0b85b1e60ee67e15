"""Whether a resolution repeats the postings of what it resolves is asked posting by posting, by key.

That both are complete, with places from 0 on, is seen to by `ledger_check_postings`; so equal numbers and a match for each
are equality, and no sets need be built for every resolution.
"""

from django.db import migrations

CHECK = """
CREATE OR REPLACE FUNCTION ledger_check_transfers() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    -- Without a stripe of its own a session shares one with few others.
    writer smallint := coalesce(nullif(current_setting('commonweal.stripe', true), '')::smallint,
                                -1 - pg_backend_pid() % 16);
    wrong record;
    moved record;
BEGIN
    IF EXISTS (SELECT FROM added WHERE resolves IS NOT NULL) THEN
        -- A resolution names a pending transfer in time; 'post' repeats its postings; both release what was promised.
        SELECT n.id, CASE WHEN o.id IS NULL THEN 'resolves no pending transfer'
                          WHEN n.phase = 'post' AND o.expires <= n.at THEN 'resolves one that has expired'
                          ELSE 'does not repeat the postings of the one it resolves' END AS reason
        INTO wrong
        FROM added n LEFT JOIN ledger_transfer o ON o.book = n.book AND o.id = n.resolves AND o.phase = 'pending'
        WHERE n.resolves IS NOT NULL AND (
            o.id IS NULL OR (n.phase = 'post' AND (o.expires <= n.at OR o.legs <> n.legs OR EXISTS (
                SELECT FROM ledger_posting p WHERE p.book = n.book AND p.transfer = n.id AND NOT EXISTS (
                    SELECT FROM ledger_posting q
                    WHERE q.book = n.book AND q.transfer = o.id AND q.seq = p.seq
                      AND q.account = p.account AND q.amount = p.amount)))))
        LIMIT 1;
        IF FOUND THEN
            PERFORM ledger_refuse(format('transfer %s %s', wrong.id, wrong.reason));
        END IF;
    END IF;
    -- All movements of the statement at once, so that floors are asked of the outcome.
    WITH each AS (
        SELECT p.book, p.account, (p.seq = 0)::int AS begun,
               CASE WHEN n.phase = 'pending' THEN 0 ELSE p.amount END AS p,
               CASE WHEN n.phase = 'pending' THEN greatest(p.amount, 0) ELSE 0 END AS d,
               CASE WHEN n.phase = 'pending' THEN greatest(-p.amount, 0) ELSE 0 END AS c
        FROM added n JOIN ledger_posting p ON p.book = n.book AND p.transfer = n.id
        UNION ALL
        SELECT p.book, p.account, 0, 0, -greatest(p.amount, 0), -greatest(-p.amount, 0)
        FROM (SELECT book, resolves FROM added WHERE resolves IS NOT NULL) n
        JOIN ledger_posting p ON p.book = n.book AND p.transfer = n.resolves
    ), summed AS (
        SELECT book, account, sum(begun) AS begun, sum(p)::bigint AS p, sum(d)::bigint AS d, sum(c)::bigint AS c
        FROM each GROUP BY book, account
    ), striped AS (
        SELECT s.book, s.account, CASE WHEN a.floor IS NULL THEN writer ELSE 0 END AS stripe, s.p, s.d, s.c
        FROM summed s JOIN ledger_account a ON a.book = s.book AND a.id = s.account
    ), own AS (
        UPDATE ledger_balance b SET posted = posted + s.p, pending_debit = pending_debit + s.d,
                                    pending_credit = pending_credit + s.c
        FROM striped s
        WHERE s.stripe > 0 AND b.book = s.book AND b.account = s.account AND b.stripe = s.stripe
        RETURNING b.book, b.account
    ), shared AS (
        INSERT INTO ledger_balance AS b (book, account, stripe, posted, pending_debit, pending_credit)
        SELECT * FROM striped WHERE (book, account) NOT IN (SELECT book, account FROM own)
        ORDER BY book, account, stripe
        ON CONFLICT (book, account, stripe) DO UPDATE SET
            posted = b.posted + excluded.posted,
            pending_debit = b.pending_debit + excluded.pending_debit,
            pending_credit = b.pending_credit + excluded.pending_credit
        RETURNING b.book, b.account, b.posted, b.pending_debit, b.pending_credit
    ), below AS (
        -- What is promised away counts as gone; what is only promised to come does not count.
        SELECT a.name, a.floor FROM shared s JOIN ledger_account a ON a.book = s.book AND a.id = s.account
        WHERE a.floor IS NOT NULL
          AND CASE WHEN a.side = 1 THEN posted - pending_credit ELSE -(posted + pending_debit) END < a.floor
        LIMIT 1
    )
    SELECT (SELECT coalesce(sum(begun), 0) FROM summed) AS begun, b.name, b.floor INTO moved
    FROM (VALUES (1)) one LEFT JOIN below b ON true;
    IF moved.begun <> (SELECT count(*) FROM added WHERE legs > 0) THEN
        SELECT n.id INTO wrong FROM added n
        WHERE n.legs > 0
          AND NOT EXISTS (SELECT FROM ledger_posting p WHERE p.book = n.book AND p.transfer = n.id AND p.seq = 0)
        LIMIT 1;
        PERFORM ledger_refuse(format('transfer %s has no postings', wrong.id));
    END IF;
    IF moved.name IS NOT NULL THEN
        RAISE EXCEPTION 'ledger: account % would fall below its floor of %', moved.name, moved.floor
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_floor';
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    """Replaces the check of transfers."""

    dependencies = [("ledger", "0003_many_books")]
    operations = [migrations.RunSQL(CHECK, elidable=False)]
