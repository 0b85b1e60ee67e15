"""Pools with any scheme: their rules as the published file has them, what gifts hold, and how a pool is settled.

What a gift holds is a pending transfer of the pool's own account. Nothing is paid before the pool's review is over and
two stewards have said yes to the very file from which anybody computes the matches again.
"""

from django.db import migrations

POOLS = """
ALTER TABLE giving_pool
    ADD COLUMN rules     jsonb,                             -- docs/reference/pool-file.md, without gifts
    ADD COLUMN campaigns uuid[],                            -- whose gifts it matches; its own book is the first
    ADD COLUMN secret    bytea;                             -- names donors in the file, and draws the lots
ALTER TABLE giving_pool DISABLE TRIGGER append_only;
UPDATE giving_pool p SET
    campaigns = ARRAY[p.book],
    secret = sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')),
    rules = jsonb_build_object(
        'format', 'commonweal-pool/1', 'pool', p.id, 'asset', c.asset, 'exponent', s.exponent, 'zone', '+08:00',
        'review_days', 7,
        'scheme', jsonb_build_object('name', 'proportional', 'rate',
            rtrim(rtrim(round(p.numerator::numeric / p.denominator, 6)::text, '0'), '.')),
        'slices', jsonb_build_array(jsonb_build_object(
            'opens', to_char(p.opens_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            'closes', to_char(p.closes_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            'amount', round((SELECT sum(g.amount) FROM ledger_posting g JOIN ledger_transfer t
                             ON t.book = g.book AND t.id = g.transfer
                             WHERE t.book = p.book AND t.key = 'pool ' || p.id AND g.amount > 0)
                            / power(10::numeric, s.exponent), s.exponent)::text)),
        'caps', jsonb_strip_nulls(jsonb_build_object(
            'gift', round(p.gift_cap / power(10::numeric, s.exponent), s.exponent)::text,
            'donor_day', round(p.day_cap / power(10::numeric, s.exponent), s.exponent)::text)))
FROM giving_campaign c JOIN ledger_asset s ON s.code = c.asset WHERE c.id = p.book;
ALTER TABLE giving_pool ENABLE TRIGGER append_only;
ALTER TABLE giving_pool
    ALTER COLUMN rules SET NOT NULL, ALTER COLUMN campaigns SET NOT NULL, ALTER COLUMN secret SET NOT NULL,
    ADD CHECK (campaigns[1] = book), ADD CHECK (octet_length(secret) = 32),
    DROP COLUMN numerator, DROP COLUMN denominator, DROP COLUMN gift_cap, DROP COLUMN day_cap;
CREATE INDEX giving_pool_campaigns ON giving_pool USING gin (campaigns);

-- What a gift holds of a first-come pool until the pool is settled: a pending transfer.
CREATE TABLE giving_reservation (
    book     uuid NOT NULL,
    transfer uuid NOT NULL,
    gift     uuid NOT NULL,
    pool     uuid NOT NULL,
    giver    uuid NOT NULL,
    day      date NOT NULL,
    amount   bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (book, transfer),
    FOREIGN KEY (book, pool) REFERENCES giving_pool (book, id)
);
CREATE INDEX giving_reservation_gift ON giving_reservation (book, gift);
CREATE INDEX giving_reservation_day ON giving_reservation (book, pool, giver, day);

-- The file that says what a pool comes to. Until one is agreed to there may be several, the newest counts.
CREATE TABLE giving_pool_settlement (
    book    uuid NOT NULL,
    pool    uuid NOT NULL,
    digest  bytea NOT NULL CHECK (octet_length(digest) = 32),
    file    bytea NOT NULL CHECK (sha256(file) = digest),
    matched bigint NOT NULL CHECK (matched >= 0),
    gifts   integer NOT NULL CHECK (gifts >= 0),
    fact    uuid NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (book, pool, digest),
    FOREIGN KEY (book, pool) REFERENCES giving_pool (book, id)
);
CREATE TABLE giving_pool_word (
    book     uuid NOT NULL,
    pool     uuid NOT NULL,
    digest   bytea NOT NULL,
    steward  uuid NOT NULL,
    approves boolean NOT NULL,
    note     text NOT NULL,
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (book, pool, digest, steward),
    FOREIGN KEY (book, pool, digest) REFERENCES giving_pool_settlement (book, pool, digest)
);
CREATE TABLE giving_pool_settled (
    book   uuid NOT NULL,
    pool   uuid NOT NULL,
    digest bytea NOT NULL,
    at     timestamptz NOT NULL,
    PRIMARY KEY (book, pool),
    FOREIGN KEY (book, pool, digest) REFERENCES giving_pool_settlement (book, pool, digest)
);

-- A match is made when its pool is settled. `counted` of the gift was matched; the pool may live in another book.
ALTER TABLE giving_match DROP CONSTRAINT giving_match_book_pool_fkey;
ALTER TABLE giving_match ADD COLUMN pool_book uuid, ADD COLUMN counted bigint CHECK (counted > 0);
ALTER TABLE giving_match DISABLE TRIGGER append_only;
UPDATE giving_match m SET pool_book = m.book, counted = g.amount
FROM giving_gift g WHERE g.book = m.book AND g.id = m.gift;
ALTER TABLE giving_match ENABLE TRIGGER append_only;
ALTER TABLE giving_match ALTER COLUMN pool_book SET NOT NULL, ALTER COLUMN counted SET NOT NULL,
    DROP COLUMN giver, DROP COLUMN day;
CREATE INDEX giving_match_pool ON giving_match (pool_book, pool);

-- People who give together. A gift is of one team at most.
CREATE TABLE giving_team (
    book    uuid NOT NULL REFERENCES giving_campaign (id),
    id      uuid NOT NULL,
    name    text NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
    founder uuid NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (book, id)
);
CREATE UNIQUE INDEX giving_team_name ON giving_team (book, lower(name));
CREATE TABLE giving_team_gift (
    book uuid NOT NULL,
    gift uuid NOT NULL,
    team uuid NOT NULL,
    PRIMARY KEY (book, gift),
    FOREIGN KEY (book, gift) REFERENCES giving_gift (book, id),
    FOREIGN KEY (book, team) REFERENCES giving_team (book, id)
);
CREATE INDEX giving_team_gift_team ON giving_team_gift (book, team);
"""

