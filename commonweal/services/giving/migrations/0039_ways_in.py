"""Every way in: what is paid is money that its campaign may have at that moment, and a card is sold while it is open.

`giving_may_have` and `giving_takes` say what `rules.gifts.may_have` and `rules.campaigns.state` say; the tests hold them
to each other.
"""

from django.db import migrations

STANDING = """
-- Whether a campaign may have money at all: its plan is filed, its charity qualified, attested by two, and nobody has
-- stopped it.
CREATE FUNCTION giving_may_have(campaign uuid, moment timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM giving_campaign c JOIN giving_filing f ON f.campaign_id = c.id
        WHERE c.id = campaign AND c.kind = 'campaign' AND f.filed_at <= moment
          AND (c.stopped_at IS NULL OR moment < c.stopped_at)
          AND EXISTS (
              SELECT FROM parties_credential q
              WHERE q.holder_id = c.organisation_id AND q.kind = 'public-fundraising'
                AND q.valid_from <= (moment AT TIME ZONE 'UTC')::date + 1
                AND (q.valid_until IS NULL OR q.valid_until >= (moment AT TIME ZONE 'UTC')::date)
                AND (q.revoked_at IS NULL OR moment < q.revoked_at)
                AND (SELECT count(*) FROM parties_attestation a WHERE a.credential_id = q.id) >= 2))
$$;

-- Whether it takes a new gift: it may have money, is within its period, and owes the public no report.
CREATE FUNCTION giving_takes(campaign uuid, moment timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT giving_may_have(campaign, moment) AND EXISTS (
        SELECT FROM giving_campaign c
        WHERE c.id = campaign AND c.opens_at <= moment AND moment < c.closes_at
          AND coalesce(moment < giving_next_report(c.opens_at, c.closes_at, (
              SELECT max(u.at) FROM giving_update u WHERE u.campaign_id = c.id AND u.report)), true))
$$;
"""

GUARDS = """
-- A payment needs a campaign that may have it. One that comes after its promise was over, 30 minutes, needs one that
-- takes gifts still. What comes out of a pool, or back from a bank, is no new money of the public: it is let through.
CREATE FUNCTION giving_check_paid_into() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    PERFORM FROM (
        SELECT n.book, n.at, bool_or(n.at >= g.at + interval '30 minutes') AS late
        FROM added n JOIN giving_gift g ON g.book = n.book AND g.id = n.gift GROUP BY n.book, n.at) s
    WHERE NOT giving_may_have(s.book, s.at) OR (s.late AND NOT giving_takes(s.book, s.at));
    IF FOUND THEN
        PERFORM giving_refuse(format('campaign %s may not have the payment of gift %s', n.book, n.gift))
        FROM added n JOIN giving_gift g ON g.book = n.book AND g.id = n.gift
        WHERE NOT EXISTS (SELECT FROM ledger_transfer t
                          WHERE t.book = n.book AND t.id = n.transfer AND t.kind IN ('giving.match', 'giving.won'))
          AND (NOT giving_may_have(n.book, n.at)
               OR (n.at >= g.at + interval '30 minutes' AND NOT giving_takes(n.book, n.at)));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER check_paid_into AFTER INSERT ON giving_payment
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_paid_into();

CREATE OR REPLACE FUNCTION giving_check_cards() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('nobody holds the money of card %s', n.id))
    FROM added n JOIN giving_campaign c ON c.id = n.book WHERE c.custody <> 'custodian';
    PERFORM giving_refuse(format('campaign %s cannot take what is left of card %s', n.book, n.id))
    FROM added n WHERE NOT giving_takes(n.book, n.at);
    RETURN NULL;
END $$;
"""

BACK = """
ALTER TABLE giving_callback DROP CONSTRAINT giving_callback_outcome_check;
ALTER TABLE giving_callback ADD CONSTRAINT giving_callback_outcome_check CHECK (outcome IN
    ('paid', 'known', 'unknown', 'differs', 'twice', 'sent-back', 'refunded', 'refund-failed', 'charged-back',
     'chargeback-won', 'agreed', 'revoked')) NOT VALID;      -- 0040 looks at what is there, without keeping anybody out

-- What was paid for a gift and is owed: asked when the gift is shown.
CREATE INDEX giving_twice_gift ON giving_twice (book, gift);
"""


class Migration(migrations.Migration):
    """Adds the checks, and the outcome of what goes back."""

    dependencies = [("giving", "0038_board")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (STANDING, GUARDS, BACK)]
