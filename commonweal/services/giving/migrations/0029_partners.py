"""Campaigns that companies make their own, together with the charity that raises."""

from django.db import migrations

PARTNERS = """
CREATE TABLE giving_partner (
    campaign uuid NOT NULL REFERENCES giving_campaign (id),     -- small tables: not spread by book
    company  uuid NOT NULL REFERENCES parties_party (id),
    by       uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (campaign, company)
);
CREATE INDEX giving_partner_company ON giving_partner (company);

-- The charity's word on it.
CREATE TABLE giving_partner_word (
    campaign uuid NOT NULL,
    company  uuid NOT NULL,
    by       uuid NOT NULL,
    accepts  boolean NOT NULL,
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (campaign, company),
    FOREIGN KEY (campaign, company) REFERENCES giving_partner (campaign, company)
);

CREATE FUNCTION giving_check_partner_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('company %s does not answer for the charity of %s', n.company, n.campaign))
    FROM added n JOIN giving_partner p ON p.campaign = n.campaign AND p.company = n.company WHERE p.by = n.by;
    RETURN NULL;
END $$;
CREATE TRIGGER check_words AFTER INSERT ON giving_partner_word
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_partner_words();
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("partner", "partner_word")
)


class Migration(migrations.Migration):
    """Creates the tables."""

    dependencies = [("giving", "0028_threads")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (PARTNERS, APPEND_ONLY)]
