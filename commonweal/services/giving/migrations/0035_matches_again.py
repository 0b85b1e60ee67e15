"""Matches that a won chargeback brings back, as far as their pool has money left."""

from django.db import migrations

AGAIN = """
CREATE TABLE giving_match_again (
    book      uuid NOT NULL,
    matching  uuid NOT NULL,                                -- the match that had been taken back
    of_return uuid NOT NULL,                                -- the chargeback that was won
    again     uuid,                                         -- the match that stands again
    amount    bigint NOT NULL CHECK (amount >= 0),
    short     bigint NOT NULL CHECK (short >= 0),           -- what the pool had no money for
    at        timestamptz NOT NULL,
    PRIMARY KEY (book, matching, of_return),
    FOREIGN KEY (book, matching) REFERENCES giving_match (book, matching),
    FOREIGN KEY (book, again) REFERENCES giving_match (book, matching),
    FOREIGN KEY (book, of_return) REFERENCES giving_return (book, id),
    CHECK ((again IS NULL) = (amount = 0) AND amount + short > 0)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_match_again
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- No more stands again than had been taken back.
CREATE FUNCTION giving_check_matches_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('more of match %s stands again than was taken back', n.matching))
    FROM (SELECT DISTINCT book, matching FROM added) n
    WHERE (SELECT sum(a.amount + a.short) FROM giving_match_again a WHERE a.book = n.book AND a.matching = n.matching)
        > (SELECT coalesce(sum(r.amount), 0) FROM giving_return r
           WHERE r.book = n.book AND r.gift = n.matching AND r.cause = 'claw-back');
    RETURN NULL;
END $$;
CREATE TRIGGER check_matches_again AFTER INSERT ON giving_match_again
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_matches_again();
"""


class Migration(migrations.Migration):
    """Creates the table."""

    dependencies = [("giving", "0034_income")]
    operations = [migrations.RunSQL(AGAIN, elidable=False)]
