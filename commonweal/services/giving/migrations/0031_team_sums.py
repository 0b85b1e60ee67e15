"""Teams whose names go with their founder, whose sums are told in steps, and that take no gift once they are hidden."""

import hmac
from typing import Any

from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations

from commonweal.kernel.parties import cipher

OPEN = """
ALTER TABLE giving_team DISABLE TRIGGER append_only;
ALTER TABLE giving_team ADD COLUMN sealed bytea;            -- its name, under the key of its founder

-- That no two teams of a campaign have one name: a keyed hash, deleted when the founder is forgotten.
CREATE TABLE giving_team_called (
    book   uuid NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    team   uuid NOT NULL,
    PRIMARY KEY (book, digest),
    FOREIGN KEY (book, team) REFERENCES giving_team (book, id)
);
"""


def seal(apps: Apps, schema_editor: Any) -> None:
    """Seal the names that are there."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT book, id, name, founder FROM giving_team")
        for book, id, name, founder in cursor.fetchall():
            try:
                sealed = cipher.seal_for(founder, {"name": name})
            except cipher.Forgotten:
                sealed = b""
            digest = hmac.digest(cipher.platform_key(settings.HOME), f"giving team\n{name.lower()}".encode(), "sha256")
            cursor.execute("UPDATE giving_team SET sealed = %s WHERE book = %s AND id = %s", [sealed, book, id])
            if sealed:
                cursor.execute(
                    "INSERT INTO giving_team_called (book, digest, team) VALUES (%s, %s, %s)", [book, digest, id]
                )


TEAMS = """
ALTER TABLE giving_team ALTER COLUMN sealed SET NOT NULL, DROP COLUMN name;
ALTER TABLE giving_team ENABLE TRIGGER append_only;

-- What has been told of a team's sum: a step is the movements of three people or more.
CREATE TABLE giving_team_sum (
    book   uuid NOT NULL,
    team   uuid NOT NULL,
    nth    integer NOT NULL CHECK (nth > 0),
    people integer NOT NULL CHECK (people >= 0),
    amount bigint NOT NULL CHECK (amount >= 0),
    at     timestamptz NOT NULL,
    PRIMARY KEY (book, team, nth),
    FOREIGN KEY (book, team) REFERENCES giving_team (book, id)
);

ALTER TABLE giving_recurring ADD COLUMN team uuid,
    ADD FOREIGN KEY (book, team) REFERENCES giving_team (book, id);

CREATE FUNCTION giving_team_moved(of uuid, which uuid, since timestamptz, until timestamptz) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT count(DISTINCT g.giver) FROM giving_team_gift m
    JOIN giving_gift g ON g.book = m.book AND g.id = m.gift
    JOIN giving_payment p ON p.book = m.book AND p.gift = m.gift
    WHERE m.book = of AND m.team = which AND p.at <= until AND (p.at > since OR EXISTS (
        SELECT FROM giving_return r JOIN giving_return_end e ON e.book = r.book AND e.id = r.id AND e.outcome = 'done'
        WHERE r.book = m.book AND r.gift = m.gift AND e.at > since AND e.at <= until))
$$;
"""

GUARDS = """
CREATE FUNCTION giving_check_team_sums() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('a step of team %s shows the gifts of fewer than three people', n.team))
    FROM added n LEFT JOIN giving_team_sum last ON last.book = n.book AND last.team = n.team AND last.nth = n.nth - 1
    WHERE giving_team_moved(n.book, n.team, coalesce(last.at, '-infinity'), n.at) < 3
       OR (last.team IS NULL AND n.nth > 1) OR n.at <= last.at;
    RETURN NULL;
END $$;
CREATE TRIGGER check_team_sums AFTER INSERT ON giving_team_sum
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_team_sums();

-- What a won chargeback brings back was given before.
CREATE FUNCTION giving_check_team_gifts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('team %s is hidden', n.team))
    FROM added n JOIN giving_team_hidden h ON h.book = n.book AND h.team = n.team
    WHERE NOT EXISTS (SELECT FROM giving_payment p WHERE p.book = n.book AND p.gift = n.gift AND p.reference = 'won');
    RETURN NULL;
END $$;
CREATE TRIGGER check_team_gifts AFTER INSERT ON giving_team_gift
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_team_gifts();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_team_sum
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    """Seals the names and creates the tables."""

    dependencies = [("giving", "0030_views"), ("parties", "__first__")]
    operations = [
        migrations.RunSQL(OPEN, elidable=False),
        migrations.RunPython(seal, elidable=False),
        *(migrations.RunSQL(sql, elidable=False) for sql in (TEAMS, GUARDS)),
    ]
