"""What a provider takes for a dispute, and what it keeps of a gift card; payments that come twice."""

from django.db import migrations

TWICE = """
-- A payment may be reported of a gift that another one has paid.
ALTER TABLE giving_callback DROP CONSTRAINT giving_callback_outcome_check;
ALTER TABLE giving_callback ADD CONSTRAINT giving_callback_outcome_check CHECK (outcome IN
    ('paid', 'known', 'unknown', 'differs', 'twice', 'refunded', 'refund-failed', 'charged-back', 'chargeback-won',
     'agreed', 'revoked'));
DROP INDEX giving_callback_open;
CREATE INDEX giving_callback_open ON giving_callback (at) WHERE outcome IN ('unknown', 'differs', 'twice');
"""

TOLD = """
-- Programs hear of what goes back, too: whoever adds gifts up must know.
ALTER TABLE giving_delivery DROP CONSTRAINT giving_delivery_event_check;
ALTER TABLE giving_delivery ADD CONSTRAINT giving_delivery_event_check
    CHECK (event IN ('gifts', 'update', 'payout', 'return'));
"""

FEES = """
-- A dispute costs a fee of its own, each time.
ALTER TABLE giving_fee
    DROP CONSTRAINT giving_fee_party_check,
    DROP CONSTRAINT giving_fee_check1,
    DROP CONSTRAINT giving_fee_book_gift_party_key,
    ADD CONSTRAINT giving_fee_party CHECK (party IN ('processor', 'host', 'dispute')),
    ADD CONSTRAINT giving_fee_bearer CHECK (party <> 'host' OR bearer = 'campaign');
CREATE UNIQUE INDEX giving_fee_once ON giving_fee (book, gift, party) WHERE party <> 'dispute';

-- What a provider has kept of the payment of a card: the card holds all of it, so the host bears the fee.
CREATE TABLE giving_card_fee (
    book     uuid NOT NULL,
    card     uuid NOT NULL,
    amount   bigint NOT NULL CHECK (amount > 0),
    transfer uuid NOT NULL,
    fact     uuid NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (book, card),
    FOREIGN KEY (book, card) REFERENCES giving_card_payment (book, card),
    FOREIGN KEY (book, transfer) REFERENCES ledger_transfer (book, id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_card_fee
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    """Widens the fees and creates the fees of cards."""

    dependencies = [("giving", "0024_teams")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (FEES, TWICE, TOLD)]
