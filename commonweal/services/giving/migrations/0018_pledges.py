"""Invoices for company gifts, numbered without gaps by charity and year; where to pay; and the bank lines that did."""

from django.db import migrations

INVOICES = """
-- Where a charity wants to be paid: the newest counts, and each change is a public fact.
CREATE TABLE giving_account (
    charity uuid NOT NULL REFERENCES parties_party (id),
    nth     integer NOT NULL CHECK (nth >= 1),
    holder  text NOT NULL,
    bank    text NOT NULL,
    number  text NOT NULL,
    by_party uuid NOT NULL,
    fact    uuid NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (charity, nth)
);

CREATE TABLE giving_pledge (
    charity uuid NOT NULL,
    year    smallint NOT NULL CHECK (year BETWEEN 2000 AND 2200),
    number  integer NOT NULL CHECK (number BETWEEN 1 AND 999999999),
    campaign uuid NOT NULL REFERENCES giving_campaign (id),
    company uuid NOT NULL REFERENCES parties_party (id),
    amount  bigint NOT NULL CHECK (amount > 0),
    due     date NOT NULL,
    account integer NOT NULL,
    key     text NOT NULL,
    by_party uuid NOT NULL,
    fact    uuid NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (charity, year, number),
    UNIQUE (company, key),
    FOREIGN KEY (charity, account) REFERENCES giving_account (charity, nth)
);
CREATE INDEX giving_pledge_company ON giving_pledge (company, at);

-- Paid by a line of the charity's bank statement, or cancelled: once, and never both. The number stays taken.
CREATE TABLE giving_pledge_end (
    charity uuid NOT NULL,
    year    smallint NOT NULL,
    number  integer NOT NULL,
    gift    uuid,                                           -- null: cancelled
    by_party uuid NOT NULL,
    fact    uuid NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (charity, year, number),
    FOREIGN KEY (charity, year, number) REFERENCES giving_pledge (charity, year, number)
);

-- Lines of a charity's bank statements that name an invoice, each once. No others are kept, and no payer's name.
CREATE TABLE giving_bank_line (
    charity uuid NOT NULL,
    id      text NOT NULL,                                  -- the bank's own
    day     date NOT NULL,
    amount  bigint NOT NULL CHECK (amount > 0),
    year    smallint NOT NULL,
    number  integer NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('paid', 'differs', 'unknown', 'refused')),
    at      timestamptz NOT NULL,
    PRIMARY KEY (charity, id)
);
"""

GUARDS = """
-- The numbers of a year follow one another; those of an invoice's charity are the numbers of its campaign's charity.
CREATE FUNCTION giving_check_pledges() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('invoice %s of %s leaves a gap', n.number, n.year))
    FROM added n WHERE n.number > 1 AND NOT EXISTS (
        SELECT FROM giving_pledge b WHERE b.charity = n.charity AND b.year = n.year AND b.number = n.number - 1);
    PERFORM giving_refuse(format('invoice %s is not of the charity of its campaign', n.number))
    FROM added n JOIN giving_campaign c ON c.id = n.campaign WHERE c.organisation_id <> n.charity;
    RETURN NULL;
END $$;
CREATE TRIGGER check_pledges AFTER INSERT ON giving_pledge
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_pledges();

-- What pays an invoice is a payment of its company, in its campaign, of its amount.
CREATE FUNCTION giving_check_pledge_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('invoice %s is not paid by this gift', n.number))
    FROM added n JOIN giving_pledge i ON i.charity = n.charity AND i.year = n.year AND i.number = n.number
    WHERE n.gift IS NOT NULL AND NOT EXISTS (
        SELECT FROM giving_gift g JOIN giving_payment p ON p.book = g.book AND p.gift = g.id
        WHERE g.book = i.campaign AND g.id = n.gift AND g.giver = i.company AND g.amount = i.amount);
    RETURN NULL;
END $$;
CREATE TRIGGER check_pledge_ends AFTER INSERT ON giving_pledge_end
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_pledge_ends();
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("account", "pledge", "pledge_end", "bank_line")
)


class Migration(migrations.Migration):
    """Creates the tables of invoices."""

    dependencies = [("giving", "0017_fees")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (INVOICES, GUARDS, APPEND_ONLY)]
