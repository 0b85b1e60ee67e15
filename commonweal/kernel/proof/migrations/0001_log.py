"""The log's tables. Leaves and checkpoints can only be added, tiles can only grow: the database itself says so."""

from django.db import migrations

LOG = """
-- Facts that wait for their place. Written by whoever commits a promise, emptied by the one sequencer.
CREATE TABLE proof_staged (
    id    uuid PRIMARY KEY,
    entry bytea NOT NULL CHECK (octet_length(entry) BETWEEN 1 AND 65535)
);

CREATE TABLE proof_leaf (
    seq   bigint PRIMARY KEY CHECK (seq >= 0),
    id    uuid NOT NULL UNIQUE,
    entry bytea NOT NULL
);

-- Up to 256 hashes of 32 bytes. A tile's hashes do not compress.
CREATE TABLE proof_tile (
    level  smallint NOT NULL,
    n      bigint NOT NULL,
    hashes bytea NOT NULL CHECK (octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0),
    PRIMARY KEY (level, n)
);
ALTER TABLE proof_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

CREATE TABLE proof_head (
    size bigint PRIMARY KEY CHECK (size > 0),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    note text NOT NULL,
    at   timestamptz NOT NULL
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proof_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proof_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON proof_tile
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION proof_tile_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.level, NEW.n) IS DISTINCT FROM (OLD.level, OLD.n)
       OR substring(NEW.hashes FOR octet_length(OLD.hashes)) <> OLD.hashes THEN
        RAISE EXCEPTION 'tile %/% can only grow', OLD.level, OLD.n USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER grows BEFORE UPDATE ON proof_tile FOR EACH ROW EXECUTE FUNCTION proof_tile_grows();
"""


class Migration(migrations.Migration):
    """Creates the log."""

    initial = True
    dependencies = []
    operations = [migrations.RunSQL(LOG, elidable=False)]
