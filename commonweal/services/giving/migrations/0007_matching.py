"""Matching: a company's pool in a campaign's book, and what each gift reserves of it."""

from django.db import migrations

MATCHING = """
CREATE TABLE giving_pool (
    book        uuid NOT NULL REFERENCES giving_campaign (id),
    id          uuid NOT NULL,
    company     uuid NOT NULL REFERENCES parties_party (id),
    numerator   integer NOT NULL CHECK (numerator > 0),
    denominator integer NOT NULL CHECK (denominator > 0),
    gift_cap    bigint CHECK (gift_cap > 0),
    day_cap     bigint CHECK (day_cap > 0),                 -- one giver on one day
    opens_at    timestamptz NOT NULL,
    closes_at   timestamptz NOT NULL CHECK (closes_at > opens_at),
    fact        uuid NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (book, id)
);
CREATE INDEX giving_pool_time ON giving_pool (book, opens_at);

-- What a gift is matched with. `matching` is the gift that the pool makes: pending while `gift` waits for its payment.
CREATE TABLE giving_match (
    book     uuid NOT NULL,
    gift     uuid NOT NULL,
    matching uuid NOT NULL,
    pool     uuid NOT NULL,
    giver    uuid NOT NULL,
    day      date NOT NULL,
    amount   bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (book, matching),
    FOREIGN KEY (book, gift) REFERENCES giving_gift (book, id),
    FOREIGN KEY (book, matching) REFERENCES giving_gift (book, id),
    FOREIGN KEY (book, pool) REFERENCES giving_pool (book, id),
    CHECK (gift <> matching)
);
CREATE INDEX giving_match_gift ON giving_match (book, gift);
CREATE INDEX giving_match_day ON giving_match (book, pool, giver, day);
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("pool", "match")
)


class Migration(migrations.Migration):
    """Creates the tables of matching."""

    dependencies = [("giving", "0006_leftovers")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (MATCHING, APPEND_ONLY)]
