"""What the house itself does from time to time."""

from __future__ import annotations

from datetime import timedelta

from django.core.cache import cache
from django.db import connection

from commonweal.kernel import clock
from commonweal.kernel.jobs import every, task
from commonweal.kernel.parties.session_store import SessionStore
from commonweal.web import facts


@task("web.totals")
def totals() -> None:
    """State the sum of all books in the public log."""
    facts.state_totals()


@task("web.sweep")
def sweep() -> None:
    """Remove sessions and limits that are over."""
    SessionStore.clear_expired()
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(cache._table)  # type: ignore[attr-defined]
        cursor.execute(f"DELETE FROM {table} WHERE expires < %s", [clock.now()])


every(timedelta(minutes=10), totals)
every(timedelta(hours=6), sweep)
