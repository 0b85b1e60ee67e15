"""Deeds, bubbles and certificates. What must hold is held here: an event counts once, a bubble never gives more than it
has, a position is promised once.

Deeds lie by the day on which they happened, bubbles by the day on which they were recorded; a day's bubbles are gone
together, so expiry is one sum and a dropped partition. Ripeness is never written, it is read off the clock.
"""

from django.db import migrations

ENERGY = """
CREATE TABLE forest_source (
    id    smallint PRIMARY KEY,
    key   text NOT NULL UNIQUE,
    grade text NOT NULL CHECK (grade IN ('A', 'B', 'C', 'D'))
);

CREATE TABLE forest_kind (
    id  smallint PRIMARY KEY,
    key text NOT NULL UNIQUE
);

-- A version of a method: grams = quantity * numerator / denominator, rounded down. Never changed, only superseded.
CREATE TABLE forest_method (
    id          smallint PRIMARY KEY,
    kind        smallint NOT NULL REFERENCES forest_kind,
    version     text NOT NULL,
    valid       daterange NOT NULL,
    numerator   bigint NOT NULL CHECK (numerator BETWEEN 0 AND 100000000000),
    denominator bigint NOT NULL CHECK (denominator > 0),
    day_cap     integer NOT NULL CHECK (day_cap > 0),
    UNIQUE (kind, version)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_method
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An event of a source is taken once, whatever day it claims. `event` is half of the SHA-256 of the source's own id.
CREATE TABLE forest_seen (
    source smallint NOT NULL,
    event  uuid NOT NULL,
    PRIMARY KEY (source, event)
) PARTITION BY HASH (event);

CREATE TABLE forest_deed (
    day      date NOT NULL,                        -- on which it happened, in China
    owner    uuid NOT NULL,
    source   smallint NOT NULL,
    method   smallint NOT NULL,
    event    uuid NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    grams    integer NOT NULL CHECK (grams >= 0),  -- by the method, before the day's cap
    happened timestamptz NOT NULL,
    recorded timestamptz NOT NULL
) PARTITION BY RANGE (day);

CREATE TABLE forest_bubble (
    day     date NOT NULL,                         -- on which it was recorded
    owner   uuid NOT NULL,
    kind    smallint NOT NULL,
    shard   smallint NOT NULL,
    grams   integer NOT NULL CHECK (grams > 0),
    left_g  integer NOT NULL CHECK (left_g BETWEEN 0 AND grams),
    ripe_at timestamptz NOT NULL,
    PRIMARY KEY (day, owner, kind)
) PARTITION BY RANGE (day) ;

CREATE TABLE forest_collect (
    day      date NOT NULL,
    owner    uuid NOT NULL,
    kind     smallint NOT NULL,
    gatherer uuid NOT NULL,
    grams    integer NOT NULL CHECK (grams > 0),
    at       timestamptz NOT NULL,
    PRIMARY KEY (day, owner, kind, gatherer)
) PARTITION BY RANGE (day);

CREATE TABLE forest_gathered (
    gatherer uuid NOT NULL,
    day      date NOT NULL,
    grams    integer NOT NULL CHECK (grams > 0),
    PRIMARY KEY (gatherer, day)
);

CREATE TABLE forest_holding (
    owner uuid PRIMARY KEY,
    grams bigint NOT NULL CHECK (grams >= 0)
) WITH (fillfactor = 70);

-- Movements of single grams, until the books have taken them over in one sum (`settle`).
CREATE TABLE forest_moved (
    shard smallint NOT NULL,
    kind  text NOT NULL CHECK (kind IN ('gathered', 'planted')),
    grams bigint NOT NULL CHECK (grams > 0)
);

DO $$ BEGIN
    FOR n IN 0..7 LOOP
        EXECUTE format('CREATE TABLE forest_seen_%s PARTITION OF forest_seen FOR VALUES WITH (MODULUS 8, REMAINDER %s)', n, n);
    END LOOP;
END $$;

CREATE FUNCTION forest_open_day(opened date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('forest_bubble_' || to_char(opened, 'YYYYMMDD')) IS NOT NULL
       AND to_regclass('forest_deed_' || to_char(opened, 'YYYYMMDD')) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('forest_open_day'));
    EXECUTE format('CREATE TABLE IF NOT EXISTS forest_deed_%1$s PARTITION OF forest_deed FOR VALUES FROM (%2$L) TO (%3$L)',
                   to_char(opened, 'YYYYMMDD'), opened, opened + 1);
    EXECUTE format('CREATE TABLE IF NOT EXISTS forest_bubble_%1$s PARTITION OF forest_bubble FOR VALUES FROM (%2$L) TO (%3$L) WITH (fillfactor = 80)',
                   to_char(opened, 'YYYYMMDD'), opened, opened + 1);
    EXECUTE format('CREATE TABLE IF NOT EXISTS forest_collect_%1$s PARTITION OF forest_collect FOR VALUES FROM (%2$L) TO (%3$L)',
                   to_char(opened, 'YYYYMMDD'), opened, opened + 1);
END $$;

-- Gathering shares a day, expiry has it to itself. Asked for before any table is touched, so that nobody who holds a
-- table waits here.
CREATE FUNCTION forest_share_day(shared date) RETURNS void LANGUAGE sql AS
    $$ SELECT pg_advisory_xact_lock_shared(hashtext('forest_day'), shared - date '2000-01-01') $$;

-- What a friend gathers from one bubble now: 0 if nothing is to be had. The guard stands inside the locking SELECT, so
-- that those who come too late only read; the amount is reckoned under the lock.
CREATE FUNCTION forest_collect(of_day date, of_owner uuid, of_kind smallint, who uuid, now_at timestamptz,
                               owners_percent integer, friend_percent integer, friend_least integer, day_limit integer)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    today    date := (now_at AT TIME ZONE 'Asia/Shanghai')::date;
    day_left integer;
    bubble   record;
    taken    integer;
BEGIN
    PERFORM forest_share_day(of_day);
    IF NOT EXISTS (
        SELECT FROM forest_bubble WHERE day = of_day AND owner = of_owner AND kind = of_kind
          AND left_g > ceil(grams * owners_percent / 100.0)) THEN
        RETURN 0;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(who::text, 7));
    SELECT day_limit - coalesce(sum(grams), 0) INTO day_left FROM forest_gathered WHERE gatherer = who AND day = today;
    IF day_left <= 0 THEN
        RETURN 0;
    END IF;
    SELECT b.grams, b.left_g, b.shard, ceil(b.grams * owners_percent / 100.0)::integer AS floor INTO bubble
    FROM forest_bubble b
    WHERE b.day = of_day AND b.owner = of_owner AND b.kind = of_kind
      AND b.ripe_at <= now_at AND now_at < b.ripe_at + interval '72 hours'
      AND b.left_g > ceil(b.grams * owners_percent / 100.0)
      AND NOT EXISTS (SELECT FROM forest_collect c
                      WHERE c.day = of_day AND c.owner = of_owner AND c.kind = of_kind AND c.gatherer = who)
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    taken := least(greatest(friend_least, bubble.grams * friend_percent / 100), bubble.left_g - bubble.floor, day_left);
    INSERT INTO forest_collect VALUES (of_day, of_owner, of_kind, who, taken, now_at);
    UPDATE forest_bubble SET left_g = left_g - taken WHERE day = of_day AND owner = of_owner AND kind = of_kind;
    INSERT INTO forest_holding AS h VALUES (who, taken) ON CONFLICT (owner) DO UPDATE SET grams = h.grams + excluded.grams;
    INSERT INTO forest_gathered AS g VALUES (who, today, taken)
        ON CONFLICT (gatherer, day) DO UPDATE SET grams = g.grams + excluded.grams;
    INSERT INTO forest_moved VALUES (bubble.shard, 'gathered', taken);
    RETURN taken;
END $$;

-- What an owner gathers of all that is ripe.
CREATE FUNCTION forest_harvest(of_owner uuid, now_at timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    today   date := (now_at AT TIME ZONE 'Asia/Shanghai')::date;
    of_shard smallint;
    taken   bigint;
BEGIN
    FOR back IN REVERSE 4..1 LOOP
        PERFORM forest_share_day(today - back);
    END LOOP;
    WITH ripe AS (
        SELECT day, kind, left_g, shard FROM forest_bubble
        WHERE owner = of_owner AND day BETWEEN today - 4 AND today - 1
          AND ripe_at <= now_at AND now_at < ripe_at + interval '72 hours' AND left_g > 0
        ORDER BY day, kind FOR UPDATE
    ), emptied AS (
        UPDATE forest_bubble b SET left_g = 0 FROM ripe
        WHERE b.day = ripe.day AND b.owner = of_owner AND b.kind = ripe.kind AND b.day BETWEEN today - 4 AND today - 1
    )
    SELECT sum(left_g), min(shard) INTO taken, of_shard FROM ripe;
    IF coalesce(taken, 0) = 0 THEN
        RETURN 0;
    END IF;
    INSERT INTO forest_holding AS h VALUES (of_owner, taken) ON CONFLICT (owner) DO UPDATE SET grams = h.grams + excluded.grams;
    INSERT INTO forest_moved VALUES (of_shard, 'gathered', taken);
    RETURN taken;
END $$;
"""

