"""The host's own income: asked for by a steward, agreed to by two others, paid out once."""

from django.db import migrations

INCOME = """
CREATE TABLE giving_income (
    book     uuid NOT NULL REFERENCES giving_campaign (id),
    id       uuid NOT NULL,
    amount   bigint NOT NULL CHECK (amount > 0),
    what_en  text NOT NULL,
    what_zh  text NOT NULL,
    asked_by uuid NOT NULL,
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (book, id)
);
CREATE TABLE giving_income_word (
    book     uuid NOT NULL,
    id       uuid NOT NULL,
    steward  uuid NOT NULL,
    approves boolean NOT NULL,
    note     text NOT NULL,
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (book, id, steward),
    FOREIGN KEY (book, id) REFERENCES giving_income (book, id)
);
CREATE TABLE giving_income_paid (
    book     uuid NOT NULL,
    id       uuid NOT NULL,
    transfer uuid NOT NULL,
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    FOREIGN KEY (book, id) REFERENCES giving_income (book, id),
    FOREIGN KEY (book, transfer) REFERENCES ledger_transfer (book, id)
);
"""

GUARDS = """
CREATE FUNCTION giving_check_income_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('%s judges what they asked for themselves', n.steward))
    FROM added n JOIN giving_income i ON i.book = n.book AND i.id = n.id WHERE i.asked_by = n.steward;
    RETURN NULL;
END $$;
CREATE TRIGGER check_income_words AFTER INSERT ON giving_income_word
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_income_words();

CREATE FUNCTION giving_check_income_paid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('income %s is not agreed to by two people', n.id)) FROM added n
    WHERE (SELECT count(*) FILTER (WHERE w.approves) < 2 OR bool_or(NOT w.approves) FROM giving_income_word w
           WHERE w.book = n.book AND w.id = n.id);
    RETURN NULL;
END $$;
CREATE TRIGGER check_income_paid AFTER INSERT ON giving_income_paid
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_income_paid();
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("income", "income_word", "income_paid")
)


class Migration(migrations.Migration):
    """Creates the tables."""

    dependencies = [("giving", "0033_card_returns")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (INCOME, GUARDS, APPEND_ONLY)]
