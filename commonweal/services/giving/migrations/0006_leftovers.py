"""Where the left-over property of an ended campaign goes: a request whose money is passed on to another campaign."""

from django.db import migrations

LEFTOVERS = """
CREATE TABLE giving_leftover (
    book    uuid NOT NULL,
    request uuid NOT NULL,
    target  uuid NOT NULL REFERENCES giving_campaign (id) CHECK (target <> book),
    PRIMARY KEY (book, request),
    FOREIGN KEY (book, request) REFERENCES giving_request (book, id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_leftover
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    """Creates the table of left-over property."""

    dependencies = [("giving", "0005_returns")]
    operations = [migrations.RunSQL(LEFTOVERS, elidable=False)]
