"""Guards that look into other books say so, and ask of them row by row: so they hold where the books are spread too."""

from django.db import migrations

GUARDS = """
CREATE OR REPLACE FUNCTION giving_check_card_uses() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    n record;
    uses bigint;
BEGIN
    -- looks into other books
    FOR n IN SELECT * FROM added LOOP
        IF giving_card_left(n.book, n.card) < 0 THEN
            PERFORM giving_refuse(format('card %s does not hold as much', n.card));
        END IF;
        SELECT count(*) INTO uses FROM giving_card_use u WHERE u.target = n.target AND u.gift = n.gift;
        PERFORM FROM giving_payment p WHERE p.book = n.target AND p.gift = n.gift AND p.amount = n.amount;
        IF NOT FOUND OR uses > 1 THEN
            PERFORM giving_refuse(format('a use of card %s is not the amount of its gift', n.card));
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION giving_check_card_backs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    n record;
    of uuid;
BEGIN
    -- looks into other books
    FOR n IN SELECT * FROM added LOOP
        SELECT r.gift INTO of FROM giving_return r
        WHERE r.book = n.target AND r.id = n.gift_return AND r.amount = n.amount
          AND r.cause = CASE WHEN n.card_return IS NULL THEN 'refund' ELSE 'chargeback' END;
        PERFORM FROM giving_card_use u
        WHERE u.book = n.book AND u.card = n.card AND u.target = n.target AND u.gift = of;
        IF NOT FOUND THEN
            PERFORM giving_refuse(format('%s is not what has gone back of a gift of card %s', n.gift_return, n.card));
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION giving_check_matches() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    n record;
BEGIN
    -- looks into other books
    FOR n IN SELECT DISTINCT ON (pool_book, pool) pool_book, pool, gift FROM added LOOP
        PERFORM FROM giving_pool_settled s WHERE s.book = n.pool_book AND s.pool = n.pool;
        IF NOT FOUND THEN
            PERFORM giving_refuse(format('gift %s is matched by a pool that is not settled', n.gift));
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION giving_check_pool_waits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    n record;
    p record;
    g record;
BEGIN
    -- looks into other books
    FOR n IN SELECT book, pool FROM added LOOP
        SELECT campaigns, opens_at, closes_at, (rules ->> 'review_days')::integer AS days INTO p
        FROM giving_pool WHERE book = n.book AND id = n.pool;
        FOR g IN
            SELECT w.campaign, w.gift FROM giving_case_gift w JOIN giving_case c ON c.id = w.case_id
            WHERE w.campaign = ANY (p.campaigns)
              AND NOT EXISTS (SELECT FROM giving_case_end e WHERE e.case_id = c.id)
              AND (c.objects_to IS NOT NULL OR c.at < p.closes_at + make_interval(days => p.days))
        LOOP
            PERFORM FROM giving_gift o
            WHERE o.book = g.campaign AND o.id = g.gift AND o.at >= p.opens_at AND o.at < p.closes_at;
            IF FOUND THEN
                PERFORM giving_refuse(format('pool %s waits for a case', n.pool));
            END IF;
        END LOOP;
    END LOOP;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION giving_check_pledge_ends() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    n record;
    i record;
BEGIN
    -- looks into other books
    FOR n IN SELECT * FROM added WHERE gift IS NOT NULL LOOP
        SELECT campaign, company, amount INTO i
        FROM giving_pledge WHERE charity = n.charity AND year = n.year AND number = n.number;
        PERFORM FROM giving_gift g JOIN giving_payment p ON p.book = g.book AND p.gift = g.id
        WHERE g.book = i.campaign AND g.id = n.gift AND g.giver = i.company AND g.amount = i.amount;
        IF NOT FOUND THEN
            PERFORM giving_refuse(format('invoice %s is not paid by this gift', n.number));
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    """Writes the guards anew."""

    dependencies = [("giving", "0040_settlements_of_nothing")]
    operations = [migrations.RunSQL(GUARDS, elidable=False)]