GUARDS = """
-- What is held of a pool never exceeds the money of the slices that have begun: a burst cannot drain the later ones.
CREATE FUNCTION giving_check_reservations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('pool %s holds more than its slices have set free', n.pool))
    FROM (SELECT r.book, r.pool, max(t.at) AS at FROM added r
          JOIN ledger_transfer t ON t.book = r.book AND t.id = r.transfer GROUP BY r.book, r.pool) n
    JOIN giving_pool p ON p.book = n.book AND p.id = n.pool
    JOIN ledger_account a ON a.book = n.book AND a.name = 'pool:' || n.pool
    WHERE (SELECT coalesce(sum(b.pending_debit), 0) FROM ledger_balance b WHERE b.book = a.book AND b.account = a.id)
        > (SELECT coalesce(sum((s ->> 'amount')::numeric), 0) * power(10::numeric, (p.rules ->> 'exponent')::integer)
           FROM jsonb_array_elements(p.rules -> 'slices') s WHERE (s ->> 'opens')::timestamptz <= n.at);
    RETURN NULL;
END $$;
CREATE TRIGGER check_reservations AFTER INSERT ON giving_reservation
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_reservations();

-- A pool is settled by two different stewards' yes to the same file, and not before its review is over.
CREATE FUNCTION giving_check_pool_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('pool %s is not agreed to by two people', n.pool)) FROM added n
    WHERE (SELECT count(*) FILTER (WHERE w.approves) < 2 OR bool_or(NOT w.approves) FROM giving_pool_word w
           WHERE w.book = n.book AND w.pool = n.pool AND w.digest = n.digest);
    PERFORM giving_refuse(format('pool %s is still in review', n.pool))
    FROM added n JOIN giving_pool p ON p.book = n.book AND p.id = n.pool
    WHERE n.at < p.closes_at + make_interval(days => (p.rules ->> 'review_days')::integer);
    RETURN NULL;
END $$;
CREATE TRIGGER check_settled AFTER INSERT ON giving_pool_settled
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_pool_settled();

CREATE FUNCTION giving_check_matches() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('gift %s is matched by a pool that is not settled', n.gift)) FROM added n
    WHERE NOT EXISTS (SELECT FROM giving_pool_settled s WHERE s.book = n.pool_book AND s.pool = n.pool);
    RETURN NULL;
END $$;
CREATE TRIGGER check_matches AFTER INSERT ON giving_match
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_matches();
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("reservation", "pool_settlement", "pool_word", "pool_settled", "team", "team_gift")
)


class Migration(migrations.Migration):
    """Creates the tables of settlements and teams."""

    dependencies = [("giving", "0021_control_room")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (POOLS, GUARDS, APPEND_ONLY)]
