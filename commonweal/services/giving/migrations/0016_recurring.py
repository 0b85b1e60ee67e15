"""Recurring gifts: what was wished, what has been said of it since, and the one gift of each period."""

from django.db import migrations

RECURRING = """
ALTER TABLE giving_callback DROP CONSTRAINT giving_callback_outcome_check;
ALTER TABLE giving_callback ADD CONSTRAINT giving_callback_outcome_check CHECK (outcome IN
    ('paid', 'known', 'unknown', 'differs', 'refunded', 'refund-failed', 'charged-back', 'agreed', 'revoked'));

CREATE TABLE giving_recurring (
    book     uuid NOT NULL REFERENCES giving_campaign (id),
    id       uuid NOT NULL,
    giver    uuid NOT NULL,
    amount   bigint NOT NULL CHECK (amount > 0),            -- at first: later ones are words
    every    text NOT NULL CHECK (every IN ('week', 'month')),
    channel  text NOT NULL,
    foretold boolean NOT NULL,                              -- whether the giver is told before each renewal
    at       timestamptz NOT NULL,
    PRIMARY KEY (book, id)
);
CREATE INDEX giving_recurring_giver ON giving_recurring (giver, id);

-- What has been said of it, in this order. Its standing follows from all words.
CREATE TABLE giving_recurring_word (
    book      uuid NOT NULL,
    id        uuid NOT NULL,
    nth       integer NOT NULL CHECK (nth >= 0),
    word      text NOT NULL CHECK (word IN ('agreed', 'paused', 'resumed', 'changed', 'ended')),
    cause     text NOT NULL CHECK (cause IN ('giver', 'failed', 'gone', 'revoked', 'campaign', 'forgotten')),
    amount    bigint CHECK (amount > 0),
    reference text,                                         -- the provider's word for the agreement
    fact      uuid NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (book, id, nth),
    FOREIGN KEY (book, id) REFERENCES giving_recurring (book, id),
    CHECK ((amount IS NOT NULL) = (word = 'changed')),
    CHECK ((reference IS NOT NULL) = (word = 'agreed'))
);
CREATE UNIQUE INDEX giving_recurring_word_end ON giving_recurring_word (book, id) WHERE word = 'ended';

-- A period has one gift, and a gift has one payment: whatever runs twice, nobody is charged twice.
CREATE TABLE giving_renewal (
    book      uuid NOT NULL,
    recurring uuid NOT NULL,
    period    integer NOT NULL CHECK (period >= 0),
    gift      uuid NOT NULL,
    due       timestamptz NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (book, recurring, period),
    UNIQUE (book, gift),
    FOREIGN KEY (book, recurring) REFERENCES giving_recurring (book, id),
    FOREIGN KEY (book, gift) REFERENCES giving_gift (book, id)
);

CREATE TABLE giving_attempt (
    book      uuid NOT NULL,
    recurring uuid NOT NULL,
    period    integer NOT NULL,
    attempt   smallint NOT NULL CHECK (attempt BETWEEN 1 AND 4),
    outcome   text NOT NULL CHECK (outcome IN ('insufficient', 'gone', 'revoked')),
    at        timestamptz NOT NULL,
    PRIMARY KEY (book, recurring, period, attempt),
    FOREIGN KEY (book, recurring, period) REFERENCES giving_renewal (book, recurring, period)
);
"""

GUARDS = """
-- A renewal is what was agreed, no more, from the same giver, and only while it is running.
CREATE FUNCTION giving_check_renewals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('renewal %s of %s is not what was agreed', n.period, n.recurring))
    FROM added n
    JOIN giving_recurring r ON r.book = n.book AND r.id = n.recurring
    JOIN giving_gift g ON g.book = n.book AND g.id = n.gift
    WHERE (g.giver, g.channel) IS DISTINCT FROM (r.giver, r.channel)
       OR g.amount <> coalesce((SELECT w.amount FROM giving_recurring_word w
                                WHERE w.book = r.book AND w.id = r.id AND w.word = 'changed'
                                ORDER BY w.nth DESC LIMIT 1), r.amount);
    PERFORM giving_refuse(format('%s is not running', n.recurring))
    FROM added n
    WHERE coalesce((SELECT w.word FROM giving_recurring_word w
                    WHERE w.book = n.book AND w.id = n.recurring AND w.word <> 'changed'
                    ORDER BY w.nth DESC LIMIT 1), '') NOT IN ('agreed', 'resumed');
    RETURN NULL;
END $$;
CREATE TRIGGER check_renewals AFTER INSERT ON giving_renewal
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_renewals();

-- Nothing is said of what has ended.
CREATE FUNCTION giving_check_recurring_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('%s has ended', n.id))
    FROM added n JOIN giving_recurring_word e ON e.book = n.book AND e.id = n.id AND e.word = 'ended' AND e.nth < n.nth;
    RETURN NULL;
END $$;
CREATE TRIGGER check_words AFTER INSERT ON giving_recurring_word
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_recurring_words();
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("recurring", "recurring_word", "renewal", "attempt")
)


class Migration(migrations.Migration):
    """Creates the tables of recurring gifts."""

    dependencies = [("giving", "0015_uses")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (RECURRING, GUARDS, APPEND_ONLY)]
