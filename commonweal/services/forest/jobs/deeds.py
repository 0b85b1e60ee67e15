"""The days of deeds, by themselves: opened before they come, closed when they are over."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.db import connection

from commonweal.kernel.jobs import every, task
from commonweal.kernel.parties.erasure import eraser
from commonweal.kernel.parties.export import exporter
from commonweal.services.forest.actions import days
from commonweal.services.forest.queries import deeds


@task("forest.open")
def open_forest() -> None:
    """Have the books, the methods and the partitions of today and tomorrow ready."""
    days.open_forest()


@task("forest.close", lease=timedelta(hours=1))
def close() -> None:
    """Close the days that are over."""
    days.close_days()


every(timedelta(hours=1), open_forest)
every(timedelta(minutes=10), close)


@eraser
def erase(party: uuid.UUID) -> None:
    """Of a forgotten person no deed, track or partner's name stays; the sums and roots of closed days do."""
    with connection.cursor() as cursor:
        for table in ("forest_deed", "forest_link", "forest_track", "forest_closed_leaf"):
            cursor.execute(f"DELETE FROM {table} WHERE owner = %s", [party])


@exporter("forest.deeds")
def export(party: uuid.UUID) -> list[dict[str, Any]]:
    """Somebody's deeds."""
    return [
        {
            "day": str(each.day),
            "source": each.source_key,
            "kind": each.method.behaviour,
            "quantity": each.quantity,
            "grams": each.grams,
            "happened": each.happened.isoformat(),
        }
        for each in deeds.deeds(party, 100_000)
    ]
