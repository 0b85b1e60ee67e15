"""A source's batches by time: what its console shows."""

from django.db import migrations

BATCHES = """
DROP INDEX forest_batch_source;
CREATE INDEX forest_batch_at ON forest_batch (source, at);
"""


class Migration(migrations.Migration):
    """Orders batches by time."""

    dependencies = [("forest", "0023_study")]
    operations = [migrations.RunSQL(BATCHES, migrations.RunSQL.noop)]
