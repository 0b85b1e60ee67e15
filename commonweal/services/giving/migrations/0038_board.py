"""The boards of time banks: what members offer and need, what is written about it, and the exchanges that follow."""

from django.db import migrations

TABLES = """
-- Shown without its member's name and number; its words are sealed under the member's key.
CREATE TABLE giving_listing (
    id         uuid PRIMARY KEY,
    bank       uuid NOT NULL REFERENCES giving_bank (id),
    member     uuid NOT NULL REFERENCES giving_bank_member (id),
    kind       text NOT NULL CHECK (kind IN ('offer', 'ask')),
    category   text NOT NULL CHECK (category IN (
        'care', 'meals', 'errands', 'transport', 'children', 'lessons', 'digital', 'home', 'garden', 'culture', 'other')),
    district   text NOT NULL CHECK (district <> '' AND district !~ '[0-9]'),
    sealed     bytea NOT NULL,
    at         timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > at AND expires_at <= at + interval '90 days')
);
CREATE INDEX giving_listing_bank ON giving_listing (bank, expires_at);
CREATE INDEX giving_listing_member ON giving_listing (member);

CREATE TABLE giving_listing_end (
    listing  uuid PRIMARY KEY REFERENCES giving_listing (id),
    by_party uuid NOT NULL,
    note     text NOT NULL,                            -- why, if an officer has taken it off
    at       timestamptz NOT NULL
);

-- Between the member whose listing it is and one other (`member`); sealed under the other's key.
CREATE TABLE giving_listing_word (
    id        uuid PRIMARY KEY,
    listing   uuid NOT NULL REFERENCES giving_listing (id),
    member    uuid NOT NULL REFERENCES giving_bank_member (id),
    by_author boolean NOT NULL,
    sealed    bytea NOT NULL,
    at        timestamptz NOT NULL
);
CREATE INDEX giving_listing_word_listing ON giving_listing_word (listing, member, at);

-- What was asked for in answer to a listing; it stands in the book of its exchange.
CREATE TABLE giving_listing_exchange (
    book    uuid NOT NULL,
    id      uuid NOT NULL,
    listing uuid NOT NULL REFERENCES giving_listing (id),
    PRIMARY KEY (book, id),
    FOREIGN KEY (book, id) REFERENCES giving_exchange (book, id)
);
"""

TRIGGERS = """
CREATE FUNCTION giving_listing_open(which uuid, moment timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM giving_listing l JOIN giving_bank_member m ON m.id = l.member AND m.left_at IS NULL
        WHERE l.id = which AND moment >= l.at AND moment < l.expires_at
          AND NOT EXISTS (SELECT FROM giving_listing_end e WHERE e.listing = l.id))
$$;

CREATE FUNCTION giving_check_listings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM giving_bank_member m WHERE m.id = NEW.member AND m.bank = NEW.bank
                   AND m.admitted_at IS NOT NULL AND m.left_at IS NULL) THEN
        PERFORM giving_refuse(format('listing %s is not of a member of its bank', NEW.id));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_listings BEFORE INSERT ON giving_listing
    FOR EACH ROW EXECUTE FUNCTION giving_check_listings();

CREATE FUNCTION giving_check_listing_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM giving_listing l JOIN giving_bank_member a ON a.id = l.member
        JOIN giving_bank_member m ON m.id = NEW.member AND m.person <> a.person AND m.admitted_at IS NOT NULL
        WHERE l.id = NEW.listing) THEN
        PERFORM giving_refuse(format('word %s is not of another member', NEW.id));
    END IF;
    IF NEW.by_author THEN
        IF NOT EXISTS (SELECT FROM giving_listing_word w WHERE w.listing = NEW.listing AND w.member = NEW.member
                       AND NOT w.by_author) THEN
            PERFORM giving_refuse(format('word %s answers nobody', NEW.id));
        END IF;
    ELSIF NOT giving_listing_open(NEW.listing, NEW.at) THEN
        PERFORM giving_refuse(format('word %s is about what is over', NEW.id));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_listing_words BEFORE INSERT ON giving_listing_word
    FOR EACH ROW EXECUTE FUNCTION giving_check_listing_words();

-- An exchange in answer to a listing is with its member, in its category, and goes the way that it says.
CREATE FUNCTION giving_check_listing_exchanges() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM giving_exchange e JOIN giving_listing l ON l.id = NEW.listing AND l.category = e.category
         AND l.member = CASE l.kind WHEN 'offer' THEN e.payee ELSE e.payer END
        WHERE e.book = NEW.book AND e.id = NEW.id AND giving_listing_open(l.id, e.at)) THEN
        PERFORM giving_refuse(format('exchange %s does not answer listing %s', NEW.id, NEW.listing));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_listing_exchanges BEFORE INSERT ON giving_listing_exchange
    FOR EACH ROW EXECUTE FUNCTION giving_check_listing_exchanges();
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("listing", "listing_end", "listing_word", "listing_exchange")
)


class Migration(migrations.Migration):
    """Creates the tables of boards."""

    dependencies = [("giving", "0037_objections")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (TABLES, TRIGGERS, APPEND_ONLY)]
