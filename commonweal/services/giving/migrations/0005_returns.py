"""What goes back: refunds, chargebacks and claw-backs. Each draws the places of its own gift: a hole, and the line stays.

A refund that is asked for holds its places until it has ended; only then are they drawn.
"""

from django.db import migrations

RETURNS = """
ALTER TABLE giving_callback DROP CONSTRAINT giving_callback_outcome_check;
ALTER TABLE giving_callback ADD CONSTRAINT giving_callback_outcome_check CHECK (outcome IN
    ('paid', 'known', 'unknown', 'differs', 'refunded', 'refund-failed', 'charged-back'));

CREATE TABLE giving_return (
    book       uuid NOT NULL,
    id         uuid NOT NULL,
    gift       uuid NOT NULL,
    cause      text NOT NULL CHECK (cause IN ('refund', 'chargeback', 'claw-back')),
    amount     bigint NOT NULL CHECK (amount > 0),
    receivable bigint NOT NULL DEFAULT 0 CHECK (receivable BETWEEN 0 AND amount),  -- spent already: owed by the charity
    spans      int8multirange NOT NULL,                     -- places of its gift that it takes from the line
    reference  text NOT NULL,                               -- what the provider calls it
    reason     text NOT NULL,
    asked_by   uuid,
    transfer   uuid NOT NULL,
    fact       uuid NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    FOREIGN KEY (book, gift) REFERENCES giving_payment (book, gift),
    FOREIGN KEY (book, transfer) REFERENCES ledger_transfer (book, id),
    CHECK (receivable = 0 OR cause = 'chargeback')
);
CREATE INDEX giving_return_gift ON giving_return (book, gift);

-- How it ended. A refund that was done may bounce later: the money is with us again and is owed to the giver.
CREATE TABLE giving_return_end (
    book    uuid NOT NULL,
    id      uuid NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('done', 'failed', 'bounced')),
    fact    uuid NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (book, id, outcome),
    FOREIGN KEY (book, id) REFERENCES giving_return (book, id)
);
CREATE UNIQUE INDEX giving_return_end_once ON giving_return_end (book, id) WHERE outcome IN ('done', 'failed');

-- A charity has paid what it owed for gifts that were charged back after they had been spent.
CREATE TABLE giving_repayment (
    book     uuid NOT NULL,
    transfer uuid NOT NULL,
    amount   bigint NOT NULL CHECK (amount > 0),
    by_party uuid NOT NULL,
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (book, transfer),
    FOREIGN KEY (book, transfer) REFERENCES ledger_transfer (book, id)
);

ALTER TABLE giving_draw DROP CONSTRAINT giving_draw_book_request_fkey;
"""

GUARDS = """
-- Whatever is drawn belongs to a payout, or to a return that is done; a return draws places of its own gift alone.
CREATE FUNCTION giving_check_origin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('%s draws without being paid or returned', n.request))
    FROM added n
    WHERE NOT EXISTS (SELECT FROM giving_payout p WHERE p.book = n.book AND p.request = n.request)
      AND NOT EXISTS (SELECT FROM giving_return r JOIN giving_return_end e ON e.book = r.book AND e.id = r.id
                      WHERE r.book = n.book AND r.id = n.request AND e.outcome = 'done' AND n.span <@ r.spans);
    RETURN NULL;
END $$;
CREATE TRIGGER check_origin AFTER INSERT ON giving_draw
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_origin();

CREATE FUNCTION giving_check_returns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('return %s takes other places than those of its gift', n.id))
    FROM added n JOIN giving_payment p ON p.book = n.book AND p.gift = n.gift
    WHERE p.start IS NULL OR NOT n.spans <@ int8multirange(int8range(p.start, p.start + p.amount))
       OR n.amount - n.receivable <> (SELECT coalesce(sum(upper(s) - lower(s)), 0) FROM unnest(n.spans) s);
    PERFORM giving_refuse(format('more of gift %s goes back than it was', n.gift))
    FROM (SELECT DISTINCT book, gift FROM added) n JOIN giving_payment p ON p.book = n.book AND p.gift = n.gift
    WHERE p.amount < (SELECT sum(r.amount) FROM giving_return r WHERE r.book = n.book AND r.gift = n.gift
                        AND r.cause <> 'chargeback' AND NOT EXISTS (SELECT FROM giving_return_end e
                            WHERE e.book = r.book AND e.id = r.id AND e.outcome = 'failed'))
       OR p.amount < (SELECT sum(r.amount) FROM giving_return r
                      WHERE r.book = n.book AND r.gift = n.gift AND r.cause = 'chargeback');
    RETURN NULL;
END $$;
CREATE TRIGGER check_returns AFTER INSERT ON giving_return
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_returns();
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("return", "return_end", "repayment")
)


class Migration(migrations.Migration):
    """Creates the tables of what goes back."""

    dependencies = [("giving", "0004_givers")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (RETURNS, GUARDS, APPEND_ONLY)]
