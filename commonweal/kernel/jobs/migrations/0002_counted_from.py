"""From when the time of a job is counted: a clock that was ahead and has been set back must not hold jobs up."""

from django.db import migrations

COUNTED_FROM = """
ALTER TABLE jobs_job ADD COLUMN counted_from timestamptz;  -- null: a moment that was asked for
CREATE INDEX jobs_job_counted_from ON jobs_job (counted_from) WHERE counted_from IS NOT NULL;
"""


class Migration(migrations.Migration):
    """Adds the column."""

    dependencies = [("jobs", "0001_jobs")]
    operations = [migrations.RunSQL(COUNTED_FROM, elidable=False)]
