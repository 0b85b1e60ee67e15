"""The leased table and the times of what recurs."""

from django.db import migrations

JOBS = """
CREATE TABLE jobs_job (
    id      uuid PRIMARY KEY,
    task    text NOT NULL,
    payload jsonb NOT NULL,
    due     timestamptz NOT NULL,          -- in the future: not yet, or leased until then
    attempt integer NOT NULL DEFAULT 0,    -- the fence: only the worker of this attempt may finish the job
    error   text NOT NULL DEFAULT '',      -- the kind of the last error
    dead_at timestamptz
);
CREATE INDEX jobs_job_due ON jobs_job (due) WHERE dead_at IS NULL;
CREATE INDEX jobs_job_dead ON jobs_job (dead_at) WHERE dead_at IS NOT NULL;

CREATE TABLE jobs_recurrence (
    task text PRIMARY KEY,
    next timestamptz NOT NULL
);
"""


class Migration(migrations.Migration):
    """Creates the jobs."""

    initial = True
    dependencies = []
    operations = [migrations.RunSQL(JOBS, elidable=False)]
