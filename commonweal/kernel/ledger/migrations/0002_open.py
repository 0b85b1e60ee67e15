"""What is promised and not resolved yet, in a table of its own: to find what has expired nobody reads what is over."""

from django.db import migrations

OPEN = """
CREATE TABLE ledger_open (
    book    uuid NOT NULL,
    id      uuid NOT NULL,
    expires timestamptz,
    PRIMARY KEY (book, id)
);
INSERT INTO ledger_open (book, id, expires)
SELECT t.book, t.id, t.expires FROM ledger_transfer t
WHERE t.phase = 'pending'
  AND NOT EXISTS (SELECT FROM ledger_transfer r WHERE r.book = t.book AND r.resolves = t.id);
CREATE INDEX ledger_open_expires ON ledger_open (expires);
DROP INDEX ledger_transfer_pending;

CREATE FUNCTION ledger_keep_open() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    INSERT INTO ledger_open (book, id, expires) SELECT book, id, expires FROM added WHERE phase = 'pending';
    DELETE FROM ledger_open o USING added n WHERE n.resolves IS NOT NULL AND o.book = n.book AND o.id = n.resolves;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_open AFTER INSERT ON ledger_transfer
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_keep_open();
CREATE TRIGGER kept_by_transfers BEFORE INSERT OR UPDATE OR DELETE ON ledger_open
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON ledger_open
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    """Creates the table and fills it."""

    dependencies = [("ledger", "0001_books")]
    operations = [migrations.RunSQL(OPEN, elidable=False)]
