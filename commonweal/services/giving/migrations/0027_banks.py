"""Time banks: their members, what these exchange, alliances between banks, and clearings.

A bank's id is its book. Banks, members and alliances are small tables that books refer to. Balances, holds and limits
are the ledger's: `member:<id>` and `common` (credit) and `ally:<alliance>` (debit) have floors that never change.
"""

from django.db import migrations

TABLES = """
CREATE TABLE giving_bank (
    id           uuid PRIMARY KEY,                                          -- its book
    organisation uuid NOT NULL UNIQUE REFERENCES parties_party (id),
    name_en      text NOT NULL CHECK (name_en <> ''),
    name_zh      text NOT NULL CHECK (name_zh <> ''),
    may_owe      bigint NOT NULL CHECK (may_owe BETWEEN 0 AND 6000),        -- minutes: a member's floor is its negative
    may_bear     bigint NOT NULL CHECK (may_bear BETWEEN 0 AND 60000),
    fact         uuid NOT NULL,
    at           timestamptz NOT NULL
);
CREATE TABLE giving_bank_member (
    id          uuid PRIMARY KEY,
    bank        uuid NOT NULL REFERENCES giving_bank (id),
    number      integer NOT NULL CHECK (number > 0),
    person      uuid NOT NULL REFERENCES parties_party (id),
    sealed      bytea NOT NULL,                        -- the name that other members see, under the person's key
    asked_at    timestamptz NOT NULL,
    admitted_at timestamptz,
    admitted_by uuid CHECK (admitted_by <> person),
    left_at     timestamptz,
    UNIQUE (bank, number),
    CHECK ((admitted_at IS NULL) = (admitted_by IS NULL))
);
CREATE UNIQUE INDEX giving_bank_member_person ON giving_bank_member (person, bank) WHERE left_at IS NULL;

-- Both banks agree to a limit: what either may owe the other. `one` has proposed it.
CREATE TABLE giving_alliance (
    id          uuid PRIMARY KEY,
    one         uuid NOT NULL REFERENCES giving_bank (id),
    other       uuid NOT NULL REFERENCES giving_bank (id) CHECK (other <> one),
    most        bigint NOT NULL CHECK (most BETWEEN 1 AND 600000),
    proposed_by uuid NOT NULL,
    proposed_at timestamptz NOT NULL,
    accepted_by uuid CHECK (accepted_by <> proposed_by),
    accepted_at timestamptz,
    ended_at    timestamptz,
    CHECK ((accepted_at IS NULL) = (accepted_by IS NULL))
);
CREATE UNIQUE INDEX giving_alliance_pair ON giving_alliance (least(one, other), greatest(one, other))
    WHERE accepted_at IS NOT NULL AND ended_at IS NULL;
CREATE INDEX giving_alliance_one ON giving_alliance (one);
CREATE INDEX giving_alliance_other ON giving_alliance (other);

-- One wish of a member, once (book: of the member's bank), and the exchanges that it asks for (book: of the payer's).
CREATE TABLE giving_asking (
    book    uuid NOT NULL REFERENCES giving_bank (id),
    id      uuid NOT NULL,
    member  uuid NOT NULL REFERENCES giving_bank_member (id),
    key     text NOT NULL,
    request bytea NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    UNIQUE (book, member, key)
);
CREATE TABLE giving_exchange (
    book       uuid NOT NULL REFERENCES giving_bank (id),
    id         uuid NOT NULL,
    asking     uuid NOT NULL,
    payer      uuid NOT NULL REFERENCES giving_bank_member (id),
    payee      uuid NOT NULL REFERENCES giving_bank_member (id) CHECK (payee <> payer),
    payee_bank uuid NOT NULL REFERENCES giving_bank (id),
    alliance   uuid REFERENCES giving_alliance (id),
    minutes    bigint NOT NULL CHECK (minutes BETWEEN 1 AND 1440),
    category   text NOT NULL CHECK (category IN (
        'care', 'meals', 'errands', 'transport', 'children', 'lessons', 'digital', 'home', 'garden', 'culture', 'other')),
    held       uuid,                                   -- what the payer has promised, who asked for it; else null
    at         timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > at),
    PRIMARY KEY (book, id),
    FOREIGN KEY (book, held) REFERENCES ledger_transfer (book, id),
    CHECK ((alliance IS NULL) = (payee_bank = book))
);
CREATE INDEX giving_exchange_payer ON giving_exchange (payer);
CREATE INDEX giving_exchange_payee ON giving_exchange (payee);
CREATE TABLE giving_exchange_end (
    book    uuid NOT NULL,
    id      uuid NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('confirmed', 'declined', 'withdrawn', 'expired')),
    moved   uuid,
    fact    uuid,
    at      timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    FOREIGN KEY (book, id) REFERENCES giving_exchange (book, id),
    FOREIGN KEY (book, moved) REFERENCES ledger_transfer (book, id),
    CHECK ((outcome = 'confirmed') = (moved IS NOT NULL)),
    CHECK ((outcome = 'confirmed') = (fact IS NOT NULL))
);
CREATE TABLE giving_exchange_dispute (
    book    uuid NOT NULL,
    id      uuid NOT NULL,
    member  uuid NOT NULL,
    minutes bigint NOT NULL CHECK (minutes >= 0),      -- how long it was, says the member
    at      timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    FOREIGN KEY (book, id) REFERENCES giving_exchange_end (book, id)
);
-- What goes back of an exchange, once: given back by who got it, or decided by a steward.
CREATE TABLE giving_exchange_back (
    book    uuid NOT NULL,
    id      uuid NOT NULL,
    minutes bigint NOT NULL CHECK (minutes >= 0),
    borne   bigint NOT NULL CHECK (borne BETWEEN 0 AND minutes),   -- by the payee's bank: its member had spent them
    by      uuid NOT NULL,
    moved   uuid,
    fact    uuid NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    FOREIGN KEY (book, id) REFERENCES giving_exchange_end (book, id),
    FOREIGN KEY (book, moved) REFERENCES ledger_transfer (book, id),
    CHECK ((moved IS NULL) = (minutes = 0))
);

-- What was struck out between banks; the statement is published as it is, its SHA-256 stands in the log.
CREATE TABLE giving_clearing (
    id        uuid PRIMARY KEY,
    number    integer NOT NULL UNIQUE CHECK (number > 0),
    statement text NOT NULL,
    struck    bigint NOT NULL CHECK (struck >= 0),
    fact      uuid NOT NULL,
    at        timestamptz NOT NULL
);
"""

