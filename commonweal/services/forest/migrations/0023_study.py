"""The study: who has agreed to take part, in which group, by a seed that was fixed before."""

from django.db import migrations

STUDY = """
CREATE TABLE forest_study (
    key       text PRIMARY KEY,
    begins    timestamptz NOT NULL,
    ends      timestamptz NOT NULL CHECK (ends > begins),
    weeks     smallint NOT NULL CHECK (weeks BETWEEN 1 AND 12),
    waiting   smallint NOT NULL CHECK (waiting BETWEEN 1 AND 500),   -- per mille
    least     integer NOT NULL CHECK (least >= 2),
    synthetic boolean NOT NULL,                                      -- a demonstration's made-up people
    seed      bytea NOT NULL CHECK (octet_length(seed) = 32),
    fact      uuid NOT NULL UNIQUE
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_study
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE forest_participant (
    study   text NOT NULL REFERENCES forest_study,
    person  uuid NOT NULL,
    joined  timestamptz NOT NULL,
    waiting boolean NOT NULL,
    PRIMARY KEY (study, person)
);
CREATE INDEX forest_participant_person ON forest_participant (person);

-- What came of it, once: after the end, as a fact.
CREATE TABLE forest_study_result (
    study    text PRIMARY KEY REFERENCES forest_study,
    document text NOT NULL,
    fact     uuid NOT NULL UNIQUE,
    at       timestamptz NOT NULL
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_study_result
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    """Creates the tables of the study."""

    dependencies = [("forest", "0022_promises")]
    operations = [migrations.RunSQL(STUDY, migrations.RunSQL.noop)]
