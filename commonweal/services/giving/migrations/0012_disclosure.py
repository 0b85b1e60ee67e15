"""The clock of disclosure in the database: a campaign whose report is late takes no gift, whoever inserts it.

`giving_next_report` says what `rules.law.next_report` says; the tests hold them to each other.
"""

from django.db import migrations

CLOCK = """
CREATE FUNCTION giving_add_months(moment timestamptz, months integer) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (moment AT TIME ZONE 'UTC' + make_interval(months => months)) AT TIME ZONE 'UTC';

-- `reported_at`: when the last report was published; null for none. Null is returned when nothing is owed any more.
CREATE FUNCTION giving_next_report(opens_at timestamptz, closes_at timestamptz, reported_at timestamptz)
    RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN reported_at >= greatest(opens_at, closes_at) THEN NULL
        WHEN closes_at > giving_add_months(opens_at, 6) THEN
            least(giving_add_months(greatest(opens_at, reported_at), 3), giving_add_months(closes_at, 3))
        ELSE giving_add_months(closes_at, 3)
    END;

CREATE INDEX giving_update_report ON giving_update (campaign_id, at DESC) WHERE report;

CREATE FUNCTION giving_check_disclosure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('campaign %s owes the public a report', g.book))
    FROM (SELECT book, max(at) AS last FROM added GROUP BY book) g
    JOIN giving_campaign c ON c.id = g.book
    WHERE giving_next_report(c.opens_at, c.closes_at, (
        SELECT max(u.at) FROM giving_update u WHERE u.campaign_id = c.id AND u.report)) <= g.last;
    RETURN NULL;
END $$;
CREATE TRIGGER check_disclosure AFTER INSERT ON giving_gift
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_disclosure();
"""

YEARS = """
-- What a charity states of a year. A correction is a further row: the last one counts, the others stay to be read.
CREATE TABLE giving_year (
    organisation uuid NOT NULL REFERENCES giving_organisation (party_id),
    year         smallint NOT NULL CHECK (year BETWEEN 2000 AND 2200),
    nth          smallint NOT NULL CHECK (nth > 0),
    form         text NOT NULL CHECK (form IN ('foundation', 'association', 'service')),
    income       bigint NOT NULL CHECK (income >= 0),
    spending     bigint NOT NULL CHECK (spending >= 0),
    programme    bigint NOT NULL CHECK (programme >= 0),
    management   bigint NOT NULL CHECK (management >= 0),
    accounts     text NOT NULL,                             -- digest of the accounts, a file
    stated_by    uuid NOT NULL,
    fact         uuid NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (organisation, year, nth),
    CHECK (programme + management <= spending)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_year
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    """Adds the clock and the yearly figures."""

    dependencies = [("giving", "0011_sponsorships")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (CLOCK, YEARS)]
