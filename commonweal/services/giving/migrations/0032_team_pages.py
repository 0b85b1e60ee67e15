"""The page of a team: its story, goal and end; greetings of those who gave with it."""

from django.db import migrations

PAGES = """
-- What a team's founder tells; the newest counts. Story and names are sealed under the founder's key.
CREATE TABLE giving_team_page (
    book    uuid NOT NULL,
    team    uuid NOT NULL,
    nth     integer NOT NULL CHECK (nth > 0),
    sealed  bytea NOT NULL,
    goal    bigint CHECK (goal > 0),
    ends_at timestamptz,
    at      timestamptz NOT NULL,
    PRIMARY KEY (book, team, nth),
    FOREIGN KEY (book, team) REFERENCES giving_team (book, id),
    CHECK (ends_at > at)
);

-- A team that its founder has closed before its end.
CREATE TABLE giving_team_end (
    book uuid NOT NULL,
    team uuid NOT NULL,
    at   timestamptz NOT NULL,
    PRIMARY KEY (book, team),
    FOREIGN KEY (book, team) REFERENCES giving_team (book, id)
);

-- A word of somebody who gave with a team: one for each gift, sealed under the giver's key.
CREATE TABLE giving_greeting (
    book   uuid NOT NULL,
    id     uuid NOT NULL,
    gift   uuid NOT NULL,
    giver  uuid NOT NULL,
    sealed bytea NOT NULL,
    at     timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    UNIQUE (book, gift),
    FOREIGN KEY (book, gift) REFERENCES giving_team_gift (book, gift)
);
CREATE TABLE giving_greeting_hidden (
    book     uuid NOT NULL,
    greeting uuid NOT NULL,
    by_party uuid NOT NULL,
    note     text NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (book, greeting),
    FOREIGN KEY (book, greeting) REFERENCES giving_greeting (book, id)
);

CREATE FUNCTION giving_team_ends(of uuid, which uuid) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT least((SELECT p.ends_at FROM giving_team_page p WHERE p.book = of AND p.team = which
                  ORDER BY p.nth DESC LIMIT 1),
                 (SELECT e.at FROM giving_team_end e WHERE e.book = of AND e.team = which))
$$;
"""

GUARDS = """
CREATE OR REPLACE FUNCTION giving_check_team_gifts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('team %s is hidden or had closed', n.team))
    FROM added n JOIN giving_gift g ON g.book = n.book AND g.id = n.gift
    WHERE (EXISTS (SELECT FROM giving_team_hidden h WHERE h.book = n.book AND h.team = n.team)
           OR g.at >= giving_team_ends(n.book, n.team))
      AND NOT EXISTS (SELECT FROM giving_payment p WHERE p.book = n.book AND p.gift = n.gift AND p.reference = 'won');
    RETURN NULL;
END $$;

CREATE FUNCTION giving_check_greetings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('greeting %s is not of somebody who gave', n.id))
    FROM added n LEFT JOIN giving_gift g ON g.book = n.book AND g.id = n.gift
    LEFT JOIN giving_payment p ON p.book = n.book AND p.gift = n.gift
    WHERE p.gift IS NULL OR g.giver IS DISTINCT FROM n.giver;
    RETURN NULL;
END $$;
CREATE TRIGGER check_greetings AFTER INSERT ON giving_greeting
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_greetings();
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("team_page", "team_end", "greeting", "greeting_hidden")
)


class Migration(migrations.Migration):
    """Creates the tables."""

    dependencies = [("giving", "0031_team_sums")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (PAGES, GUARDS, APPEND_ONLY)]
