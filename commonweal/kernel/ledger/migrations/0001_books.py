"""The books. What must always hold is held by the database itself, also against hand-written SQL.

Every large table carries the book first in its key, so that books can be spread over machines.
A transfer and its postings are inserted by ONE statement; the checks run once a statement, over sets.
"""

from django.db import migrations

BOOKS = """
CREATE TABLE ledger_asset (
    code     text PRIMARY KEY,
    exponent smallint NOT NULL CHECK (exponent BETWEEN 0 AND 9),
    kind     text NOT NULL
);

CREATE TABLE ledger_account (
    book   uuid NOT NULL,
    id     uuid NOT NULL,
    name   text NOT NULL,                                   -- within the book: 'fund', 'clearing:simulator'
    asset  text NOT NULL REFERENCES ledger_asset,
    side   smallint NOT NULL CHECK (side IN (1, -1)),       -- normal side: 1 debit, -1 credit
    floor  bigint,                                          -- least balance on the normal side; null: none
    opened timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (book, id),
    UNIQUE (book, name)
);

CREATE TABLE ledger_transfer (
    book     uuid NOT NULL,
    id       uuid NOT NULL,
    key      text NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 64 AND key !~ '[^ -~]'),  -- made before asking
    request  bytea NOT NULL CHECK (octet_length(request) = 32),
    kind     text NOT NULL,
    phase    text NOT NULL CHECK (phase IN ('posted', 'pending', 'post', 'void')),
    resolves uuid CHECK ((resolves IS NOT NULL) = (phase IN ('post', 'void'))),
    expires  timestamptz CHECK (expires IS NULL OR phase = 'pending'),
    legs     smallint NOT NULL CHECK (CASE WHEN phase = 'void' THEN legs = 0 ELSE legs >= 2 END),
    at       timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    UNIQUE (book, key)
);
-- A pending transfer is resolved once.
CREATE UNIQUE INDEX ledger_transfer_resolves ON ledger_transfer (book, resolves) WHERE resolves IS NOT NULL;
CREATE INDEX ledger_transfer_pending ON ledger_transfer (expires) WHERE phase = 'pending';

CREATE TABLE ledger_posting (
    book     uuid NOT NULL,
    transfer uuid NOT NULL,
    seq      smallint NOT NULL CHECK (seq >= 0),
    account  uuid NOT NULL,
    amount   bigint NOT NULL CHECK (amount <> 0 AND abs(amount) <= 1000000000000000),  -- debit positive
    PRIMARY KEY (book, transfer, seq)
);
CREATE INDEX ledger_posting_account ON ledger_posting (book, account, transfer);

-- Kept by the triggers below and by nothing else. A stripe belongs to one writer, so that writers of a busy account do
-- not wait for one another; an account with a floor has stripe 0 only. The balance is the sum of the stripes: one of
-- them alone can be negative, where one writer resolves what another has promised.
CREATE TABLE ledger_balance (
    book           uuid NOT NULL,
    account        uuid NOT NULL,
    stripe         smallint NOT NULL,
    posted         bigint NOT NULL DEFAULT 0,               -- sum of postings, debit positive
    pending_debit  bigint NOT NULL DEFAULT 0,
    pending_credit bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (book, account, stripe)
) WITH (fillfactor = 50);                                   -- room for updates within the page

CREATE FUNCTION ledger_refuse(reason text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger: %', reason USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- Each stripe that a set of movements touches, in one fixed order: two writers can never wait for each other.
CREATE FUNCTION ledger_move(moved_book uuid[], moved_account uuid[], p bigint[], d bigint[], c bigint[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    -- Without a stripe of its own a session takes one by its process, so that few sessions share one.
    writer smallint := coalesce(nullif(current_setting('commonweal.stripe', true), '')::smallint, pg_backend_pid() % 16);
    below record;
BEGIN
    WITH moved AS (
        SELECT m.book, m.account, CASE WHEN a.floor IS NULL THEN writer ELSE 0 END AS stripe, m.p, m.d, m.c
        FROM unnest(moved_book, moved_account, p, d, c) AS m(book, account, p, d, c)
        JOIN ledger_account a ON a.book = m.book AND a.id = m.account
    ), summed AS (
        SELECT book, account, stripe, sum(moved.p)::bigint AS p, sum(moved.d)::bigint AS d, sum(moved.c)::bigint AS c
        FROM moved GROUP BY book, account, stripe ORDER BY book, account, stripe
    ), kept AS (
        INSERT INTO ledger_balance AS b (book, account, stripe, posted, pending_debit, pending_credit)
        SELECT book, account, stripe, summed.p, summed.d, summed.c FROM summed
        ON CONFLICT (book, account, stripe) DO UPDATE SET
            posted = b.posted + excluded.posted,
            pending_debit = b.pending_debit + excluded.pending_debit,
            pending_credit = b.pending_credit + excluded.pending_credit
        RETURNING b.book, b.account, b.posted, b.pending_debit, b.pending_credit
    )
    -- What is promised away counts as gone; what is only promised to come does not count.
    SELECT a.name, a.floor INTO below FROM kept JOIN ledger_account a ON a.book = kept.book AND a.id = kept.account
    WHERE a.floor IS NOT NULL
      AND CASE WHEN a.side = 1 THEN posted - pending_credit ELSE -(posted + pending_debit) END < a.floor
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger: account % would fall below its floor of %', below.name, below.floor
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_floor';
    END IF;
END $$;

-- In both checks, what belongs to the added rows is looked up by key, whatever the statistics say: they lag behind a busy
-- table, and a plan that reads all of it grows slower with every transfer.
CREATE FUNCTION ledger_check_postings() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    wrong record;
BEGIN
    -- Every transfer is known and complete; every posting is of a known account; each asset of a transfer sums to zero.
    SELECT n.transfer, CASE WHEN t.id IS NULL THEN 'its transfer is unknown' ELSE 'it is not complete' END AS reason
    INTO wrong
    FROM (SELECT book, transfer, count(*) AS legs, max(seq) AS last FROM added GROUP BY book, transfer) n
    LEFT JOIN ledger_transfer t ON t.book = n.book AND t.id = n.transfer
    WHERE t.id IS NULL OR n.legs <> t.legs OR n.last <> t.legs - 1
    LIMIT 1;
    IF FOUND THEN
        PERFORM ledger_refuse(format('posting of transfer %s: %s', wrong.transfer, wrong.reason));
    END IF;
    SELECT n.transfer, a.asset INTO wrong
    FROM added n LEFT JOIN ledger_account a ON a.book = n.book AND a.id = n.account
    GROUP BY n.book, n.transfer, a.asset HAVING a.asset IS NULL OR sum(n.amount) <> 0
    ORDER BY a.asset NULLS FIRST LIMIT 1;
    IF FOUND AND wrong.asset IS NULL THEN
        PERFORM ledger_refuse(format('posting of transfer %s: an account is unknown', wrong.transfer));
    ELSIF FOUND THEN
        PERFORM ledger_refuse(format('transfer %s does not balance in %s', wrong.transfer, wrong.asset));
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER check_postings AFTER INSERT ON ledger_posting
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_postings();

CREATE FUNCTION ledger_check_transfers() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    wrong record;
BEGIN
    SELECT n.id INTO wrong FROM added n
    WHERE n.legs > 0
      AND NOT EXISTS (SELECT FROM ledger_posting p WHERE p.book = n.book AND p.transfer = n.id AND p.seq = 0)
    LIMIT 1;
    IF FOUND THEN
        PERFORM ledger_refuse(format('transfer %s has no postings', wrong.id));
    END IF;
    IF EXISTS (SELECT FROM added WHERE resolves IS NOT NULL) THEN
        -- A resolution names a pending transfer in time; 'post' repeats its postings; both release what was promised.
        SELECT n.id, CASE WHEN o.id IS NULL THEN 'resolves no pending transfer'
                          WHEN n.phase = 'post' AND o.expires <= n.at THEN 'resolves one that has expired'
                          ELSE 'does not repeat the postings of the one it resolves' END AS reason
        INTO wrong
        FROM added n LEFT JOIN ledger_transfer o ON o.book = n.book AND o.id = n.resolves AND o.phase = 'pending'
        WHERE n.resolves IS NOT NULL AND (
            o.id IS NULL OR (n.phase = 'post' AND (o.expires <= n.at OR EXISTS (
                (SELECT seq, account, amount FROM ledger_posting WHERE book = n.book AND transfer = n.id
                 EXCEPT SELECT seq, account, amount FROM ledger_posting WHERE book = n.book AND transfer = o.id)
                UNION ALL
                (SELECT seq, account, amount FROM ledger_posting WHERE book = n.book AND transfer = o.id
                 EXCEPT SELECT seq, account, amount FROM ledger_posting WHERE book = n.book AND transfer = n.id)))))
        LIMIT 1;
        IF FOUND THEN
            PERFORM ledger_refuse(format('transfer %s %s', wrong.id, wrong.reason));
        END IF;
    END IF;
    -- All movements of the statement at once, so that floors are asked of the outcome and stripes are locked in order.
    PERFORM ledger_move(array_agg(m.book), array_agg(m.account), array_agg(m.p), array_agg(m.d), array_agg(m.c))
    FROM (
        SELECT each.book, each.account, sum(each.p)::bigint AS p, sum(each.d)::bigint AS d, sum(each.c)::bigint AS c
        FROM (
            SELECT p.book, p.account,
                   CASE WHEN n.phase = 'pending' THEN 0 ELSE p.amount END AS p,
                   CASE WHEN n.phase = 'pending' THEN greatest(p.amount, 0) ELSE 0 END AS d,
                   CASE WHEN n.phase = 'pending' THEN greatest(-p.amount, 0) ELSE 0 END AS c
            FROM added n JOIN ledger_posting p ON p.book = n.book AND p.transfer = n.id
            UNION ALL
            SELECT p.book, p.account, 0, -greatest(p.amount, 0), -greatest(-p.amount, 0)
            FROM added n JOIN ledger_posting p ON p.book = n.book AND p.transfer = n.resolves
        ) AS each GROUP BY each.book, each.account
    ) AS m;
    RETURN NULL;
END $$;

CREATE TRIGGER check_transfers AFTER INSERT ON ledger_transfer
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_transfers();

-- Nothing that is written is ever changed.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_asset
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_posting
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER kept_by_postings BEFORE INSERT OR UPDATE OR DELETE ON ledger_balance
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON ledger_balance
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    """Creates the books."""

    initial = True
    dependencies = [("proof", "0001_log")]
    operations = [migrations.RunSQL(BOOKS, elidable=False)]
