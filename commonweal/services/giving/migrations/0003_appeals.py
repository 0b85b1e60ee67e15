"""A person's appeal for help: kept apart from campaigns, which are a charity's; its words are sealed under their key."""

from django.db import migrations

APPEALS = """
CREATE TABLE giving_appeal (
    id           uuid PRIMARY KEY,
    asker        uuid NOT NULL REFERENCES parties_party (id),
    amount       bigint NOT NULL CHECK (amount BETWEEN 1 AND 30000000),    -- fen; rules.appeals.CAP
    topic        text NOT NULL,
    sealed       bytea NOT NULL,
    fact         uuid NOT NULL,
    at           timestamptz NOT NULL,
    withdrawn_at timestamptz
);
CREATE INDEX giving_appeal_asker ON giving_appeal (asker);
CREATE UNIQUE INDEX giving_appeal_one ON giving_appeal (asker) WHERE withdrawn_at IS NULL;

-- A steward has looked at the papers: the appeal is shown, or not.
CREATE TABLE giving_appeal_word (
    appeal  uuid PRIMARY KEY REFERENCES giving_appeal (id),
    steward uuid NOT NULL,
    shows   boolean NOT NULL,
    note    text NOT NULL,
    fact    uuid NOT NULL,
    at      timestamptz NOT NULL
);

-- A charity has made it its own: what is given for it is given to that campaign.
CREATE TABLE giving_adoption (
    appeal   uuid PRIMARY KEY REFERENCES giving_appeal (id),
    campaign uuid NOT NULL REFERENCES giving_campaign (id),
    officer  uuid NOT NULL,
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX giving_adoption_campaign ON giving_adoption (campaign);

CREATE FUNCTION giving_check_appeal_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('appeal %s is not judged by whom it is from', n.appeal))
    FROM added n JOIN giving_appeal a ON a.id = n.appeal WHERE a.asker = n.steward;
    RETURN NULL;
END $$;
CREATE TRIGGER check_words AFTER INSERT ON giving_appeal_word
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_appeal_words();

CREATE FUNCTION giving_check_adoptions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('appeal %s has not been checked', n.appeal))
    FROM added n WHERE NOT EXISTS (SELECT FROM giving_appeal_word w WHERE w.appeal = n.appeal AND w.shows);
    RETURN NULL;
END $$;
CREATE TRIGGER check_adoptions AFTER INSERT ON giving_adoption
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_adoptions();
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("appeal_word", "adoption")
)


class Migration(migrations.Migration):
    """Creates the tables of appeals."""

    dependencies = [("giving", "0002_money")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (APPEALS, APPEND_ONLY)]
