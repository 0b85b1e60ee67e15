"""Ground and promises: species, seasons, sites, plots with their outline, who paid, and where each tree is to stand.

What must hold is held here: no plot shares ground with another of whichever programme, no position is promised that is
not paid for and laid out, no season takes a promise before it opens or after its close, and a close is never undone.
"""

from django.db import migrations

SEASONS = """
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE forest_species (
    key      text PRIMARY KEY CHECK (key ~ '^[a-z]{2,20}$'),
    latin    text NOT NULL UNIQUE,
    name_en  text NOT NULL,
    name_zh  text NOT NULL,
    grams    integer NOT NULL CHECK (grams > 0),               -- what one tree costs
    across   integer NOT NULL CHECK (across BETWEEN 5 AND 200),  -- decimetres between rows
    along    integer NOT NULL CHECK (along BETWEEN 5 AND 200),   -- decimetres between trees of a row
    survival integer NOT NULL CHECK (survival BETWEEN 1 AND 1000),  -- per mille that are promised to live
    equation text NOT NULL DEFAULT '',                         -- of the package `biomass`; none: nothing is claimed
    source   text NOT NULL CHECK (source <> '')
);

-- A planting season of one species: `2027S-saxaul`.
CREATE TABLE forest_season (
    key       text PRIMARY KEY,
    half      text NOT NULL CHECK (half ~ '^[0-9]{4}[SA]$'),
    species   text NOT NULL REFERENCES forest_species,
    opens_at  timestamptz NOT NULL,
    closes_at timestamptz NOT NULL CHECK (closes_at >= opens_at),
    fact      uuid NOT NULL,
    CHECK (key = half || '-' || species)
);

CREATE FUNCTION forest_season_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.key, NEW.half, NEW.species, NEW.opens_at, NEW.fact)
           IS DISTINCT FROM (OLD.key, OLD.half, OLD.species, OLD.opens_at, OLD.fact)
       OR NEW.closes_at > OLD.closes_at THEN
        RAISE EXCEPTION 'a season can only be closed earlier' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_closes BEFORE UPDATE OR DELETE ON forest_season
    FOR EACH ROW EXECUTE FUNCTION forest_season_change();
"""

GROUND = """
CREATE TABLE forest_site (
    id       uuid PRIMARY KEY,
    partner  uuid NOT NULL REFERENCES parties_party,           -- the organisation that plants
    name_en  text NOT NULL,
    name_zh  text NOT NULL,
    place_en text NOT NULL,
    place_zh text NOT NULL
);

ALTER TABLE forest_plot ADD FOREIGN KEY (season) REFERENCES forest_season;

-- Ground that a programme says is its own: with `plot` it is one of ours, without it another programme's.
CREATE TABLE forest_ground (
    id        uuid PRIMARY KEY,
    plot      bigint UNIQUE REFERENCES forest_plot,
    site      uuid REFERENCES forest_site,
    name      text NOT NULL CHECK (name <> ''),                -- a plot's code, or programme and name
    corners   float8[] NOT NULL CHECK (cardinality(corners) BETWEEN 6 AND 4000 AND cardinality(corners) % 2 = 0),
    outline   polygon NOT NULL,                                -- the same, for the index
    inside    point NOT NULL CHECK (outline @> inside),        -- a point that is certainly inside
    area      integer NOT NULL CHECK (area > 0),               -- square metres
    fact      uuid NOT NULL,
    at        timestamptz NOT NULL,
    CHECK ((plot IS NULL) = (site IS NULL))
);
CREATE INDEX forest_ground_outline ON forest_ground USING gist (outline);
CREATE INDEX forest_ground_site ON forest_ground (site);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_ground
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Whether two outlines share ground, as `plots.overlap` says it: a side crosses a side, or one lies within the other.
-- Sides that only touch do not count: neighbours may share a border.
CREATE FUNCTION forest_shares_ground(a forest_ground, b forest_ground) RETURNS boolean LANGUAGE sql STABLE AS $$
    WITH side AS (
        SELECT o, g.c[2 * n - 1] AS px, g.c[2 * n] AS py,
               g.c[2 * (n % (cardinality(g.c) / 2)) + 1] AS qx, g.c[2 * (n % (cardinality(g.c) / 2)) + 2] AS qy
        FROM (VALUES (1, a.corners), (2, b.corners)) AS g (o, c), generate_series(1, cardinality(g.c) / 2) n
    ), turn AS (
        SELECT (s.qx - s.px) * (r.py - s.py) - (s.qy - s.py) * (r.px - s.px) AS t1,
               (s.qx - s.px) * (r.qy - s.py) - (s.qy - s.py) * (r.qx - s.px) AS t2,
               (r.qx - r.px) * (s.py - r.py) - (r.qy - r.py) * (s.px - r.px) AS t3,
               (r.qx - r.px) * (s.qy - r.py) - (r.qy - r.py) * (s.qx - r.px) AS t4
        FROM side s JOIN side r ON s.o = 1 AND r.o = 2
    )
    SELECT a.outline @> b.inside OR b.outline @> a.inside
        OR EXISTS (SELECT FROM turn WHERE sign(t1) * sign(t2) < 0 AND sign(t3) * sign(t4) < 0)
$$;

CREATE FUNCTION forest_one_ground() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    other text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('forest_ground'));
    SELECT g.name INTO other FROM forest_ground g
    WHERE g.id <> NEW.id AND g.outline && NEW.outline AND forest_shares_ground(g, NEW) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'this ground is shared with %', other USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER one_ground BEFORE INSERT ON forest_ground FOR EACH ROW EXECUTE FUNCTION forest_one_ground();

-- Who paid for how many positions of a plot. A plot's `funded` is what stands here, and never more.
CREATE TABLE forest_funding (
    id        uuid PRIMARY KEY,                                -- also its leaf
    plot      bigint NOT NULL REFERENCES forest_plot,
    funder    uuid NOT NULL REFERENCES parties_party,
    positions integer NOT NULL CHECK (positions > 0),
    cents     bigint NOT NULL CHECK (cents >= 0),              -- what was paid for them, in fen
    reference text NOT NULL CHECK (reference <> ''),
    at        timestamptz NOT NULL,
    UNIQUE (funder, reference)                                 -- a payment pays once
);
CREATE INDEX forest_funding_plot ON forest_funding (plot);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_funding
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION forest_fund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE forest_plot SET funded = funded + NEW.positions WHERE id = NEW.plot;
    RETURN NULL;
END $$;
CREATE TRIGGER fund AFTER INSERT ON forest_funding FOR EACH ROW EXECUTE FUNCTION forest_fund();

CREATE FUNCTION forest_funded_is_paid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.funded > coalesce((SELECT sum(positions) FROM forest_funding WHERE plot = NEW.id), 0) THEN
        RAISE EXCEPTION 'plot %: more positions funded than were paid for', NEW.code USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER funded_is_paid BEFORE INSERT OR UPDATE OF funded ON forest_plot
    FOR EACH ROW EXECUTE FUNCTION forest_funded_is_paid();
ALTER TABLE forest_plot ADD CHECK (funded <= capacity);
"""

