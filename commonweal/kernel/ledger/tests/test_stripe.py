"""Stripes are leased to one session each, and free again when it ends."""

from __future__ import annotations

from contextlib import suppress

import psycopg
import pytest

from commonweal.kernel.ledger import stripe


def test_each_session_has_its_own_stripe_until_it_ends(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe, "STRIPES", 2)
    with (
        psycopg.connect(fresh_database, autocommit=True) as one,
        psycopg.connect(fresh_database, autocommit=True) as other,
        psycopg.connect(fresh_database, autocommit=True) as third,
    ):
        leased = {stripe.lease(one.cursor()), stripe.lease(other.cursor())}
        assert leased == {1, 2}
        with pytest.raises(RuntimeError, match="all 2 stripes"):
            stripe.lease(third.cursor())
        one.close()
        for _ in range(200):  # its server process may still be about to end
            with suppress(RuntimeError):
                assert stripe.lease(third.cursor()) in leased
                break
            third.execute("SELECT pg_sleep(0.05)")
        else:
            pytest.fail("the stripe of a session that has ended is not free")


def test_a_stripe_that_another_takes_meanwhile_is_passed_over(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is seen as free may be taken before we ask for it: here the look at the locks always says free.
    monkeypatch.setattr(stripe, "LEASE", "SELECT n FROM generate_series(1, %(stripes)s) AS n ORDER BY n")
    with (
        psycopg.connect(fresh_database, autocommit=True) as one,
        psycopg.connect(fresh_database, autocommit=True) as other,
    ):
        assert stripe.lease(one.cursor()) == 1
        assert stripe.lease(other.cursor()) == 2
