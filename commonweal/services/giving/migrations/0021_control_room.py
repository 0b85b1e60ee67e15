"""The control room: what each web process has just carried, what stewards announce, and counters at checkpoints."""

from django.db import migrations

ROOM = """
-- What a web process has carried since its last line, a few lines a second while gifts come. Forgotten after a minute,
-- and worth nothing after a crash: that is why it is not logged.
CREATE UNLOGGED TABLE giving_meter (
    process uuid NOT NULL,
    at      timestamptz NOT NULL,
    seconds real NOT NULL CHECK (seconds > 0),
    taken   integer NOT NULL CHECK (taken >= 0),            -- gifts answered 201
    passed  integer NOT NULL CHECK (passed >= 0),           -- left to the API: refusals and repetitions
    busy    integer NOT NULL CHECK (busy >= 0),             -- answered 503
    failed  integer NOT NULL CHECK (failed >= 0),
    waiting integer NOT NULL CHECK (waiting >= 0),          -- in the queue at that moment
    times   integer[] NOT NULL,                             -- gifts by the time they took: rules.load
    PRIMARY KEY (process, at)
);
CREATE INDEX giving_meter_at ON giving_meter (at);

-- What is said on every public page of giving for a while.
CREATE TABLE giving_announcement (
    id       uuid PRIMARY KEY,
    text_en  text NOT NULL CHECK (text_en <> ''),
    text_zh  text NOT NULL CHECK (text_zh <> ''),
    by_party uuid NOT NULL,
    at       timestamptz NOT NULL,
    until    timestamptz NOT NULL,
    CHECK (until > at)
);

-- What all leaves of gifts before a checkpoint add up to. `kept` is what the books have moved for the very same gifts: a
-- counter that is not equal cannot be written.
CREATE TABLE giving_counter (
    size   bigint NOT NULL CHECK (size > 0),
    asset  text NOT NULL,
    gifts  bigint NOT NULL CHECK (gifts >= 0),
    amount bigint NOT NULL CHECK (amount >= 0),
    kept   bigint NOT NULL CHECK (kept = amount),
    PRIMARY KEY (size, asset)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_counter
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    """Creates its tables."""

    dependencies = [("giving", "0020_cards")]
    operations = [migrations.RunSQL(ROOM, elidable=False)]
