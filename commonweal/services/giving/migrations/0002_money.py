"""What is moved: gifts and their payments, payouts and what they drew, provider callbacks, imported grants.

The book (the campaign's id) is first in every key. Rows are only ever added; what must hold is held here, also against
hand-written SQL: who may take a gift, who may approve a payout, and that a fund's line is laid and drawn exactly once.
"""

from django.db import migrations

EXTENSION = "CREATE EXTENSION IF NOT EXISTS btree_gist"

SEARCH = """
ALTER TABLE giving_campaign ADD COLUMN search tsvector NOT NULL DEFAULT '';
CREATE INDEX giving_campaign_search ON giving_campaign USING gin (search);
"""

GIFTS = """
-- A promise. Its id is that of its transfer in the books.
CREATE TABLE giving_gift (
    book    uuid NOT NULL,
    id      uuid NOT NULL,
    giver   uuid,                                           -- pseudonym; null for a collecting box
    amount  bigint NOT NULL CHECK (amount > 0),
    channel text NOT NULL,                                  -- a payment provider, or 'collected'
    at      timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    FOREIGN KEY (book, id) REFERENCES ledger_transfer (book, id)
);
CREATE INDEX giving_gift_giver ON giving_gift (giver, id) WHERE giver IS NOT NULL;

-- The promise kept: the money is there. `start` is its place on the line of the fund, `nth` its number in the book;
-- both are given later, once, by whoever lays the line.
CREATE TABLE giving_payment (
    book      uuid NOT NULL,
    gift      uuid NOT NULL,
    amount    bigint NOT NULL CHECK (amount > 0),
    transfer  uuid NOT NULL,
    fact      uuid NOT NULL,
    reference text NOT NULL,                                -- what the provider calls it
    at        timestamptz NOT NULL,
    nth       integer CHECK (nth > 0),
    start     bigint CHECK (start >= 0),
    PRIMARY KEY (book, gift),
    FOREIGN KEY (book, gift) REFERENCES giving_gift (book, id),
    CHECK ((nth IS NULL) = (start IS NULL)),
    CHECK ((nth = 1) = (start = 0)),
    UNIQUE (book, start),
    UNIQUE (book, nth)
);
CREATE INDEX giving_payment_unlaid ON giving_payment (book) WHERE start IS NULL;

-- What providers have called back, each once; also what matches no gift. Such have the book of nobody (all zeros).
CREATE TABLE giving_callback (
    book      uuid NOT NULL,
    provider  text NOT NULL,
    nonce     text NOT NULL,
    gift      uuid NOT NULL,
    amount    bigint NOT NULL,
    asset     text NOT NULL,
    reference text NOT NULL,
    outcome   text NOT NULL CHECK (outcome IN ('paid', 'known', 'unknown', 'differs')),
    at        timestamptz NOT NULL,
    PRIMARY KEY (book, provider, nonce)
);
CREATE INDEX giving_callback_gift ON giving_callback (book, gift);
CREATE INDEX giving_callback_open ON giving_callback (at) WHERE outcome IN ('unknown', 'differs');

-- A charity asks for money to be paid out.
CREATE TABLE giving_request (
    book     uuid NOT NULL REFERENCES giving_campaign (id),
    id       uuid NOT NULL,
    amount   bigint NOT NULL CHECK (amount > 0),
    what_en  text NOT NULL,
    what_zh  text NOT NULL,
    evidence text[] NOT NULL CHECK (cardinality(evidence) BETWEEN 1 AND 10),  -- digests of files
    asked_by uuid NOT NULL,
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (book, id)
);

-- A steward's word on it, once.
CREATE TABLE giving_word (
    book     uuid NOT NULL,
    request  uuid NOT NULL,
    steward  uuid NOT NULL,
    approves boolean NOT NULL,
    note     text NOT NULL,
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (book, request, steward),
    FOREIGN KEY (book, request) REFERENCES giving_request (book, id)
);

-- The money has left. What it drew from the fund's line is in giving_draw.
CREATE TABLE giving_payout (
    book     uuid NOT NULL,
    request  uuid NOT NULL,
    transfer uuid NOT NULL,
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (book, request),
    FOREIGN KEY (book, request) REFERENCES giving_request (book, id),
    FOREIGN KEY (book, transfer) REFERENCES ledger_transfer (book, id)
);

CREATE TABLE giving_draw (
    book    uuid NOT NULL,
    request uuid NOT NULL,
    span    int8range NOT NULL CHECK (NOT isempty(span) AND lower(span) >= 0 AND NOT upper_inf(span)),
    PRIMARY KEY (book, request, span),
    FOREIGN KEY (book, request) REFERENCES giving_payout (book, request),
    EXCLUDE USING gist (book WITH =, span WITH &&)          -- no unit is spent twice
);

-- A grant that a funder has published. No money moves for an amount of zero.
CREATE TABLE giving_grant (
    book        uuid NOT NULL REFERENCES giving_campaign (id),
    id          uuid NOT NULL,
    identifier  text NOT NULL,
    recipient   uuid NOT NULL REFERENCES parties_party (id),
    title       text NOT NULL,
    description text NOT NULL,
    amount      bigint NOT NULL CHECK (amount >= 0),
    awarded     date NOT NULL,
    record      jsonb NOT NULL,
    digest      bytea NOT NULL CHECK (octet_length(digest) = 32),
    fact        uuid NOT NULL,
    search      tsvector NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    UNIQUE (book, identifier)
);
CREATE INDEX giving_grant_identifier ON giving_grant (identifier);
CREATE INDEX giving_grant_recipient ON giving_grant (recipient, awarded);
CREATE INDEX giving_grant_awarded ON giving_grant (awarded DESC, id);
CREATE INDEX giving_grant_search ON giving_grant USING gin (search);
"""