TRIGGERS = """
CREATE FUNCTION giving_check_exchanges() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE payer record; payee record;
BEGIN
    SELECT bank, person, admitted_at IS NOT NULL AND left_at IS NULL AS there INTO payer
    FROM giving_bank_member WHERE id = NEW.payer;
    SELECT bank, person, admitted_at IS NOT NULL AND left_at IS NULL AS there INTO payee
    FROM giving_bank_member WHERE id = NEW.payee;
    IF payer.bank IS DISTINCT FROM NEW.book OR payee.bank IS DISTINCT FROM NEW.payee_bank
       OR NOT payer.there OR NOT payee.there OR payer.person = payee.person THEN
        PERFORM ledger_refuse(format('exchange %s is not between two members', NEW.id));
    END IF;
    IF NEW.alliance IS NOT NULL AND NOT EXISTS (
        SELECT FROM giving_alliance a
        WHERE a.id = NEW.alliance AND a.accepted_at IS NOT NULL AND a.ended_at IS NULL
          AND (a.one, a.other) IN ((NEW.book, NEW.payee_bank), (NEW.payee_bank, NEW.book))) THEN
        PERFORM ledger_refuse(format('exchange %s is between banks that are not allied', NEW.id));
    END IF;
    IF NEW.held IS NOT NULL AND NOT EXISTS (
        SELECT FROM ledger_transfer t JOIN ledger_posting p ON p.book = t.book AND p.transfer = t.id
        JOIN ledger_account a ON a.book = p.book AND a.id = p.account
        WHERE t.book = NEW.book AND t.id = NEW.held AND t.phase = 'pending'
          AND a.name = 'member:' || NEW.payer AND p.amount = NEW.minutes) THEN
        PERFORM ledger_refuse(format('exchange %s is not what is held for it', NEW.id));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_exchanges BEFORE INSERT ON giving_exchange
    FOR EACH ROW EXECUTE FUNCTION giving_check_exchanges();

-- What is confirmed has moved: that many minutes, from the payer, by the very transfer that was held.
CREATE FUNCTION giving_check_exchange_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.outcome = 'confirmed' AND NOT EXISTS (
        SELECT FROM giving_exchange e JOIN ledger_transfer t ON t.book = e.book AND t.id = NEW.moved
        JOIN ledger_posting p ON p.book = t.book AND p.transfer = t.id
        JOIN ledger_account a ON a.book = p.book AND a.id = p.account
        WHERE e.book = NEW.book AND e.id = NEW.id AND e.held IS NOT DISTINCT FROM t.resolves
          AND t.phase IN ('posted', 'post') AND a.name = 'member:' || e.payer AND p.amount = e.minutes) THEN
        PERFORM ledger_refuse(format('exchange %s has not moved what it says', NEW.id));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_exchange_ends BEFORE INSERT ON giving_exchange_end
    FOR EACH ROW EXECUTE FUNCTION giving_check_exchange_ends();

CREATE FUNCTION giving_check_exchange_backs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM giving_exchange e JOIN giving_exchange_end d ON d.book = e.book AND d.id = e.id
        WHERE e.book = NEW.book AND e.id = NEW.id AND d.outcome = 'confirmed' AND NEW.minutes <= e.minutes
          AND (NEW.minutes = 0 OR EXISTS (
            SELECT FROM ledger_posting p JOIN ledger_account a ON a.book = p.book AND a.id = p.account
            WHERE p.book = NEW.book AND p.transfer = NEW.moved AND p.amount = -NEW.minutes
              AND a.name IN ('member:' || e.payer, 'common')))) THEN
        PERFORM ledger_refuse(format('exchange %s gives back what it has not moved', NEW.id));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_exchange_backs BEFORE INSERT ON giving_exchange_back
    FOR EACH ROW EXECUTE FUNCTION giving_check_exchange_backs();
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in (
        "bank",
        "asking",
        "exchange",
        "exchange_end",
        "exchange_dispute",
        "exchange_back",
        "clearing",
    )
)


class Migration(migrations.Migration):
    """Creates the tables of time banks."""

    dependencies = [("giving", "0026_twice")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (TABLES, TRIGGERS, APPEND_ONLY)]
