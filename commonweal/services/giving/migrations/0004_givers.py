"""What givers ask of their account: whom they follow, and how their receipts name them (sealed under their key)."""

from django.db import migrations

GIVERS = """
CREATE TABLE giving_follow (
    campaign    uuid NOT NULL REFERENCES giving_campaign (id),
    party       uuid NOT NULL REFERENCES parties_party (id),
    reminds     boolean NOT NULL,                  -- whether a word a month is wanted
    reminded_at timestamptz NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (campaign, party)
);
CREATE INDEX giving_follow_party ON giving_follow (party);
CREATE INDEX giving_follow_due ON giving_follow (reminded_at) WHERE reminds;

CREATE TABLE giving_taxpayer (
    party  uuid PRIMARY KEY REFERENCES parties_party (id),
    sealed bytea NOT NULL
);
"""


class Migration(migrations.Migration):
    """Creates the tables of givers' accounts."""

    dependencies = [("giving", "0003_appeals")]
    operations = [migrations.RunSQL(GIVERS, elidable=False)]
