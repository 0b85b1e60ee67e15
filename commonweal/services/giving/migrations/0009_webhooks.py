"""Addresses of programs that want to hear of a campaign, and what was sent to them."""

from django.db import migrations

WEBHOOKS = """
CREATE TABLE giving_webhook (
    id       uuid PRIMARY KEY,
    party    uuid NOT NULL REFERENCES parties_party (id),
    campaign uuid NOT NULL REFERENCES giving_campaign (id),
    address  text NOT NULL CHECK (address LIKE 'https://%'),
    secret   bytea NOT NULL,                       -- sealed under the party's key
    seen     integer NOT NULL,                     -- the last gift of the fund's line that was announced
    at       timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX giving_webhook_party ON giving_webhook (party);
CREATE INDEX giving_webhook_campaign ON giving_webhook (campaign) WHERE ended_at IS NULL;

CREATE TABLE giving_delivery (
    id           uuid PRIMARY KEY,
    webhook      uuid NOT NULL REFERENCES giving_webhook (id),
    event        text NOT NULL CHECK (event IN ('gifts', 'update', 'payout')),
    body         text NOT NULL,
    at           timestamptz NOT NULL,
    delivered_at timestamptz
);
CREATE INDEX giving_delivery_webhook ON giving_delivery (webhook, at DESC);
"""


class Migration(migrations.Migration):
    """Creates the tables of webhooks."""

    dependencies = [("giving", "0008_reconciliation")]
    operations = [migrations.RunSQL(WEBHOOKS, elidable=False)]
