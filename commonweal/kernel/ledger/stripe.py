"""Stripes: a busy account's balance is kept in several rows, one a writer, so that writers do not wait for one another.

A session that has leased a stripe (from 1 on) keeps it until it ends, however it ends: only it touches those rows.
Sessions without one share the stripes below zero; accounts with a floor have stripe 0 alone.
"""

from __future__ import annotations

from commonweal.kernel.proof.log import Cursor

LEASES = 0x73747270
"""The class of the advisory locks that are leases; the second key is the stripe."""

STRIPES = 1_000

LEASE = """
SELECT n FROM generate_series(1, %(stripes)s) AS n
WHERE NOT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
                  WHERE l.locktype = 'advisory' AND l.classid = %(leases)s AND l.objid = n)
ORDER BY n
"""


def lease(cursor: Cursor) -> int:
    """Lease a stripe for this session, outside of a transaction. Raises `RuntimeError` if all are taken."""
    cursor.execute(LEASE, {"stripes": STRIPES, "leases": LEASES})
    for (stripe,) in cursor.fetchall():
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LEASES, stripe])
        if cursor.fetchone()[0]:
            cursor.execute("SELECT set_config('commonweal.stripe', %s, false)", [str(stripe)])
            return int(stripe)
    raise RuntimeError(f"all {STRIPES} stripes are leased: are there sessions that nobody ends?")
