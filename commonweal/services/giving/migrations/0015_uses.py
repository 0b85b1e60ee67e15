"""How what was bought is used: pictures and words of the receiving side; what stands idle, and where it goes."""

from django.db import migrations

USES = """
ALTER TABLE giving_use
    DROP COLUMN evidence,
    ADD COLUMN standing text CHECK (standing IN ('in-use', 'partly', 'idle')),
    ADD COLUMN pictures text[] NOT NULL DEFAULT '{}' CHECK (cardinality(pictures) <= 10),
    ADD COLUMN answered_by uuid,
    ADD CHECK ((answered_at IS NULL) = (fact IS NULL));
CREATE INDEX giving_use_open ON giving_use (asked_at) WHERE answered_at IS NULL;
CREATE TRIGGER answered_once BEFORE UPDATE ON giving_use FOR EACH ROW
    WHEN (OLD.answered_at IS NOT NULL) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON giving_use
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A steward has found that what a payout bought stands unused.
CREATE TABLE giving_idle (
    book    uuid NOT NULL,
    request uuid NOT NULL,
    steward uuid NOT NULL,
    note_en text NOT NULL,
    note_zh text NOT NULL,
    fact    uuid NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (book, request),
    FOREIGN KEY (book, request) REFERENCES giving_payout (book, request)
);
-- It goes to another campaign that needs it. No money moves: what the gifts have paid for stays what it was.
CREATE TABLE giving_move (
    book    uuid NOT NULL,
    request uuid NOT NULL,
    target  uuid NOT NULL REFERENCES giving_campaign (id) CHECK (target <> book),
    steward uuid NOT NULL,
    note_en text NOT NULL,
    note_zh text NOT NULL,
    fact    uuid NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (book, request),
    FOREIGN KEY (book, request) REFERENCES giving_idle (book, request)
);
CREATE INDEX giving_move_target ON giving_move (target);
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("idle", "move")
)


class Migration(migrations.Migration):
    """Adds pictures and standing to what is answered, and the tables of idle things."""

    dependencies = [("giving", "0014_orders")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (USES, APPEND_ONLY)]
