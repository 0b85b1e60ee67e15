"""Where deeds come from, what explains their grams, and the close of a day.

Deeds now lie by the day on which they were recorded, as bubbles do: a closed day takes nothing more, and what comes
late is a deed of the later day that says when it happened.
"""

from django.db import migrations

DEEDS = """
CREATE EXTENSION IF NOT EXISTS btree_gist;

ALTER TABLE forest_source
    ADD COLUMN party    uuid,                              -- the partner; null for our own doors
    ADD COLUMN title_en text NOT NULL DEFAULT '',
    ADD COLUMN title_zh text NOT NULL DEFAULT '',
    ADD COLUMN since    timestamptz,
    ADD COLUMN ended_at timestamptz;

-- Ed25519: we keep the public half only, so nobody here can sign a deed.
CREATE TABLE forest_source_key (
    id         uuid PRIMARY KEY,
    source     smallint NOT NULL REFERENCES forest_source,
    public     bytea NOT NULL UNIQUE CHECK (octet_length(public) = 32),
    at         timestamptz NOT NULL,
    revoked_at timestamptz
);

-- Under which name a source knows a person: another one at each source, so that two of them cannot compare.
CREATE TABLE forest_link (
    source   smallint NOT NULL REFERENCES forest_source,
    owner    uuid NOT NULL,
    subject  uuid NOT NULL UNIQUE,
    at       timestamptz NOT NULL,
    PRIMARY KEY (source, owner)
);

ALTER TABLE forest_kind
    ADD COLUMN behaviour text NOT NULL DEFAULT '',
    ADD COLUMN grade     text NOT NULL DEFAULT 'A' CHECK (grade IN ('A', 'B', 'C', 'D'));

-- What explains a gram: titles, both factors as written, their sources, the share. As unchangeable as the numbers.
ALTER TABLE forest_method ADD COLUMN told jsonb NOT NULL DEFAULT '{}';

-- Each version of the whole table, as published: the fact in the log commits to the document.
CREATE TABLE forest_factors (
    digest   bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    document text NOT NULL,
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_factors
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

DROP TABLE forest_deed;
CREATE TABLE forest_deed (
    day      date NOT NULL,                                -- on which it was recorded, in China
    owner    uuid NOT NULL,
    source   smallint NOT NULL,
    method   smallint NOT NULL,
    event    uuid NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    grams    integer NOT NULL CHECK (grams >= 0),          -- by the method, before the day's caps
    happened timestamptz NOT NULL,
    recorded timestamptz NOT NULL
) PARTITION BY RANGE (day);
CREATE INDEX forest_deed_owner ON forest_deed (owner);

-- A closed day: what one source's deeds come to, and the root over one leaf a person.
CREATE TABLE forest_closed (
    source  smallint NOT NULL REFERENCES forest_source,
    day     date NOT NULL,
    deeds   integer NOT NULL CHECK (deeds > 0),
    people  integer NOT NULL CHECK (people > 0),
    late    integer NOT NULL CHECK (late BETWEEN 0 AND deeds),
    grams   bigint NOT NULL CHECK (grams >= 0),
    root    bytea NOT NULL CHECK (octet_length(root) = 32),
    fact    uuid NOT NULL UNIQUE,
    at      timestamptz NOT NULL,
    PRIMARY KEY (source, day)
);
CREATE TABLE forest_closed_tile (
    source smallint NOT NULL,
    day    date NOT NULL,
    level  smallint NOT NULL,
    n      integer NOT NULL,
    hashes bytea NOT NULL,
    PRIMARY KEY (source, day, level, n),
    FOREIGN KEY (source, day) REFERENCES forest_closed DEFERRABLE INITIALLY DEFERRED
);
-- Where a person's leaf stands in its day's tree.
CREATE TABLE forest_closed_leaf (
    source smallint NOT NULL,
    day    date NOT NULL,
    owner  uuid NOT NULL,
    place  integer NOT NULL,
    PRIMARY KEY (source, day, owner)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_closed
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_closed_tile
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- From now on the day takes no deed, by whatever way: a constraint that nothing new can meet.
CREATE FUNCTION forest_close_day(closed date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'forest_deed_closed'
                   AND conrelid = to_regclass('forest_deed_' || to_char(closed, 'YYYYMMDD'))) THEN
        EXECUTE format('ALTER TABLE forest_deed_%s ADD CONSTRAINT forest_deed_closed CHECK (false) NOT VALID',
                       to_char(closed, 'YYYYMMDD'));
    END IF;
END $$;

CREATE TABLE forest_batch (
    id       uuid PRIMARY KEY,
    source   smallint NOT NULL REFERENCES forest_source,
    at       timestamptz NOT NULL,
    credited integer NOT NULL,
    repeated integer NOT NULL,
    refused  integer NOT NULL,
    grams    bigint NOT NULL
);
CREATE INDEX forest_batch_source ON forest_batch (source, id);
CREATE TABLE forest_refused (
    batch uuid NOT NULL REFERENCES forest_batch,
    nth   integer NOT NULL,
    event text NOT NULL,
    code  text NOT NULL,
    PRIMARY KEY (batch, nth)
);

-- Of a track stay its time, its length and hashes of its cells, by which the next copy is found; no place.
CREATE TABLE forest_track (
    id     uuid PRIMARY KEY,
    owner  uuid NOT NULL,
    span   tstzrange NOT NULL,
    metres integer NOT NULL CHECK (metres > 0),
    at     timestamptz NOT NULL,
    CONSTRAINT forest_track_overlap EXCLUDE USING gist (owner WITH =, span WITH &&)  -- nobody is in two places
);
CREATE TABLE forest_track_cell (
    cell     bigint NOT NULL,
    timeless boolean NOT NULL,
    track    uuid NOT NULL REFERENCES forest_track ON DELETE CASCADE,
    PRIMARY KEY (cell, timeless, track)
);
CREATE INDEX forest_track_cell_track ON forest_track_cell (track);
"""


class Migration(migrations.Migration):
    """Deeds by the day of recording, with sources, explanations and closes."""

    dependencies = [("forest", "0001_energy")]
    operations = [migrations.RunSQL(DEEDS, migrations.RunSQL.noop)]
