"""What was set in the ground, and what is known of it: plantings, captures, surveys, satellite looks; the five numbers.

What must hold is held here: a position is planted once and only if it was paid for, a photograph is evidence once, a
survey counts only what was drawn, a duty to replant is met only by trees beyond the first planting.
"""

from django.db import migrations

PLANTING = """
CREATE TABLE forest_planting (
    id   uuid PRIMARY KEY,                                     -- also its leaf
    plot bigint NOT NULL REFERENCES forest_plot,
    span int4range NOT NULL CHECK (NOT isempty(span) AND lower(span) >= 1 AND upper(span) IS NOT NULL),
    day  date NOT NULL,
    duty uuid,                                                 -- the survey that asked for it; null: the first planting
    by   uuid NOT NULL REFERENCES parties_party,
    at   timestamptz NOT NULL,
    EXCLUDE USING gist (plot WITH =, span WITH &&) WHERE (duty IS NULL),            -- planted once
    EXCLUDE USING gist (plot WITH =, duty WITH =, span WITH &&) WHERE (duty IS NOT NULL)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_planting
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION forest_plant_what_is_paid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.duty IS NULL THEN
        IF upper(NEW.span) - 1 > (SELECT funded FROM forest_plot WHERE id = NEW.plot FOR SHARE) THEN
            RAISE EXCEPTION 'positions are planted that are not paid for' USING ERRCODE = 'check_violation';
        END IF;
    ELSIF NOT NEW.span <@ (SELECT coalesce(range_agg(span), '{}') FROM forest_planting
                           WHERE plot = NEW.plot AND duty IS NULL) THEN
        RAISE EXCEPTION 'only what was planted can be replanted' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION forest_plant_cells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.duty IS NULL THEN
        UPDATE forest_cell c SET planted = c.planted + n.n
        FROM (SELECT zoom, x >> (30 - zoom) AS x, y >> (30 - zoom) AS y, count(*) AS n
              FROM forest_position, generate_series(4, 19) AS zoom
              WHERE plot = NEW.plot AND seq >= lower(NEW.span) AND seq < upper(NEW.span) GROUP BY 1, 2, 3) n
        WHERE c.plot = NEW.plot AND c.zoom = n.zoom AND c.x = n.x AND c.y = n.y;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER plant_cells AFTER INSERT ON forest_planting FOR EACH ROW EXECUTE FUNCTION forest_plant_cells();

CREATE TRIGGER plant_what_is_paid BEFORE INSERT ON forest_planting
    FOR EACH ROW EXECUTE FUNCTION forest_plant_what_is_paid();
"""

CAPTURE = """
CREATE TABLE forest_capture (
    id        uuid PRIMARY KEY,                                -- also its leaf
    content   bytea NOT NULL UNIQUE CHECK (length(content) = 32),  -- of all that was sent: sent twice is sent once
    original  bytea NOT NULL UNIQUE CHECK (length(original) = 32), -- of the photograph as it came
    photo     text NOT NULL UNIQUE,                            -- of the photograph as it is kept
    plot      bigint NOT NULL,
    seq       integer NOT NULL,
    latitude  float8 NOT NULL,
    longitude float8 NOT NULL,
    spread    integer NOT NULL CHECK (spread >= 0),            -- of its fixes, millimetres
    away      integer NOT NULL CHECK (away >= 0),              -- from the planned position, millimetres
    exif      text NOT NULL CHECK (exif IN ('agrees', 'silent', 'contradicts')),
    compared  boolean NOT NULL,                                -- with every photograph before it, or only by its bytes
    by        uuid NOT NULL REFERENCES parties_party,
    taken_at  timestamptz NOT NULL,
    at        timestamptz NOT NULL,
    FOREIGN KEY (plot, seq) REFERENCES forest_position
);
CREATE INDEX forest_capture_position ON forest_capture (plot, seq);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_capture
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION forest_capture_what_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM forest_planting WHERE plot = NEW.plot AND duty IS NULL AND span @> NEW.seq) THEN
        RAISE EXCEPTION 'nothing was planted there' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER capture_what_stands BEFORE INSERT ON forest_capture
    FOR EACH ROW EXECUTE FUNCTION forest_capture_what_stands();

-- A steward's word on a capture whose photograph contradicts the device: until then it counts for nothing.
CREATE TABLE forest_capture_word (
    capture uuid PRIMARY KEY REFERENCES forest_capture,
    counts  boolean NOT NULL,
    by      uuid NOT NULL REFERENCES parties_party,
    fact    uuid NOT NULL,
    at      timestamptz NOT NULL
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_capture_word
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What a photograph is recognised by (package `photos`).
CREATE TABLE forest_picture (
    nth         bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,   -- in the order in which they were compared
    capture     uuid NOT NULL UNIQUE REFERENCES forest_capture,
    keys        bytea NOT NULL,                                -- (tables, n) int32
    points      bytea NOT NULL,                                -- (n, 2) float32
    descriptors bytea NOT NULL,                                -- (n, 32) uint8
    small       bytea NOT NULL,
    scale       float8 NOT NULL
);
"""

