"""How people live with their energy: gardens, friends, the draw of the first second, watering, groves.

Grams that go from one person's shard to another's pass through `transit`, so that in each book what is held is what
its people hold.
"""

from django.db import migrations

PEOPLE = """
-- How an owner wants it. `sealed` is what friends call them, under the owner's key.
CREATE TABLE forest_garden (
    owner           uuid PRIMARY KEY,
    open_to_friends boolean NOT NULL DEFAULT true,
    shielded_until  timestamptz,
    notices         boolean NOT NULL DEFAULT false,
    reminded_on     date,                                      -- nobody is told twice a day
    sealed          bytea
);

-- A code that one person gives to another: who opens it has the consent of the one, and gives their own by accepting.
CREATE TABLE forest_invitation (
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    owner      uuid NOT NULL,
    grove      uuid,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX forest_invitation_owner ON forest_invitation (owner);

CREATE TABLE forest_friendship (
    id    uuid PRIMARY KEY,
    one   uuid NOT NULL,
    other uuid NOT NULL,
    since timestamptz NOT NULL,
    CHECK (one < other),
    UNIQUE (one, other)
);
CREATE INDEX forest_friendship_other ON forest_friendship (other);

-- Who asked within the first second after ripeness; the order is drawn when the second is over.
CREATE TABLE forest_ask (
    day   date NOT NULL,
    owner uuid NOT NULL,
    kind  smallint NOT NULL,
    asker uuid NOT NULL,
    at    timestamptz NOT NULL,
    PRIMARY KEY (day, owner, kind, asker)
);
-- The seed of a day's draws: its SHA-256 is published before, the seed when the day's bubbles are gone.
CREATE TABLE forest_draw_seed (
    day  date PRIMARY KEY,
    seed bytea NOT NULL CHECK (octet_length(seed) = 32)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forest_draw_seed
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE forest_watering (
    giver    uuid NOT NULL,
    receiver uuid NOT NULL,
    day      date NOT NULL,
    nth      smallint NOT NULL CHECK (nth BETWEEN 1 AND 3),
    grams    integer NOT NULL CHECK (grams IN (5, 10, 18, 33, 66)),
    PRIMARY KEY (giver, receiver, day, nth),
    CHECK (giver <> receiver)
);

-- People who plant together. The grove's id holds energy as a person's does; its name is sealed under the founder's key.
CREATE TABLE forest_grove (
    id       uuid PRIMARY KEY,
    founder  uuid NOT NULL,
    sealed   bytea NOT NULL,
    at       timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE TABLE forest_member (
    grove   uuid NOT NULL REFERENCES forest_grove,
    person  uuid NOT NULL,
    since   timestamptz NOT NULL,
    grams   bigint NOT NULL DEFAULT 0 CHECK (grams >= 0),      -- put in so far
    back    bigint NOT NULL DEFAULT 0 CHECK (back BETWEEN 0 AND grams),  -- got back when the grove ended
    PRIMARY KEY (grove, person)
);
CREATE INDEX forest_member_person ON forest_member (person);
CREATE TABLE forest_grove_key (
    key    text PRIMARY KEY,
    grove  uuid NOT NULL,
    person uuid NOT NULL,
    grams  integer NOT NULL
);
"""

MOVES = """
ALTER TABLE forest_moved DROP CONSTRAINT forest_moved_kind_check;
ALTER TABLE forest_moved ADD CHECK (kind IN ('gathered', 'planted', 'sent', 'received'));

-- As `energy.shard_of` says it: the last half byte.
CREATE FUNCTION forest_shard_of(owner uuid) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT (get_byte(uuid_send(owner), 15) & 15)::smallint $$;

CREATE OR REPLACE FUNCTION forest_collect(of_day date, of_owner uuid, of_kind smallint, who uuid, now_at timestamptz,
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
    IF forest_shard_of(who) = bubble.shard THEN
        INSERT INTO forest_moved VALUES (bubble.shard, 'gathered', taken);
    ELSE
        INSERT INTO forest_moved VALUES (bubble.shard, 'gathered', taken), (bubble.shard, 'sent', taken),
                                        (forest_shard_of(who), 'received', taken);
    END IF;
    RETURN taken;
END $$;

DROP FUNCTION forest_harvest(uuid, timestamptz);
-- What an owner gathers: of all that is ripe, or of one bubble.
CREATE FUNCTION forest_harvest(of_owner uuid, now_at timestamptz, of_day date DEFAULT NULL, of_kind smallint DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql AS $$
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
          AND (of_day IS NULL OR (day = of_day AND kind = of_kind))
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

-- Give what one holds to another: false if there is not enough. Both rows are locked in one order.
CREATE FUNCTION forest_give(giver uuid, receiver uuid, given bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO forest_holding VALUES (receiver, 0) ON CONFLICT DO NOTHING;
    PERFORM FROM forest_holding WHERE owner IN (giver, receiver) ORDER BY owner FOR UPDATE;
    UPDATE forest_holding SET grams = grams - given WHERE owner = giver AND grams >= given;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE forest_holding SET grams = grams + given WHERE owner = receiver;
    IF forest_shard_of(giver) <> forest_shard_of(receiver) THEN
        INSERT INTO forest_moved VALUES (forest_shard_of(giver), 'sent', given),
                                        (forest_shard_of(receiver), 'received', given);
    END IF;
    RETURN true;
END $$;
"""


class Migration(migrations.Migration):
    """Creates the tables of people and groves."""

    dependencies = [("forest", "0011_field")]
    operations = [migrations.RunSQL(PEOPLE, migrations.RunSQL.noop), migrations.RunSQL(MOVES, migrations.RunSQL.noop)]
