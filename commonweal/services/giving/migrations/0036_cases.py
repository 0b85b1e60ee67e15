"""Signals of fraud on the platform's own gifts: marks to find them by, and the cases that stewards decide by two.

A case delays the settlement of the pools that match its gifts. It never touches a gift.
"""

from django.db import migrations

MARKS = """
-- With which device and means of payment a gift was made: keyed hashes, deleted after their time.
CREATE TABLE giving_mark (
    book uuid NOT NULL,
    gift uuid NOT NULL,
    what text NOT NULL CHECK (what IN ('device', 'payment')),
    mark bytea NOT NULL CHECK (octet_length(mark) = 16),
    at   timestamptz NOT NULL,
    PRIMARY KEY (book, gift, what),
    FOREIGN KEY (book, gift) REFERENCES giving_gift (book, id)
);
-- Rows come in the order of time: a block range is enough, and costs a gift next to nothing.
CREATE INDEX giving_mark_at ON giving_mark USING brin (at);
CREATE INDEX giving_gift_at ON giving_gift USING brin (at);
CREATE INDEX giving_payment_at ON giving_payment USING brin (at);
CREATE INDEX giving_return_end_at ON giving_return_end USING brin (at);

-- When the clerk has looked, so that it looks again only where something is new.
CREATE TABLE giving_look (
    at      timestamptz PRIMARY KEY,
    windows integer NOT NULL CHECK (windows >= 0),
    gifts   integer NOT NULL CHECK (gifts >= 0),
    signals integer NOT NULL CHECK (signals >= 0)
);
"""

CASES = """
CREATE TABLE giving_case (
    id         uuid PRIMARY KEY,
    campaign   uuid NOT NULL REFERENCES giving_campaign (id),
    kind       text NOT NULL CHECK (kind IN ('one-person', 'refund-ring', 'return-gift', 'bot', 'card-testing')),
    objects_to uuid REFERENCES giving_case (id),            -- the case whose decision a giver does not accept
    fact       uuid NOT NULL,
    at         timestamptz NOT NULL,
    due_at     timestamptz NOT NULL CHECK (due_at > at)     -- undecided by then, it ends for the givers
);
CREATE TABLE giving_case_signal (
    case_id uuid NOT NULL REFERENCES giving_case (id),
    digest  bytea NOT NULL CHECK (octet_length(digest) = 32),
    score   smallint NOT NULL CHECK (score BETWEEN 1 AND 100),
    reasons jsonb NOT NULL,                                 -- [[English, Chinese], ...]
    at      timestamptz NOT NULL,
    PRIMARY KEY (case_id, digest)
);
CREATE INDEX giving_case_signal_digest ON giving_case_signal (digest);
CREATE TABLE giving_case_gift (
    case_id  uuid NOT NULL REFERENCES giving_case (id),
    campaign uuid NOT NULL REFERENCES giving_campaign (id),
    gift     uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (case_id, campaign, gift)
);
CREATE INDEX giving_case_gift_gift ON giving_case_gift (campaign, gift);
CREATE TABLE giving_case_word (
    case_id   uuid NOT NULL REFERENCES giving_case (id),
    steward   uuid NOT NULL,
    withholds boolean NOT NULL,
    note      text NOT NULL,
    fact      uuid NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (case_id, steward)
);
CREATE TABLE giving_case_end (
    case_id uuid PRIMARY KEY REFERENCES giving_case (id),
    outcome text NOT NULL CHECK (outcome IN ('withheld', 'cleared', 'lapsed')),
    fact    uuid NOT NULL,
    at      timestamptz NOT NULL
);
CREATE TABLE giving_objection (
    case_id  uuid NOT NULL,
    campaign uuid NOT NULL,
    gift     uuid NOT NULL,
    giver    uuid NOT NULL,
    sealed   bytea NOT NULL,                                -- what the giver says, under their own key
    opens    uuid REFERENCES giving_case (id),              -- the case that looks at it, if the other one had ended
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (case_id, campaign, gift),
    FOREIGN KEY (case_id, campaign, gift) REFERENCES giving_case_gift (case_id, campaign, gift)
);

-- The gifts that two stewards have taken out of matching, and no objection has brought back.
CREATE VIEW giving_withheld AS
SELECT n.campaign, n.gift, min(c.kind) AS kind
FROM giving_case_gift n
JOIN giving_case c ON c.id = n.case_id
JOIN giving_case_end e ON e.case_id = n.case_id AND e.outcome = 'withheld'
WHERE NOT EXISTS (
    SELECT FROM giving_objection o JOIN giving_case_end f ON f.case_id = o.opens AND f.outcome <> 'withheld'
    WHERE o.case_id = n.case_id AND o.campaign = n.campaign AND o.gift = n.gift)
GROUP BY n.campaign, n.gift;
"""

GUARDS = """
-- Two different stewards withhold or clear, nobody else; the clock alone ends a case for the givers.
CREATE FUNCTION giving_check_case_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('case %s is not %s by two stewards', n.case_id, n.outcome)) FROM added n
    WHERE n.outcome <> 'lapsed' AND 2 > (SELECT count(*) FROM giving_case_word w
        WHERE w.case_id = n.case_id AND w.withholds = (n.outcome = 'withheld'));
    PERFORM giving_refuse(format('case %s has time left', n.case_id))
    FROM added n JOIN giving_case c ON c.id = n.case_id WHERE n.outcome = 'lapsed' AND n.at < c.due_at;
    RETURN NULL;
END $$;
CREATE TRIGGER check_case_ends AFTER INSERT ON giving_case_end
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_case_ends();

-- What has ended gets no more gifts and no more words.
CREATE FUNCTION giving_check_case_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('case %s has ended', n.case_id))
    FROM added n JOIN giving_case_end e ON e.case_id = n.case_id;
    RETURN NULL;
END $$;
CREATE TRIGGER check_case_gifts AFTER INSERT ON giving_case_gift
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_case_open();
CREATE TRIGGER check_case_words AFTER INSERT ON giving_case_word
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_case_open();

-- No pool is computed while a case of its gifts is open that was opened within its review, or by an objection.
CREATE FUNCTION giving_check_pool_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('pool %s waits for a case', n.pool))
    FROM added n
    JOIN giving_pool p ON p.book = n.book AND p.id = n.pool
    JOIN giving_case_gift g ON g.campaign = ANY (p.campaigns)
    JOIN giving_case c ON c.id = g.case_id
    JOIN giving_gift o ON o.book = g.campaign AND o.id = g.gift AND o.at >= p.opens_at AND o.at < p.closes_at
    WHERE NOT EXISTS (SELECT FROM giving_case_end e WHERE e.case_id = c.id)
      AND (c.objects_to IS NOT NULL
           OR c.at < p.closes_at + make_interval(days => (p.rules ->> 'review_days')::integer));
    RETURN NULL;
END $$;
CREATE TRIGGER check_waits AFTER INSERT ON giving_pool_settlement
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_pool_waits();
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("case", "case_signal", "case_gift", "case_word", "case_end", "objection")
)


class Migration(migrations.Migration):
    """Creates the tables of cases."""

    dependencies = [("giving", "0035_matches_again")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (MARKS, CASES, GUARDS, APPEND_ONLY)]
