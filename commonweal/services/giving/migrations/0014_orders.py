"""Vendor orders: the platform's way to buy. An order is a request for a payout, with lines; it is paid from the same line.

Nothing leaves before it has arrived and the vendor's invoice is there: a payout is what was paid, which for an order may
be less than was approved. What is saved never leaves the fund.
"""

from django.db import migrations

PAID = """
ALTER TABLE giving_payout ADD COLUMN amount bigint CHECK (amount > 0);
ALTER TABLE giving_payout DISABLE TRIGGER append_only;
UPDATE giving_payout p SET amount = r.amount FROM giving_request r WHERE r.book = p.book AND r.id = p.request;
ALTER TABLE giving_payout ENABLE TRIGGER append_only;
ALTER TABLE giving_payout ALTER COLUMN amount SET NOT NULL;
"""

ORDERS = """
CREATE TABLE giving_vendor (
    party       uuid PRIMARY KEY REFERENCES parties_party (id),
    about_en    text NOT NULL,
    about_zh    text NOT NULL,
    contact     text NOT NULL,
    admitted_by uuid NOT NULL,
    fact        uuid NOT NULL,
    at          timestamptz NOT NULL
);

-- A thing at a price. Another price is another item: the old one ends.
CREATE TABLE giving_item (
    id       uuid PRIMARY KEY,
    vendor   uuid NOT NULL REFERENCES giving_vendor (party),
    what_en  text NOT NULL,
    what_zh  text NOT NULL,
    unit_en  text NOT NULL,
    unit_zh  text NOT NULL,
    price    bigint NOT NULL CHECK (price > 0),
    at       timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX giving_item_vendor ON giving_item (vendor) WHERE ended_at IS NULL;

CREATE TABLE giving_order (
    book    uuid NOT NULL,
    request uuid NOT NULL,
    vendor  uuid NOT NULL REFERENCES giving_vendor (party),
    PRIMARY KEY (book, request),
    FOREIGN KEY (book, request) REFERENCES giving_request (book, id)
);
CREATE TABLE giving_order_line (
    book     uuid NOT NULL,
    request  uuid NOT NULL,
    place    smallint NOT NULL CHECK (place > 0),
    need     bigint NOT NULL REFERENCES giving_need (id),
    item     uuid NOT NULL REFERENCES giving_item (id),
    price    bigint NOT NULL CHECK (price > 0),
    quantity integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (book, request, place),
    FOREIGN KEY (book, request) REFERENCES giving_order (book, request)
);

-- The receiving side has got so many of a line.
CREATE TABLE giving_arrival (
    book     uuid NOT NULL,
    request  uuid NOT NULL,
    place    smallint NOT NULL,
    nth      smallint NOT NULL CHECK (nth > 0),
    quantity integer NOT NULL CHECK (quantity > 0),
    evidence text[] NOT NULL CHECK (cardinality(evidence) BETWEEN 1 AND 10),
    by_party uuid NOT NULL,
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (book, request, place, nth),
    FOREIGN KEY (book, request, place) REFERENCES giving_order_line (book, request, place)
);

-- What the vendor asks for in the end, once, line by line.
CREATE TABLE giving_invoice (
    book     uuid NOT NULL,
    request  uuid NOT NULL,
    amount   bigint NOT NULL CHECK (amount > 0),
    document text NOT NULL,
    by_party uuid NOT NULL,
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (book, request),
    FOREIGN KEY (book, request) REFERENCES giving_order (book, request)
);
CREATE TABLE giving_invoice_line (
    book     uuid NOT NULL,
    request  uuid NOT NULL,
    place    smallint NOT NULL,
    price    bigint NOT NULL CHECK (price > 0),
    quantity integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (book, request, place),
    FOREIGN KEY (book, request) REFERENCES giving_invoice (book, request),
    FOREIGN KEY (book, request, place) REFERENCES giving_order_line (book, request, place)
);

CREATE TABLE giving_cancellation (
    book     uuid NOT NULL,
    request  uuid NOT NULL,
    by_party uuid NOT NULL,
    reason   text NOT NULL,
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (book, request),
    FOREIGN KEY (book, request) REFERENCES giving_order (book, request)
);
"""

