"""What givers and charities write to each other, sealed under the giver's key; and thanks to everyone of a campaign."""

from django.db import migrations

THREADS = """
CREATE TABLE giving_thread (
    book   uuid NOT NULL REFERENCES giving_campaign (id),
    id     uuid NOT NULL,
    giver  uuid NOT NULL,
    gift   uuid,                                            -- what it is about; null: the campaign
    sealed bytea,                                           -- what the giver wants to be called; null: nothing
    at     timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    FOREIGN KEY (book, gift) REFERENCES giving_gift (book, id)
);
CREATE INDEX giving_thread_giver ON giving_thread (giver, at);

CREATE TABLE giving_message (
    book   uuid NOT NULL,
    thread uuid NOT NULL,
    nth    smallint NOT NULL CHECK (nth BETWEEN 1 AND 1000),    -- rules.threads.MOST
    side   text NOT NULL CHECK (side IN ('giver', 'charity')),
    author uuid NOT NULL,
    sealed bytea NOT NULL,
    key    text NOT NULL,
    at     timestamptz NOT NULL,
    PRIMARY KEY (book, thread, nth),
    UNIQUE (book, thread, side, key),
    FOREIGN KEY (book, thread) REFERENCES giving_thread (book, id)
);
CREATE INDEX giving_message_author ON giving_message (author, at);

-- How far each side has read.
CREATE TABLE giving_thread_seen (
    book   uuid NOT NULL,
    thread uuid NOT NULL,
    side   text NOT NULL CHECK (side IN ('giver', 'charity')),
    nth    smallint NOT NULL,
    PRIMARY KEY (book, thread, side),
    FOREIGN KEY (book, thread, nth) REFERENCES giving_message (book, thread, nth)
);

-- A steward is called, and decides.
CREATE TABLE giving_thread_call (
    book   uuid NOT NULL,
    thread uuid NOT NULL,
    nth    smallint NOT NULL CHECK (nth > 0),
    side   text NOT NULL CHECK (side IN ('giver', 'charity')),
    sealed bytea NOT NULL,
    at     timestamptz NOT NULL,
    PRIMARY KEY (book, thread, nth),
    FOREIGN KEY (book, thread) REFERENCES giving_thread (book, id)
);
CREATE TABLE giving_thread_word (
    book    uuid NOT NULL,
    thread  uuid NOT NULL,
    nth     smallint NOT NULL,
    steward uuid NOT NULL,
    closes  boolean NOT NULL,
    sealed  bytea NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (book, thread, nth),
    FOREIGN KEY (book, thread, nth) REFERENCES giving_thread_call (book, thread, nth)
);
CREATE UNIQUE INDEX giving_thread_closed ON giving_thread_word (book, thread) WHERE closes;

CREATE FUNCTION giving_check_threads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('thread %s is not by a giver of its campaign', n.id))
    FROM added n
    WHERE NOT EXISTS (SELECT FROM giving_gift g JOIN giving_payment p ON p.book = g.book AND p.gift = g.id
                      WHERE g.book = n.book AND g.giver = n.giver AND (n.gift IS NULL OR g.id = n.gift));
    RETURN NULL;
END $$;
CREATE TRIGGER check_threads AFTER INSERT ON giving_thread
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_threads();

CREATE FUNCTION giving_check_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('message %s of thread %s is not by its giver', n.nth, n.thread))
    FROM added n JOIN giving_thread t ON t.book = n.book AND t.id = n.thread
    WHERE n.side = 'giver' AND n.author <> t.giver;
    PERFORM giving_refuse(format('thread %s has a gap before message %s', n.thread, n.nth))
    FROM added n
    WHERE n.nth > 1 AND NOT EXISTS (
        SELECT FROM giving_message b WHERE b.book = n.book AND b.thread = n.thread AND b.nth = n.nth - 1);
    PERFORM giving_refuse(format('thread %s is closed', n.thread))
    FROM added n JOIN giving_thread_word w ON w.book = n.book AND w.thread = n.thread AND w.closes;
    RETURN NULL;
END $$;
CREATE TRIGGER check_messages AFTER INSERT ON giving_message
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_messages();
"""

THANKS = """
CREATE TABLE giving_thanks (
    book    uuid NOT NULL REFERENCES giving_campaign (id),
    id      uuid NOT NULL,
    officer uuid NOT NULL,
    said_en text NOT NULL,
    said_zh text NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (book, id)
);
CREATE TABLE giving_thanks_to (
    book   uuid NOT NULL,
    thanks uuid NOT NULL,
    giver  uuid NOT NULL,
    PRIMARY KEY (book, thanks, giver),
    FOREIGN KEY (book, thanks) REFERENCES giving_thanks (book, id)
);
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("thread", "message", "thread_call", "thread_word", "thanks", "thanks_to")
)


class Migration(migrations.Migration):
    """Creates the tables."""

    dependencies = [("giving", "0027_banks")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (THREADS, THANKS, APPEND_ONLY)]
