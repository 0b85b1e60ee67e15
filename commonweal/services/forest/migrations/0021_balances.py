"""Balances: where all grams are, at moments that are kept for good, each bound to the one before."""

from django.db import migrations

BALANCES = """
-- A second count beside the books: what came of each kind of movement, by book and day. Written where it happens.
CREATE TABLE forest_flow (
    day   date NOT NULL,
    shard smallint NOT NULL,
    kind  text NOT NULL CHECK (kind IN ('minted', 'gathered', 'sent', 'received', 'planted', 'expired')),
    grams bigint NOT NULL CHECK (grams > 0),
    PRIMARY KEY (day, shard, kind)
);

CREATE TABLE forest_balance (
    nth      integer PRIMARY KEY CHECK (nth > 0),
    at       timestamptz NOT NULL,
    document text NOT NULL,
    digest   bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    fact     uuid NOT NULL UNIQUE
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_balance
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    """Creates the table of balances."""

    dependencies = [("forest", "0020_people")]
    operations = [migrations.RunSQL(BALANCES, migrations.RunSQL.noop)]
