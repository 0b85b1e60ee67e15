"""What goes back of gift cards: to who bought one, to their bank, and what of a gift made with one comes back onto it."""

from django.db import migrations

RETURNS = """
-- A refund takes what the card still holds. A chargeback takes that first, then the gifts made with the card, and what
-- had been refunded already is owed by the host.
CREATE TABLE giving_card_return (
    book       uuid NOT NULL,
    id         uuid NOT NULL,
    card       uuid NOT NULL,
    cause      text NOT NULL CHECK (cause IN ('refund', 'chargeback')),
    amount     bigint NOT NULL CHECK (amount > 0),
    from_card  bigint NOT NULL CHECK (from_card >= 0),
    from_gifts bigint NOT NULL CHECK (from_gifts >= 0),
    borne      bigint NOT NULL CHECK (borne >= 0),
    reference  text NOT NULL,
    reason     text NOT NULL,
    asked_by   uuid,
    transfer   uuid NOT NULL,
    fact       uuid NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (book, id),
    FOREIGN KEY (book, card) REFERENCES giving_card_payment (book, card),
    FOREIGN KEY (book, transfer) REFERENCES ledger_transfer (book, id),
    CHECK (amount = from_card + from_gifts + borne),
    CHECK (cause = 'chargeback' OR from_card = amount)
);
CREATE INDEX giving_card_return_card ON giving_card_return (book, card);
CREATE TABLE giving_card_return_end (
    book    uuid NOT NULL,
    id      uuid NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('done', 'failed', 'bounced', 'won')),
    fact    uuid NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (book, id, outcome),
    FOREIGN KEY (book, id) REFERENCES giving_card_return (book, id)
);
CREATE UNIQUE INDEX giving_card_return_end_once ON giving_card_return_end (book, id)
    WHERE outcome IN ('done', 'failed');

-- What of a gift made with a card has come back: onto the card, or on to the bank of who bought it (`card_return`).
-- `gift_return` is the return in the gift's own book.
CREATE TABLE giving_card_back (
    book        uuid NOT NULL,
    gift_return uuid NOT NULL,
    card        uuid NOT NULL,
    target      uuid NOT NULL,
    card_return uuid,
    amount      bigint NOT NULL CHECK (amount > 0),
    at          timestamptz NOT NULL,
    PRIMARY KEY (book, gift_return),
    FOREIGN KEY (book, card) REFERENCES giving_card_payment (book, card),
    FOREIGN KEY (book, card_return) REFERENCES giving_card_return (book, id)
);
CREATE INDEX giving_card_back_card ON giving_card_back (book, card);

-- A gift that stands again for one whose chargeback was won: it was given of the card before.
ALTER TABLE giving_card_use ADD COLUMN again boolean NOT NULL DEFAULT false;

CREATE FUNCTION giving_card_left(of uuid, which uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (k.amount
        - coalesce((SELECT sum(u.amount) FROM giving_card_use u
                    WHERE u.book = k.book AND u.card = k.id AND NOT u.again), 0)
        + coalesce((SELECT sum(b.amount) FROM giving_card_back b
                    WHERE b.book = k.book AND b.card = k.id AND b.card_return IS NULL), 0)
        - coalesce((SELECT sum(r.from_card) FROM giving_card_return r
                    WHERE r.book = k.book AND r.card = k.id AND NOT EXISTS (
                        SELECT FROM giving_card_return_end e
                        WHERE e.book = r.book AND e.id = r.id AND e.outcome IN ('failed', 'won'))), 0))::bigint
    FROM giving_card k WHERE k.book = of AND k.id = which
$$;
"""

GUARDS = """
CREATE OR REPLACE FUNCTION giving_check_card_uses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('card %s does not hold as much', n.card))
    FROM (SELECT DISTINCT book, card FROM added) n WHERE giving_card_left(n.book, n.card) < 0;
    PERFORM giving_refuse(format('a use of card %s is not the amount of its gift', n.card))
    FROM added n LEFT JOIN giving_payment p ON p.book = n.target AND p.gift = n.gift
    WHERE p.amount IS DISTINCT FROM n.amount
       OR (SELECT count(*) FROM giving_card_use u WHERE u.target = n.target AND u.gift = n.gift) > 1;
    RETURN NULL;
END $$;

CREATE FUNCTION giving_check_card_returns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('card %s does not hold as much', n.card))
    FROM added n WHERE giving_card_left(n.book, n.card) < 0;
    PERFORM giving_refuse(format('more of card %s is charged back than was paid', n.card))
    FROM added n JOIN giving_card k ON k.book = n.book AND k.id = n.card
    WHERE k.amount < (SELECT sum(r.amount) FROM giving_card_return r
                      WHERE r.book = n.book AND r.card = n.card AND r.cause = 'chargeback');
    RETURN NULL;
END $$;
CREATE TRIGGER check_card_returns AFTER INSERT ON giving_card_return
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_card_returns();

-- What comes back is what has gone back of a gift of this card.
CREATE FUNCTION giving_check_card_backs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('%s is not what has gone back of a gift of card %s', n.gift_return, n.card))
    FROM added n LEFT JOIN giving_return r ON r.book = n.target AND r.id = n.gift_return
    LEFT JOIN giving_card_use u ON u.target = n.target AND u.gift = r.gift AND u.book = n.book AND u.card = n.card
    WHERE u.card IS NULL OR r.amount <> n.amount
       OR r.cause <> CASE WHEN n.card_return IS NULL THEN 'refund' ELSE 'chargeback' END;
    RETURN NULL;
END $$;
CREATE TRIGGER check_card_backs AFTER INSERT ON giving_card_back
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_card_backs();

CREATE FUNCTION giving_check_card_return_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('return %s is not the sum of what came back of gifts', n.id))
    FROM added n JOIN giving_card_return r ON r.book = n.book AND r.id = n.id
    WHERE r.from_gifts <> (SELECT coalesce(sum(b.amount), 0) FROM giving_card_back b
                           WHERE b.book = r.book AND b.card_return = r.id);
    RETURN NULL;
END $$;
CREATE TRIGGER check_card_return_ends AFTER INSERT ON giving_card_return_end
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_card_return_ends();
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("card_return", "card_return_end", "card_back")
)


class Migration(migrations.Migration):
    """Creates the tables."""

    dependencies = [("giving", "0032_team_pages")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (RETURNS, GUARDS, APPEND_ONLY)]
