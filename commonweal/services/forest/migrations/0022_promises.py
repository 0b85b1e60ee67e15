"""Promises hold a plot's row only as long as they reckon, not as long as the disk takes."""

from django.db import migrations

PROMISE = """
-- Promise a position: the plots of the season are tried from one that the ask names, so that askers spread. A plot's row
-- is waited for, never skipped: a plot passed over is full for certain, and 'full' is only said after a look at each.
-- Answers (plot, seq, 'promised' | 'full' | 'short').
CREATE OR REPLACE FUNCTION forest_promise(of_season text, who uuid, of_ask uuid, of_shard smallint, now_at timestamptz)
RETURNS TABLE (plot bigint, seq integer, outcome text) LANGUAGE plpgsql AS $$
DECLARE
    tried record;
    start bigint := abs(hashtextextended(of_ask::text, 0)) % 1000003;
BEGIN
    -- A plot's row is held until the commit, so the commit does not wait for the disk; `planting.flush` does, before
    -- anybody is answered. What follows in the log of the database stands on this, never the other way round.
    PERFORM set_config('synchronous_commit', 'off', true);
    RETURN QUERY SELECT c.plot, c.seq, 'promised' FROM forest_certificate c WHERE c.ask = of_ask;
    IF FOUND THEN
        RETURN;
    END IF;
    FOR tried IN
        SELECT p.id, p.grams FROM forest_plot p WHERE p.season = of_season AND p.issued < least(p.capacity, p.funded)
        ORDER BY (p.id * 7919 + start) % 1000003
    LOOP
        UPDATE forest_plot p SET issued = p.issued + 1
        WHERE p.id = tried.id AND p.issued < least(p.capacity, p.funded) RETURNING p.issued INTO seq;
        CONTINUE WHEN NOT FOUND;
        UPDATE forest_holding h SET grams = h.grams - tried.grams WHERE h.owner = who AND h.grams >= tried.grams;
        IF NOT FOUND THEN
            UPDATE forest_plot p SET issued = p.issued - 1 WHERE p.id = tried.id;
            RETURN QUERY SELECT NULL::bigint, NULL::integer, 'short';
            RETURN;
        END IF;
        INSERT INTO forest_certificate VALUES (tried.id, seq, who, of_ask, tried.grams, now_at);
        INSERT INTO forest_moved VALUES (of_shard, 'planted', tried.grams);
        plot := tried.id; outcome := 'promised';
        RETURN NEXT;
        RETURN;
    END LOOP;
    RETURN QUERY SELECT NULL::bigint, NULL::integer, 'full';
END $$;
"""


class Migration(migrations.Migration):
    """Lets a promise commit without waiting for the disk; whoever answers waits instead."""

    dependencies = [("forest", "0021_balances")]
    operations = [migrations.RunSQL(PROMISE, migrations.RunSQL.noop)]