SURVEY = """
CREATE TABLE forest_survey (
    id         uuid PRIMARY KEY,                               -- also the leaf of the commitment
    plot       bigint NOT NULL REFERENCES forest_plot,
    commitment bytea NOT NULL CHECK (length(commitment) = 32),
    seed       bytea NOT NULL CHECK (length(seed) = 32 AND sha256(seed) = commitment),
    wanted     smallint NOT NULL CHECK (wanted >= 3),
    by         uuid NOT NULL REFERENCES parties_party,
    at         timestamptz NOT NULL
);
CREATE INDEX forest_survey_plot ON forest_survey (plot);

-- The draw: from the seed and from the root of the first checkpoint that has the commitment, which nobody can choose.
CREATE TABLE forest_draw (
    survey      uuid PRIMARY KEY REFERENCES forest_survey,
    size        bigint NOT NULL,
    root        bytea NOT NULL CHECK (length(root) = 32),
    planted     integer NOT NULL CHECK (planted > 0),
    population  smallint NOT NULL,                             -- sub-plots with trees
    chosen      smallint[] NOT NULL,
    substitutes smallint[] NOT NULL,
    fact        uuid NOT NULL,
    at          timestamptz NOT NULL
);

CREATE TABLE forest_count (
    survey    uuid NOT NULL REFERENCES forest_survey,
    subplot   smallint NOT NULL,
    planted   integer NOT NULL,                                -- at planting, by the records
    alive     integer NOT NULL CHECK (alive BETWEEN 0 AND planted),
    diameters integer[] NOT NULL DEFAULT '{}',                 -- millimetres at breast height
    by        uuid NOT NULL REFERENCES parties_party,
    at        timestamptz NOT NULL,
    PRIMARY KEY (survey, subplot)
);
CREATE FUNCTION forest_count_what_was_drawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM forest_draw WHERE survey = NEW.survey AND NEW.subplot = ANY(chosen || substitutes))
       OR EXISTS (SELECT FROM forest_outcome WHERE survey = NEW.survey) THEN
        RAISE EXCEPTION 'this sub-plot was not drawn, or the survey is over' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER count_what_was_drawn BEFORE INSERT ON forest_count
    FOR EACH ROW EXECUTE FUNCTION forest_count_what_was_drawn();

-- What a survey came to, in parts of a million; `replant` trees are owed by `due`.
CREATE TABLE forest_outcome (
    survey   uuid PRIMARY KEY REFERENCES forest_survey,
    plot     bigint NOT NULL REFERENCES forest_plot,
    planted  integer NOT NULL,
    survival integer NOT NULL,
    low      integer NOT NULL CHECK (low BETWEEN 0 AND survival),
    high     integer NOT NULL CHECK (high BETWEEN survival AND 1000000),
    error    integer NOT NULL,                                 -- relative, at 90 % confidence
    replant  integer NOT NULL CHECK (replant >= 0),
    counted  integer NOT NULL CHECK (counted BETWEEN 0 AND 1000),  -- per mille of certificates, until the duty is met
    due      date,
    fact     uuid NOT NULL,
    duty     uuid,                                             -- the leaf of the duty
    at       timestamptz NOT NULL,
    CHECK ((replant > 0) = (due IS NOT NULL) AND (replant > 0) = (duty IS NOT NULL))
);
CREATE INDEX forest_outcome_plot ON forest_outcome (plot, at DESC);
ALTER TABLE forest_planting ADD FOREIGN KEY (duty) REFERENCES forest_outcome;

CREATE TABLE forest_overdue (
    survey uuid PRIMARY KEY REFERENCES forest_outcome,
    fact   uuid NOT NULL,
    at     timestamptz NOT NULL
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['survey', 'draw', 'count', 'outcome', 'overdue'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_%s
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
    END LOOP;
END $$;
"""