TREES = """
CREATE TABLE forest_plot (
    id       bigint PRIMARY KEY,
    season   text NOT NULL,
    code     text NOT NULL UNIQUE,
    grams    integer NOT NULL CHECK (grams > 0),          -- what one position costs
    capacity integer NOT NULL CHECK (capacity >= 0),      -- contracted
    funded   integer NOT NULL CHECK (funded >= 0),        -- paid for
    issued   integer NOT NULL DEFAULT 0 CHECK (issued BETWEEN 0 AND least(capacity, funded))
) WITH (fillfactor = 50);
CREATE INDEX forest_plot_season ON forest_plot (season, id);

CREATE TABLE forest_certificate (
    plot  bigint NOT NULL REFERENCES forest_plot,
    seq   integer NOT NULL,
    owner uuid NOT NULL,
    ask   uuid NOT NULL UNIQUE,                            -- made by the asker: asking twice is asking once
    grams integer NOT NULL,
    at    timestamptz NOT NULL,
    PRIMARY KEY (plot, seq)
);
CREATE INDEX forest_certificate_owner ON forest_certificate (owner);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_certificate
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Promise a position: the plots of the season are tried from one that the ask names, so that askers spread. A plot's row
-- is waited for, never skipped: a plot passed over is full for certain, and 'full' is only said after a look at each.
-- Answers (plot, seq, 'promised' | 'full' | 'short').
CREATE FUNCTION forest_promise(of_season text, who uuid, of_ask uuid, of_shard smallint, now_at timestamptz)
RETURNS TABLE (plot bigint, seq integer, outcome text) LANGUAGE plpgsql AS $$
DECLARE
    tried record;
    start bigint := abs(hashtextextended(of_ask::text, 0)) % 1000003;
BEGIN
    RETURN QUERY SELECT c.plot, c.seq, 'promised' FROM forest_certificate c WHERE c.ask = of_ask;
    IF FOUND THEN
        RETURN;
    END IF;
    FOR tried IN
        SELECT p.id, p.grams FROM forest_plot p WHERE p.season = of_season AND p.issued < least(p.capacity, p.funded)
        ORDER BY (p.id * 7919 + start) % 1000003
    LOOP
        UPDATE forest_plot p SET issued = p.issued + 1
        WHERE p.id = tried.id AND p.issued < least(p.capacity, p.funded) RETURNING p.issued INTO seq;
        CONTINUE WHEN NOT FOUND;
        UPDATE forest_holding h SET grams = h.grams - tried.grams WHERE h.owner = who AND h.grams >= tried.grams;
        IF NOT FOUND THEN
            UPDATE forest_plot p SET issued = p.issued - 1 WHERE p.id = tried.id;
            RETURN QUERY SELECT NULL::bigint, NULL::integer, 'short';
            RETURN;
        END IF;
        INSERT INTO forest_certificate VALUES (tried.id, seq, who, of_ask, tried.grams, now_at);
        INSERT INTO forest_moved VALUES (of_shard, 'planted', tried.grams);
        plot := tried.id; outcome := 'promised';
        RETURN NEXT;
        RETURN;
    END LOOP;
    RETURN QUERY SELECT NULL::bigint, NULL::integer, 'full';
END $$;
"""


class Migration(migrations.Migration):
    """Creates the tables of energy and of trees."""

    dependencies = [("proof", "0001_log"), ("ledger", "0001_books")]
    operations = [migrations.RunSQL(ENERGY, migrations.RunSQL.noop), migrations.RunSQL(TREES, migrations.RunSQL.noop)]
