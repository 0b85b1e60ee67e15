"""A chargeback that its charity has contested and won: the money comes back."""

from django.db import migrations

WON = """
ALTER TABLE giving_callback DROP CONSTRAINT giving_callback_outcome_check;
ALTER TABLE giving_callback ADD CONSTRAINT giving_callback_outcome_check CHECK (outcome IN
    ('paid', 'known', 'unknown', 'differs', 'refunded', 'refund-failed', 'charged-back', 'chargeback-won', 'agreed',
     'revoked'));
ALTER TABLE giving_return_end DROP CONSTRAINT giving_return_end_outcome_check;
ALTER TABLE giving_return_end ADD CONSTRAINT giving_return_end_outcome_check
    CHECK (outcome IN ('done', 'failed', 'bounced', 'won'));
"""


class Migration(migrations.Migration):
    """Allows the outcome."""

    dependencies = [("giving", "0018_pledges")]
    operations = [migrations.RunSQL(WON, elidable=False)]