CANOPY = """
CREATE TABLE forest_series (
    plot   bigint NOT NULL REFERENCES forest_plot,
    at     timestamptz NOT NULL,                               -- of the scene
    ndvi   integer NOT NULL CHECK (ndvi BETWEEN -10000 AND 10000),
    clear  integer NOT NULL CHECK (clear BETWEEN 0 AND 1000),  -- per mille of its pixels that were
    source text NOT NULL,
    PRIMARY KEY (plot, at)
);

CREATE TABLE forest_clearing (
    id        uuid PRIMARY KEY,                                -- also its leaf
    plot      bigint NOT NULL REFERENCES forest_plot,
    seen      timestamptz NOT NULL,
    confirmed timestamptz NOT NULL CHECK (confirmed >= seen),
    share     integer NOT NULL CHECK (share BETWEEN 1 AND 1000),   -- per mille of the plot
    before    integer NOT NULL,
    after     integer NOT NULL,
    at        timestamptz NOT NULL,
    UNIQUE (plot, seen)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_clearing
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

NUMBERS = """
-- The five numbers of each plot, and what stands against them. Nothing of it is stored.
CREATE VIEW forest_numbers AS
SELECT p.id AS plot, p.code, p.season, p.issued,
       p.capacity AS pledged, p.funded, planted.n AS planted,
       greatest(captured.n, coalesce(o.planted, 0)) AS verified,
       greatest(0, (coalesce(o.planted, 0)::bigint * coalesce(o.low, 0) / 1000000)::integer - cleared.trees) AS alive,
       o.survey, o.survival, o.low, o.high, coalesce(o.replant, 0) AS replant, replanted.n AS replanted, o.due,
       CASE WHEN cleared.share > 0 THEN greatest(0, 1000 - cleared.share)
            WHEN o.replant = 0 OR replanted.n < o.replant THEN o.counted ELSE 1000 END AS counted,
       cleared.share AS cleared
FROM forest_plot p
LEFT JOIN LATERAL (SELECT * FROM forest_outcome WHERE plot = p.id ORDER BY at DESC LIMIT 1) o ON true
CROSS JOIN LATERAL (SELECT coalesce(sum(upper(span) - lower(span)), 0)::integer AS n FROM forest_planting
                    WHERE plot = p.id AND duty IS NULL) planted
CROSS JOIN LATERAL (SELECT coalesce(sum(upper(span) - lower(span)), 0)::integer AS n FROM forest_planting
                    WHERE plot = p.id AND duty = o.survey) replanted
CROSS JOIN LATERAL (SELECT count(DISTINCT c.seq)::integer AS n FROM forest_capture c
                    LEFT JOIN forest_capture_word w ON w.capture = c.id
                    WHERE c.plot = p.id AND coalesce(w.counts, c.exif <> 'contradicts')) captured
CROSS JOIN LATERAL (SELECT least(1000, coalesce(sum(share), 0))::integer AS share,
                           coalesce(sum(ceil(planted.n * share / 1000.0)), 0)::integer AS trees
                    FROM forest_clearing WHERE plot = p.id AND (o.at IS NULL OR confirmed > o.at)) cleared;
"""


class Migration(migrations.Migration):
    """Creates plantings, captures, surveys and satellite looks."""

    dependencies = [("forest", "0010_ground")]
    operations = [
        migrations.RunSQL(PLANTING, migrations.RunSQL.noop),
        migrations.RunSQL(CAPTURE, migrations.RunSQL.noop),
        migrations.RunSQL(SURVEY, migrations.RunSQL.noop),
        migrations.RunSQL(CANOPY, migrations.RunSQL.noop),
        migrations.RunSQL(NUMBERS, migrations.RunSQL.noop),
    ]
