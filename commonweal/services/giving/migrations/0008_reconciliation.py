"""What the daily reconciliation with a provider's statement has found, and the way from a provider's word to its gift."""

from django.db import migrations

DIFFERENCES = """
CREATE INDEX giving_payment_reference ON giving_payment (reference) WHERE reference <> '';

CREATE TABLE giving_difference (
    provider  text NOT NULL,
    day       date NOT NULL,
    kind      text NOT NULL,
    gift      uuid,
    reference text NOT NULL,
    asset     text NOT NULL,
    fault     text NOT NULL CHECK (fault IN ('missing-here', 'missing-there', 'amount')),
    here      bigint NOT NULL,
    there     bigint NOT NULL CHECK (here <> there OR fault <> 'amount'),
    at        timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (provider, day, kind, gift, reference, asset, fault, here, there)
);
CREATE INDEX giving_difference_at ON giving_difference (at);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_difference
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    """Creates the table of differences."""

    dependencies = [("giving", "0007_matching")]
    operations = [migrations.RunSQL(DIFFERENCES, elidable=False)]
