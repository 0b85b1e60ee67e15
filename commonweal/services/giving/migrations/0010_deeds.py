"""What people give beside money: actions and time; sponsors who turn actions into money; the clock of disclosure."""

from django.db import migrations

DEEDS = """
-- Steps, flowers, books: the id is that of the transfer in the books. `day` is of the local calendar.
CREATE TABLE giving_act (
    book   uuid NOT NULL REFERENCES giving_campaign (id),
    id     uuid NOT NULL,
    person uuid NOT NULL,
    asset  text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    day    date NOT NULL,
    device bytea,                                  -- a hash; null if the door knows of none
    at     timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    FOREIGN KEY (book, id) REFERENCES ledger_transfer (book, id)
);
CREATE INDEX giving_act_person ON giving_act (person, asset, day);
CREATE INDEX giving_act_device ON giving_act (device, asset, day) WHERE device IS NOT NULL;

-- A sponsor's contract: `pays` for each `per` units given until `closes_at`, at most `most`.
CREATE TABLE giving_sponsorship (
    id         uuid PRIMARY KEY,
    campaign   uuid NOT NULL REFERENCES giving_campaign (id),   -- small tables: not spread by book
    sponsor    uuid NOT NULL REFERENCES parties_party (id),
    asset      text NOT NULL,
    per        bigint NOT NULL CHECK (per > 0),
    pays       bigint NOT NULL CHECK (pays > 0),
    most       bigint NOT NULL CHECK (most >= pays),
    opens_at   timestamptz NOT NULL,
    closes_at  timestamptz NOT NULL CHECK (closes_at > opens_at),
    fact       uuid NOT NULL,
    settled_at timestamptz,
    due        bigint CHECK (due BETWEEN 0 AND most),
    gift       uuid,
    CHECK ((settled_at IS NULL) = (due IS NULL))
);
CREATE INDEX giving_sponsorship_campaign ON giving_sponsorship (campaign);
CREATE INDEX giving_sponsorship_open ON giving_sponsorship (closes_at) WHERE settled_at IS NULL;

CREATE TABLE giving_shift (
    id       uuid PRIMARY KEY,
    campaign uuid NOT NULL REFERENCES giving_campaign (id),
    what_en text NOT NULL,
    what_zh text NOT NULL,
    span    tstzrange NOT NULL CHECK (NOT isempty(span) AND NOT lower_inf(span) AND NOT upper_inf(span)),
    seats   integer NOT NULL CHECK (seats > 0),
    at      timestamptz NOT NULL
);
CREATE INDEX giving_shift_campaign ON giving_shift (campaign);

CREATE TABLE giving_signup (
    shift         uuid NOT NULL REFERENCES giving_shift (id),
    person        uuid NOT NULL REFERENCES parties_party (id),
    span          tstzrange NOT NULL,
    at            timestamptz NOT NULL,
    checked_in_at timestamptz,
    PRIMARY KEY (shift, person),
    EXCLUDE USING gist (person WITH =, span WITH &&)       -- nobody is in two places
);

-- What the receiving side, or after a dispute a steward, says that somebody was there for. The latest counts.
CREATE TABLE giving_hours (
    shift   uuid NOT NULL,
    person  uuid NOT NULL,
    nth     smallint NOT NULL CHECK (nth IN (1, 2)),
    minutes integer NOT NULL CHECK (minutes >= 0),
    by      uuid NOT NULL CHECK (by <> person),
    fact    uuid NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (shift, person, nth),
    FOREIGN KEY (shift, person) REFERENCES giving_signup (shift, person)
);
CREATE TABLE giving_dispute (
    shift   uuid NOT NULL,
    person  uuid NOT NULL,
    minutes integer NOT NULL CHECK (minutes >= 0),
    at      timestamptz NOT NULL,
    PRIMARY KEY (shift, person),
    FOREIGN KEY (shift, person) REFERENCES giving_signup (shift, person)
);

-- Words about deadlines that were sent, each once. `days` ahead; 0 is the end of giving.
CREATE TABLE giving_warning (
    book uuid NOT NULL REFERENCES giving_campaign (id),
    due  timestamptz NOT NULL,
    days smallint NOT NULL,
    at   timestamptz NOT NULL,
    PRIMARY KEY (book, due, days)
);

-- Whether what was bought is used, so many days after its payout: asked for, and answered.
CREATE TABLE giving_use (
    book        uuid NOT NULL,
    request     uuid NOT NULL,
    after       smallint NOT NULL CHECK (after IN (30, 90, 365)),
    asked_at    timestamptz NOT NULL,
    answered_at timestamptz,
    said_en     text,
    said_zh     text,
    evidence    text,
    fact        uuid,
    PRIMARY KEY (book, request, after),
    FOREIGN KEY (book, request) REFERENCES giving_payout (book, request)
);
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("act", "shift", "hours", "dispute", "warning")
)


class Migration(migrations.Migration):
    """Creates the tables of deeds and of the clock."""

    dependencies = [("giving", "0009_webhooks")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (DEEDS, APPEND_ONLY)]
