"""Teams that a steward has hidden: their name is shown no more, their gifts stay."""

from django.db import migrations

HIDDEN = """
CREATE TABLE giving_team_hidden (
    book    uuid NOT NULL,
    team    uuid NOT NULL,
    steward uuid NOT NULL,
    note    text NOT NULL CHECK (note <> ''),
    at      timestamptz NOT NULL,
    PRIMARY KEY (book, team),
    FOREIGN KEY (book, team) REFERENCES giving_team (book, id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_team_hidden
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    """Creates the table."""

    dependencies = [("giving", "0023_newest")]
    operations = [migrations.RunSQL(HIDDEN, elidable=False)]
