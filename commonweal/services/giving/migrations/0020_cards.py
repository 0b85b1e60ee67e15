"""Gift cards: what was bought, by which payment, under which code (its hash), and what of it was given where."""

from django.db import migrations

CARDS = """
-- Its id is that of its transfer in the books; its book is that of the campaign which gets what is left at its end.
CREATE TABLE giving_card (
    book    uuid NOT NULL REFERENCES giving_campaign (id),
    id      uuid NOT NULL,
    buyer   uuid NOT NULL,
    amount  bigint NOT NULL CHECK (amount > 0),
    channel text NOT NULL,
    expires timestamptz NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    FOREIGN KEY (book, id) REFERENCES ledger_transfer (book, id)
);
CREATE INDEX giving_card_buyer ON giving_card (buyer, id);

CREATE TABLE giving_card_payment (
    book      uuid NOT NULL,
    card      uuid NOT NULL,
    transfer  uuid NOT NULL,
    reference text NOT NULL,
    fact      uuid NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (book, card),
    FOREIGN KEY (book, card) REFERENCES giving_card (book, id)
);

-- The hash of a code that was shown, once.
CREATE TABLE giving_card_code (
    book   uuid NOT NULL,
    card   uuid NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    at     timestamptz NOT NULL,
    PRIMARY KEY (book, card),
    FOREIGN KEY (book, card) REFERENCES giving_card_payment (book, card)
);
CREATE INDEX giving_card_code_digest ON giving_card_code (digest);

-- What was given of it: a gift of another book, or of its own.
CREATE TABLE giving_card_use (
    book   uuid NOT NULL,
    card   uuid NOT NULL,
    key    text NOT NULL,
    target uuid NOT NULL,
    gift   uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    at     timestamptz NOT NULL,
    PRIMARY KEY (book, card, key),
    FOREIGN KEY (book, card) REFERENCES giving_card_payment (book, card)
);
CREATE INDEX giving_card_use_gift ON giving_card_use (target, gift);

CREATE TABLE giving_card_miss (
    party uuid NOT NULL,
    at    timestamptz NOT NULL
);
CREATE INDEX giving_card_miss_party ON giving_card_miss (party, at);
"""

GUARDS = """
CREATE FUNCTION giving_check_cards() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('nobody holds the money of card %s', n.id))
    FROM added n JOIN giving_campaign c ON c.id = n.book WHERE c.custody <> 'custodian';
    RETURN NULL;
END $$;
CREATE TRIGGER check_cards AFTER INSERT ON giving_card
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_cards();

-- No more is given of a card than it holds, and each use is the amount of its gift, which is paid by one card alone.
CREATE FUNCTION giving_check_card_uses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('card %s does not hold as much', k.id))
    FROM giving_card k WHERE (k.book, k.id) IN (SELECT book, card FROM added)
      AND k.amount < (SELECT sum(u.amount) FROM giving_card_use u WHERE u.book = k.book AND u.card = k.id);
    PERFORM giving_refuse(format('a use of card %s is not the amount of its gift', n.card))
    FROM added n LEFT JOIN giving_payment p ON p.book = n.target AND p.gift = n.gift
    WHERE p.amount IS DISTINCT FROM n.amount
       OR (SELECT count(*) FROM giving_card_use u WHERE u.target = n.target AND u.gift = n.gift) > 1;
    RETURN NULL;
END $$;
CREATE TRIGGER check_card_uses AFTER INSERT ON giving_card_use
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_card_uses();
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("card", "card_payment", "card_code", "card_use")
)


class Migration(migrations.Migration):
    """Creates the tables of gift cards."""

    dependencies = [("giving", "0019_won")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (CARDS, GUARDS, APPEND_ONLY)]
