"""Fees, split by party; tips; and settlements: what a provider has paid into the bank, line by line."""

from django.db import migrations, models
from django.db.models import F, Q

FEES = """
-- What a giver adds for the host, beside the gift.
CREATE TABLE giving_tip (
    book   uuid NOT NULL,
    gift   uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (book, gift),
    FOREIGN KEY (book, gift) REFERENCES giving_gift (book, id)
);

-- What a party has kept of a gift. Borne by the campaign, it takes places of its own gift; what of them was spent is
-- owed by the charity.
CREATE TABLE giving_fee (
    book       uuid NOT NULL,
    id         uuid NOT NULL,
    gift       uuid NOT NULL,
    party      text NOT NULL CHECK (party IN ('processor', 'host')),
    bearer     text NOT NULL CHECK (bearer IN ('campaign', 'host')),
    amount     bigint NOT NULL CHECK (amount > 0),
    receivable bigint NOT NULL CHECK (receivable BETWEEN 0 AND amount),
    spans      int8multirange NOT NULL,
    transfer   uuid NOT NULL,
    fact       uuid NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    UNIQUE (book, gift, party),
    FOREIGN KEY (book, gift) REFERENCES giving_payment (book, gift),
    FOREIGN KEY (book, transfer) REFERENCES ledger_transfer (book, id),
    CHECK (party = 'processor' OR bearer = 'campaign')
);

-- What each party returns of a refund; of the processor's part, `kept` is what it does not give back.
ALTER TABLE giving_return
    ADD COLUMN host      bigint NOT NULL DEFAULT 0 CHECK (host >= 0),
    ADD COLUMN tip       bigint NOT NULL DEFAULT 0 CHECK (tip >= 0),
    ADD COLUMN processor bigint NOT NULL DEFAULT 0 CHECK (processor >= 0),
    ADD COLUMN kept      bigint NOT NULL DEFAULT 0 CHECK (kept IN (0, processor)),
    ADD CONSTRAINT giving_return_parts CHECK (host + tip + processor <= amount);

-- What a provider has paid into the bank, and the lines of its statements that this was for: each once.
CREATE TABLE giving_settlement (
    provider  text NOT NULL,
    reference text NOT NULL,
    asset     text NOT NULL,
    amount    bigint NOT NULL CHECK (amount <> 0),
    day       date NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (provider, reference)
);
CREATE TABLE giving_settled (
    provider   text NOT NULL,
    kind       text NOT NULL,
    line       text NOT NULL,                               -- the line's reference at the provider
    settlement text NOT NULL,
    campaign   uuid NOT NULL,
    amount     bigint NOT NULL,                             -- less the fee
    PRIMARY KEY (provider, kind, line),
    FOREIGN KEY (provider, settlement) REFERENCES giving_settlement (provider, reference)
);
CREATE INDEX giving_settled_settlement ON giving_settled (provider, settlement);
"""

