"""Indexes of tables into which callbacks and fees are written all the time: made beside the writers, not before them.

What was broken off leaves an index that is not valid; so each is dropped before it is made.
"""

from django.db import migrations

# A dispute costs a fee of its own, so that the unique index of the others leads to no gift.
FEES = [
    "DROP INDEX CONCURRENTLY IF EXISTS giving_fee_gift",
    "CREATE INDEX CONCURRENTLY giving_fee_gift ON giving_fee (book, gift)",
]
CALLBACKS = [
    "ALTER TABLE giving_callback VALIDATE CONSTRAINT giving_callback_outcome_check",
    "DROP INDEX CONCURRENTLY IF EXISTS giving_callback_open",
    "CREATE INDEX CONCURRENTLY giving_callback_open ON giving_callback (at) "
    "WHERE outcome IN ('unknown', 'differs', 'twice', 'sent-back')",
]


class Migration(migrations.Migration):
    """Makes them, each statement by itself."""

    atomic = False
    dependencies = [("giving", "0041_abroad")]
    operations = [migrations.RunSQL(sql, elidable=False) for sql in (*FEES, *CALLBACKS)]
