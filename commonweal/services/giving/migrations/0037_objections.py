"""Objections are decided by stewards who have not judged before, and stewards are reminded before a case lapses."""

from django.db import migrations

OBJECTIONS = """
-- A giver objects to what some stewards have said: others decide about it.
CREATE FUNCTION giving_check_case_others() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('steward %s has judged what case %s objects to', n.steward, n.case_id))
    FROM added n
    JOIN giving_case c ON c.id = n.case_id
    JOIN giving_case_word w ON w.case_id = c.objects_to AND w.steward = n.steward;
    RETURN NULL;
END $$;
CREATE TRIGGER check_case_others AFTER INSERT ON giving_case_word
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_case_others();

-- The cases whose stewards have been reminded, each once.
CREATE TABLE giving_case_reminder (
    case_id uuid PRIMARY KEY REFERENCES giving_case (id),
    at      timestamptz NOT NULL
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_case_reminder
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    """Adds the guard and the reminders."""

    dependencies = [("giving", "0036_cases")]
    operations = [migrations.RunSQL(OBJECTIONS, elidable=False)]