GUARDS = """
-- Whatever is drawn belongs to a payout, to a return that is done, or to a fee; the latter two draw their own gift alone.
CREATE OR REPLACE FUNCTION giving_check_origin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('%s draws without being paid or returned', n.request))
    FROM added n
    WHERE NOT EXISTS (SELECT FROM giving_payout p WHERE p.book = n.book AND p.request = n.request)
      AND NOT EXISTS (SELECT FROM giving_return r JOIN giving_return_end e ON e.book = r.book AND e.id = r.id
                      WHERE r.book = n.book AND r.id = n.request AND e.outcome = 'done' AND n.span <@ r.spans)
      AND NOT EXISTS (SELECT FROM giving_fee f WHERE f.book = n.book AND f.id = n.request AND n.span <@ f.spans);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION giving_check_returns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('return %s takes other places than those of its gift', n.id))
    FROM added n JOIN giving_payment p ON p.book = n.book AND p.gift = n.gift
    WHERE p.start IS NULL OR NOT n.spans <@ int8multirange(int8range(p.start, p.start + p.amount))
       OR n.amount - n.receivable - n.host - n.tip - CASE n.cause WHEN 'refund' THEN n.processor ELSE 0 END
          <> (SELECT coalesce(sum(upper(s) - lower(s)), 0) FROM unnest(n.spans) s);
    PERFORM giving_refuse(format('more of gift %s goes back than it was', n.gift))
    FROM (SELECT DISTINCT book, gift FROM added) n JOIN giving_payment p ON p.book = n.book AND p.gift = n.gift
    CROSS JOIN LATERAL (SELECT p.amount + coalesce((SELECT t.amount FROM giving_tip t
                        WHERE t.book = n.book AND t.gift = n.gift), 0) AS amount) paid
    WHERE paid.amount < (SELECT sum(r.amount) FROM giving_return r WHERE r.book = n.book AND r.gift = n.gift
                        AND r.cause <> 'chargeback' AND NOT EXISTS (SELECT FROM giving_return_end e
                            WHERE e.book = r.book AND e.id = r.id AND e.outcome = 'failed'))
       OR paid.amount < (SELECT sum(r.amount) FROM giving_return r
                      WHERE r.book = n.book AND r.gift = n.gift AND r.cause = 'chargeback');
    RETURN NULL;
END $$;

-- A fee borne by the campaign takes places of its own gift.
CREATE FUNCTION giving_check_fees() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('fee %s takes other places than those of its gift', n.id))
    FROM added n JOIN giving_payment p ON p.book = n.book AND p.gift = n.gift
    WHERE (n.spans <> '{}' AND (p.start IS NULL
           OR NOT n.spans <@ int8multirange(int8range(p.start, p.start + p.amount))))
       OR CASE n.bearer WHEN 'campaign' THEN n.amount - n.receivable ELSE 0 END
          <> (SELECT coalesce(sum(upper(s) - lower(s)), 0) FROM unnest(n.spans) s);
    RETURN NULL;
END $$;
CREATE TRIGGER check_fees AFTER INSERT ON giving_fee
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_fees();

-- A settlement is the sum of its lines.
CREATE FUNCTION giving_check_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('settlement %s is not the sum of its lines', s.reference))
    FROM giving_settlement s
    WHERE (s.provider, s.reference) IN (SELECT provider, settlement FROM added)
      AND s.amount <> (SELECT sum(l.amount) FROM giving_settled l
                       WHERE l.provider = s.provider AND l.settlement = s.reference);
    RETURN NULL;
END $$;
CREATE TRIGGER check_settled AFTER INSERT ON giving_settled
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_settled();
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("tip", "fee", "settlement", "settled")
)


class Migration(migrations.Migration):
    """Creates the tables of fees and settlements."""

    dependencies = [("giving", "0016_recurring")]
    operations = [
        migrations.AddField(
            "campaign",
            "fee_bearer",
            models.CharField(max_length=12, default="campaign", help_text="of the payment provider's fee"),
        ),
        migrations.AddField("campaign", "host_fee_numerator", models.IntegerField(default=0)),
        migrations.AddField("campaign", "host_fee_denominator", models.IntegerField(default=1)),
        migrations.AddConstraint(
            "campaign",
            models.CheckConstraint(
                name="giving_campaign_fee",
                condition=Q(
                    fee_bearer__in=["campaign", "host"],
                    host_fee_numerator__gte=0,
                    host_fee_denominator__gte=1,
                    host_fee_numerator__lte=F("host_fee_denominator"),
                ),
            ),
        ),
        migrations.AddConstraint(
            "campaign",
            models.CheckConstraint(
                name="giving_campaign_mirror_fee",
                condition=~Q(custody="mirror") | Q(fee_bearer="campaign", host_fee_numerator=0),
            ),
        ),
        *(migrations.RunSQL(sql, elidable=False) for sql in (FEES, GUARDS, APPEND_ONLY)),
    ]
