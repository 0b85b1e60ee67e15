"""The newest campaigns, found without sorting all of them."""

from django.db import migrations

NEWEST = "CREATE INDEX giving_campaign_newest ON giving_campaign (opens_at DESC, id) WHERE kind = 'campaign'"


class Migration(migrations.Migration):
    """Adds the index."""

    dependencies = [("giving", "0022_pool_settlements")]
    operations = [migrations.RunSQL(NEWEST, elidable=False)]
