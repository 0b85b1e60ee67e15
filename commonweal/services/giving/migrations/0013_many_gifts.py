"""Gifts in batches: what a gift and a payment stand on is checked once a statement, over the set, and looked up by key.

A foreign key would lock and write each row that it leads to; transfers and gifts are never deleted, so that asking at
the insert is enough.
"""

from django.db import migrations

CHECKS = """
ALTER FUNCTION giving_check_disclosure() SET enable_seqscan = off;
ALTER FUNCTION giving_check_disclosure() SET enable_hashjoin = off;
ALTER FUNCTION giving_check_disclosure() SET enable_mergejoin = off;

ALTER TABLE giving_gift DROP CONSTRAINT giving_gift_book_id_fkey;
ALTER TABLE giving_payment DROP CONSTRAINT giving_payment_book_gift_fkey;

-- A gift is a transfer, and needs an open campaign whose plan is filed and whose charity is qualified, attested by two.
CREATE OR REPLACE FUNCTION giving_check_gifts() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT n.id INTO wrong FROM added n
    WHERE NOT EXISTS (SELECT FROM ledger_transfer t WHERE t.book = n.book AND t.id = n.id) LIMIT 1;
    IF FOUND THEN
        PERFORM giving_refuse(format('gift %s is not in the books', wrong));
    END IF;
    SELECT g.book INTO wrong
    FROM (SELECT book, min(at) AS first, max(at) AS last, max(amount) AS most FROM added GROUP BY book) g
    LEFT JOIN LATERAL (
        SELECT c.organisation_id, c.cap FROM giving_campaign c JOIN giving_filing f ON f.campaign_id = c.id
        WHERE c.id = g.book AND c.kind = 'campaign' AND c.opens_at <= g.first AND g.last < c.closes_at
          AND (c.stopped_at IS NULL OR g.last < c.stopped_at) AND f.filed_at <= g.first) c ON true
    WHERE c.cap IS NULL OR g.most > c.cap OR NOT EXISTS (
        SELECT FROM parties_credential q
        WHERE q.holder_id = c.organisation_id AND q.kind = 'public-fundraising'
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

CREATE OR REPLACE FUNCTION giving_check_payments() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    PERFORM giving_refuse(format('payment of gift %s is not its amount', n.gift))
    FROM added n LEFT JOIN giving_gift g ON g.book = n.book AND g.id = n.gift
    WHERE g.amount IS DISTINCT FROM n.amount;
    RETURN NULL;
END $$;
"""


THANKED = """
-- How far on a fund's line the givers have been thanked.
CREATE TABLE giving_thanked (
    book uuid PRIMARY KEY REFERENCES giving_campaign (id),
    nth  integer NOT NULL CHECK (nth >= 0)
);
INSERT INTO giving_thanked (book, nth)
SELECT book, max(nth) FROM giving_payment WHERE nth IS NOT NULL GROUP BY book;
"""


class Migration(migrations.Migration):
    """Replaces the checks of gifts and payments."""

    dependencies = [("giving", "0012_disclosure"), ("ledger", "0003_many_books")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (CHECKS, THANKED)]
