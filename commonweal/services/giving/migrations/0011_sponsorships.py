"""A sponsor's contract counts once the charity has accepted it."""

from django.db import migrations

ACCEPTED = """
ALTER TABLE giving_sponsorship ADD COLUMN accepted_at timestamptz, ADD COLUMN accepted_by uuid;
UPDATE giving_sponsorship SET accepted_at = opens_at;          -- until now the sponsor's word was enough
ALTER TABLE giving_sponsorship ADD CONSTRAINT giving_sponsorship_accepted
    CHECK (settled_at IS NULL OR accepted_at IS NOT NULL);
"""


class Migration(migrations.Migration):
    """Adds the charity's word."""

    dependencies = [("giving", "0010_deeds")]
    operations = [migrations.RunSQL(ACCEPTED, elidable=False)]