GUARDS = """
CREATE FUNCTION giving_check_order_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('the lines of order %s are not its amount', r.id))
    FROM giving_request r
    WHERE (r.book, r.id) IN (SELECT book, request FROM added)
      AND r.amount <> (SELECT sum(l.price * l.quantity) FROM giving_order_line l
                       WHERE l.book = r.book AND l.request = r.id);
    PERFORM giving_refuse(format('order %s buys for another campaign, or of another vendor', n.request))
    FROM added n JOIN giving_order o ON o.book = n.book AND o.request = n.request
    JOIN giving_need d ON d.id = n.need JOIN giving_item i ON i.id = n.item
    WHERE d.campaign_id <> n.book OR i.vendor <> o.vendor OR i.price <> n.price;
    RETURN NULL;
END $$;
CREATE TRIGGER check_order_lines AFTER INSERT ON giving_order_line
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_order_lines();

CREATE FUNCTION giving_check_arrivals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('more of order %s arrives than was ordered', l.request))
    FROM giving_order_line l
    WHERE (l.book, l.request, l.place) IN (SELECT book, request, place FROM added)
      AND l.quantity < (SELECT sum(a.quantity) FROM giving_arrival a
                        WHERE a.book = l.book AND a.request = l.request AND a.place = l.place);
    PERFORM giving_refuse(format('order %s is not confirmed by whom it is from', n.request))
    FROM added n JOIN giving_request r ON r.book = n.book AND r.id = n.request WHERE r.asked_by = n.by_party;
    RETURN NULL;
END $$;
CREATE TRIGGER check_arrivals AFTER INSERT ON giving_arrival
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_arrivals();

-- Nothing is invoiced that did not arrive, nor above the agreed price.
CREATE FUNCTION giving_check_invoices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('order %s is invoiced beyond what was agreed and has arrived', n.request))
    FROM added n JOIN giving_order_line l ON l.book = n.book AND l.request = n.request AND l.place = n.place
    WHERE n.price > l.price OR n.quantity > (
        SELECT coalesce(sum(a.quantity), 0) FROM giving_arrival a
        WHERE a.book = n.book AND a.request = n.request AND a.place = n.place);
    PERFORM giving_refuse(format('the lines of invoice %s are not its amount', i.request))
    FROM giving_invoice i
    WHERE (i.book, i.request) IN (SELECT book, request FROM added)
      AND i.amount <> (SELECT sum(l.price * l.quantity) FROM giving_invoice_line l
                       WHERE l.book = i.book AND l.request = i.request);
    RETURN NULL;
END $$;
CREATE TRIGGER check_invoices AFTER INSERT ON giving_invoice_line
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_invoices();

-- What is paid is what was asked, or what the vendor of an order has invoiced.
CREATE FUNCTION giving_check_paid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('payout %s is not what was asked or invoiced', n.request))
    FROM added n JOIN giving_request r ON r.book = n.book AND r.id = n.request
    LEFT JOIN giving_order o ON o.book = n.book AND o.request = n.request
    LEFT JOIN giving_invoice i ON i.book = n.book AND i.request = n.request
    WHERE n.amount IS DISTINCT FROM CASE WHEN o.request IS NULL THEN r.amount ELSE i.amount END
       OR EXISTS (SELECT FROM giving_cancellation c WHERE c.book = n.book AND c.request = n.request);
    RETURN NULL;
END $$;
CREATE TRIGGER check_paid AFTER INSERT ON giving_payout
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION giving_check_paid();

CREATE OR REPLACE FUNCTION giving_check_draws() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM giving_refuse(format('payout %s draws another amount than its own', p.request))
    FROM giving_payout p
    WHERE (p.book, p.request) IN (SELECT book, request FROM added)
      AND p.amount <> (SELECT sum(upper(d.span) - lower(d.span)) FROM giving_draw d
                       WHERE d.book = p.book AND d.request = p.request);
    PERFORM giving_refuse(format('book %s is not laid as far as %s', n.book, upper(n.span)))
    FROM added n
    WHERE upper(n.span) > (SELECT p.start + p.amount FROM giving_payment p
                           WHERE p.book = n.book AND p.start IS NOT NULL ORDER BY p.start DESC LIMIT 1);
    RETURN NULL;
END $$;
"""

APPEND_ONLY = "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_{table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();\n"
    for table in ("vendor", "order", "order_line", "arrival", "invoice", "invoice_line", "cancellation")
)


class Migration(migrations.Migration):
    """Creates the tables of orders."""

    dependencies = [("giving", "0013_many_gifts")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (PAID, ORDERS, GUARDS, APPEND_ONLY)]
