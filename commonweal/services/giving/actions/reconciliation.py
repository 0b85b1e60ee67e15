"""Comparing a provider's statement of a day with our books; what differs is kept for the stewards."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.services.giving.payment import Provider
from commonweal.services.giving.queries import reconciliation as queries
from commonweal.services.giving.rules.reconciliation import Difference, Line, compare


def reconcile(source: Provider, day: date) -> list[Difference]:
    """List all differences of a day of a provider (UTC); asking again adds only what is new. Nothing is adjusted."""
    begin = datetime.combine(day, time(), UTC)
    there = [
        Line(entry.kind.value, entry.gift, entry.amount, entry.asset, entry.reference)
        for entry in source.fetch_statement(day)
    ]
    found = compare(queries.lines(source.name, begin, begin + timedelta(days=1)), there)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO giving_difference (provider, day, kind, gift, reference, asset, fault, here, there, at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            [
                [source.name, day, each.kind, each.gift, each.reference, each.asset, each.fault, each.here, each.there,
                 clock.now()]
                for each in found
            ],
        )  # fmt: skip
    return found