POSITIONS = """
-- Where each tree is to stand: web mercator in 2^30 steps around the globe (3.7 cm at the equator).
CREATE TABLE forest_position (
    plot    bigint NOT NULL REFERENCES forest_plot,
    seq     integer NOT NULL CHECK (seq > 0),
    subplot smallint NOT NULL CHECK (subplot > 0),             -- the permanent sub-plot that it belongs to
    x       integer NOT NULL,
    y       integer NOT NULL,
    PRIMARY KEY (plot, seq)
);
-- By the tile of zoom 16 in which it lies: what a map near the ground reads.
CREATE INDEX forest_position_tile ON forest_position ((((x >> 14)::bigint << 16) | (y >> 14)));
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_position
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- How many positions of a plot lie in a cell, and how many of them are planted: 16 by 16 cells make a tile, so a tile
-- of zoom z reads cells of zoom z + 4. An index of what the positions and plantings say, kept by their triggers.
CREATE TABLE forest_cell (
    zoom  smallint NOT NULL,
    x     integer NOT NULL,
    y     integer NOT NULL,
    plot  bigint NOT NULL REFERENCES forest_plot,
    trees integer NOT NULL CHECK (trees > 0),
    planted integer NOT NULL DEFAULT 0 CHECK (planted BETWEEN 0 AND trees),
    PRIMARY KEY (zoom, x, y, plot)
);
CREATE INDEX forest_cell_plot ON forest_cell (plot);

CREATE FUNCTION forest_count_cells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO forest_cell AS c (zoom, x, y, plot, trees)
    SELECT zoom, x >> (30 - zoom), y >> (30 - zoom), plot, count(*)
    FROM laid, generate_series(4, 19) AS zoom GROUP BY 1, 2, 3, 4
    ON CONFLICT (zoom, x, y, plot) DO UPDATE SET trees = c.trees + excluded.trees;
    RETURN NULL;
END $$;
CREATE TRIGGER count_cells AFTER INSERT ON forest_position REFERENCING NEW TABLE AS laid
    FOR EACH STATEMENT EXECUTE FUNCTION forest_count_cells();

-- A plot that is described has every position laid out that is contracted.
CREATE FUNCTION forest_all_laid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.plot IS NOT NULL AND (SELECT capacity FROM forest_plot WHERE id = NEW.plot)
           <> (SELECT count(*) FROM forest_position WHERE plot = NEW.plot) THEN
        RAISE EXCEPTION 'plot %: not every position is laid out', NEW.name USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER all_laid AFTER INSERT ON forest_ground DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION forest_all_laid();

CREATE FUNCTION forest_in_season() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM forest_plot p JOIN forest_season s ON s.key = p.season
                   WHERE p.id = NEW.plot AND NEW.at >= s.opens_at AND NEW.at < s.closes_at) THEN
        RAISE EXCEPTION 'the season is not open' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER in_season BEFORE INSERT ON forest_certificate FOR EACH ROW EXECUTE FUNCTION forest_in_season();
CREATE INDEX forest_certificate_at ON forest_certificate (owner, at);
"""


class Migration(migrations.Migration):
    """Creates ground, seasons, funding and positions."""

    dependencies = [("forest", "0002_deeds"), ("parties", "0001_initial")]
    operations = [
        migrations.RunSQL(SEASONS, migrations.RunSQL.noop),
        migrations.RunSQL(GROUND, migrations.RunSQL.noop),
        migrations.RunSQL(POSITIONS, migrations.RunSQL.noop),
    ]