GUARDS = """
CREATE FUNCTION giving_refuse(reason text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'giving: %', reason USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- A gift needs an open campaign whose plan is filed and whose charity is qualified, attested by two people.
CREATE FUNCTION giving_check_gifts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT g.book INTO wrong
    FROM (SELECT book, min(at) AS first, max(at) AS last, max(amount) AS most FROM added GROUP BY book) g
    WHERE NOT EXISTS (
        SELECT FROM giving_campaign c
        JOIN giving_filing f ON f.campaign_id = c.id
        JOIN parties_credential q ON q.holder_id = c.organisation_id AND q.kind = 'public-fundraising'
        WHERE c.id = g.book AND c.kind = 'campaign' AND g.most <= c.cap
          AND c.opens_at <= g.first AND g.last < c.closes_at AND (c.stopped_at IS NULL OR g.last < c.stopped_at)
          AND f.filed_at <= g.first
          AND q.valid_from <= (g.first AT TIME ZONE 'UTC')::date + 1
          AND (q.valid_until IS NULL OR q.valid_until >= (g.last AT TIME ZONE 'UTC')::date)
          AND (q.revoked_at IS NULL OR g.last < q.revoked_at)
          AND (SELECT count(*) FROM parties_attestation a WHERE a.credential_id = q.id) >= 2)
    LIMIT 1;
    IF FOUND THEN
        PERFORM giving_refuse(format('campaign %s cannot take this gift', wrong));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER check_gifts AFTER INSERT ON giving_gift
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_gifts();

CREATE FUNCTION giving_check_payments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('payment of gift %s is not its amount', n.gift))
    FROM added n JOIN giving_gift g ON g.book = n.book AND g.id = n.gift WHERE g.amount <> n.amount;
    RETURN NULL;
END $$;
CREATE TRIGGER check_payments AFTER INSERT ON giving_payment
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_payments();

-- The one change that a payment ever sees: it is laid on the line, right behind the one before.
CREATE FUNCTION giving_check_laying() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('the line of book %s has a gap at %s', n.book, n.start))
    FROM laid n
    WHERE n.start <> 0 AND NOT EXISTS (
        SELECT FROM giving_payment b WHERE b.book = n.book AND b.nth = n.nth - 1 AND b.start + b.amount = n.start);
    RETURN NULL;
END $$;
CREATE TRIGGER check_laying AFTER UPDATE ON giving_payment
    REFERENCING NEW TABLE AS laid FOR EACH STATEMENT EXECUTE FUNCTION giving_check_laying();
CREATE TRIGGER laid_once BEFORE UPDATE ON giving_payment FOR EACH ROW
    WHEN (OLD.start IS NOT NULL OR NEW.start IS NULL
          OR (OLD.book, OLD.gift, OLD.amount, OLD.transfer, OLD.fact, OLD.reference, OLD.at)
             IS DISTINCT FROM (NEW.book, NEW.gift, NEW.amount, NEW.transfer, NEW.fact, NEW.reference, NEW.at))
    EXECUTE FUNCTION refuse_change();

CREATE FUNCTION giving_check_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('request %s is not judged by whom it is from', n.request))
    FROM added n JOIN giving_request r ON r.book = n.book AND r.id = n.request WHERE r.asked_by = n.steward;
    RETURN NULL;
END $$;
CREATE TRIGGER check_words AFTER INSERT ON giving_word
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_words();

CREATE FUNCTION giving_check_payouts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('payout %s is not approved by two people', n.request))
    FROM added n
    WHERE (SELECT count(*) FILTER (WHERE w.approves) < 2 OR bool_or(NOT w.approves)
           FROM giving_word w WHERE w.book = n.book AND w.request = n.request);
    RETURN NULL;
END $$;
CREATE TRIGGER check_payouts AFTER INSERT ON giving_payout
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_payouts();

-- What a payout draws is exactly its amount, from places that are laid.
CREATE FUNCTION giving_check_draws() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('payout %s draws another amount than its own', r.id))
    FROM giving_request r
    WHERE (r.book, r.id) IN (SELECT book, request FROM added)
      AND r.amount <> (SELECT sum(upper(d.span) - lower(d.span)) FROM giving_draw d
                       WHERE d.book = r.book AND d.request = r.id);
    PERFORM giving_refuse(format('book %s is not laid as far as %s', n.book, upper(n.span)))
    FROM added n
    WHERE upper(n.span) > (SELECT p.start + p.amount FROM giving_payment p
                           WHERE p.book = n.book AND p.start IS NOT NULL ORDER BY p.start DESC LIMIT 1);
    RETURN NULL;
END $$;
CREATE TRIGGER check_draws AFTER INSERT ON giving_draw
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_draws();

CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON giving_payment
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("gift", "callback", "request", "word", "payout", "draw", "grant", "filing", "update")
)


class Migration(migrations.Migration):
    """Creates the tables of money."""

    dependencies = [
        ("giving", "0001_initial"),
        ("ledger", "0001_books"),
        ("parties", "0001_initial"),
        ("proof", "0001_log"),
    ]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (EXTENSION, SEARCH, GIFTS, GUARDS, APPEND_ONLY)]
