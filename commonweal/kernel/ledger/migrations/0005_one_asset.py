"""What is posted in one asset, as nearly everything is, is summed without looking up the account of every posting.

The accounts of a statement are looked up once each. If they are all of one asset, a transfer balances in it when its
postings add up to zero; only otherwise each posting is put to the asset of its account.
"""

from django.db import migrations

CHECK = """
CREATE OR REPLACE FUNCTION ledger_check_postings() RETURNS trigger LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    wrong record;
    assets record;
BEGIN
    -- Every transfer is known and complete; every posting is of a known account; each asset of a transfer sums to zero.
    SELECT count(*) = count(a.asset) AS known, count(DISTINCT a.asset) AS number, min(a.asset) AS asset INTO assets
    FROM (SELECT DISTINCT book, account FROM added) n
    LEFT JOIN ledger_account a ON a.book = n.book AND a.id = n.account;
    SELECT n.transfer, CASE WHEN t.id IS NULL THEN 'its transfer is unknown'
                            WHEN n.legs <> t.legs OR n.last <> t.legs - 1 THEN 'it is not complete' END AS reason
    INTO wrong
    FROM (SELECT book, transfer, count(*) AS legs, max(seq) AS last, sum(amount) AS sum FROM added
          GROUP BY book, transfer) n
    LEFT JOIN ledger_transfer t ON t.book = n.book AND t.id = n.transfer
    WHERE t.id IS NULL OR n.legs <> t.legs OR n.last <> t.legs - 1 OR n.sum <> 0
    ORDER BY t.id IS NOT NULL, n.legs = t.legs AND n.last = t.legs - 1
    LIMIT 1;
    IF FOUND AND wrong.reason IS NOT NULL THEN
        PERFORM ledger_refuse(format('posting of transfer %s: %s', wrong.transfer, wrong.reason));
    ELSIF assets.known AND assets.number <= 1 THEN
        IF FOUND THEN
            PERFORM ledger_refuse(format('transfer %s does not balance in %s', wrong.transfer, assets.asset));
        END IF;
        RETURN NULL;
    END IF;
    SELECT n.transfer, a.asset INTO wrong
    FROM added n LEFT JOIN ledger_account a ON a.book = n.book AND a.id = n.account
    GROUP BY n.book, n.transfer, a.asset HAVING a.asset IS NULL OR sum(n.amount) <> 0
    ORDER BY a.asset NULLS FIRST LIMIT 1;
    IF FOUND AND wrong.asset IS NULL THEN
        PERFORM ledger_refuse(format('posting of transfer %s: an account is unknown', wrong.transfer));
    ELSIF FOUND THEN
        PERFORM ledger_refuse(format('transfer %s does not balance in %s', wrong.transfer, wrong.asset));
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    """Replaces the check of postings."""

    dependencies = [("ledger", "0004_resolutions")]
    operations = [migrations.RunSQL(CHECK, elidable=False)]
