"""Payments that come for what is paid already: they are owed to their payer, and go back."""

from django.db import migrations

TWICE = """
-- Its id is the number under which the provider is asked to pay it back.
CREATE TABLE giving_twice (
    book      uuid NOT NULL,
    id        uuid NOT NULL,
    gift      uuid NOT NULL,                                -- of a gift or of a gift card
    provider  text NOT NULL,
    reference text NOT NULL,
    amount    bigint NOT NULL CHECK (amount > 0),
    transfer  uuid NOT NULL,
    fact      uuid NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    FOREIGN KEY (book, transfer) REFERENCES ledger_transfer (book, id)
);
CREATE INDEX giving_twice_at ON giving_twice (provider, at);

CREATE TABLE giving_twice_end (
    book     uuid NOT NULL,
    id       uuid NOT NULL,
    transfer uuid NOT NULL,
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    FOREIGN KEY (book, id) REFERENCES giving_twice (book, id),
    FOREIGN KEY (book, transfer) REFERENCES ledger_transfer (book, id)
);
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("twice", "twice_end")
)


class Migration(migrations.Migration):
    """Creates the tables of payments that came twice."""

    dependencies = [("giving", "0025_lost_fees")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (TWICE, APPEND_ONLY)]
