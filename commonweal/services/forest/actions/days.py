"""The days of the forest: opening them, and closing them for good with a fact for each source."""

from __future__ import annotations

import os
from datetime import date, timedelta

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.parties import cipher
from commonweal.kernel.proof import Fact, append, tree
from commonweal.services.forest import energy
from commonweal.services.forest.actions import factors, gardens, sources
from commonweal.services.forest.energy.intake import lock
from commonweal.services.forest.queries import deeds as queries
from commonweal.services.forest.rules.bubbles import day_of


@transaction.atomic
def open_forest() -> None:
    """Have everything ready that deeds need: books, our own doors, methods, the partitions of today and tomorrow."""
    today = day_of(clock.now())
    with connection.cursor() as cursor:
        energy.open_shards(cursor)
        for day in (today, today + timedelta(days=1)):
            cursor.execute("SELECT forest_open_day(%s)", [day])
            gardens.commit_seed(cursor, day)
    sources.open_own()
    factors.publish()


def close_days() -> int:
    """Close every day that is over; returns how many closes there were."""
    due = queries.to_close(day_of(clock.now()))
    for source, key, day in due:
        close(source, key, day)
    return len(due)


@transaction.atomic
def close(source: int, key: str, day: date) -> None:
    """Close a source's day: one leaf a person, salted by their key, under one root in the log. Twice is once."""
    with connection.cursor() as cursor:
        lock(cursor, range(energy.SHARDS))  # whoever took deeds in before midnight has committed
        cursor.execute("SELECT FROM forest_closed WHERE source = %s AND day = %s", [source, day])
        if cursor.fetchone() is not None:
            return
        cursor.execute("SELECT forest_close_day(%s)", [day])
        people = list(queries.by_owner(source, day))
        if not people:
            return
        keys = cipher.keys_of(owner for owner, _ in people)
        leaves = [
            queries.leaf(queries.opening(keys.get(owner) or os.urandom(32), key, day, owner, deeds))
            for owner, deeds in people
        ]
        tiles = tree.grow(0, leaves, lambda level, n: b"")
        root = tree.root(len(leaves), tree.Tiles(lambda level, n: tiles.get((level, n), b"")))
        every = [deed for _, deeds in people for deed in deeds]
        numbers = {
            "deeds": len(every),
            "people": len(people),
            "late": sum(day_of(deed["happened"]) < day for deed in every),
            "grams": sum(deed["grams"] for deed in every),
        }
        fact = Fact("forest.deeds", clock.now(), {"source": key, "day": str(day), "root": root.hex(), **numbers})
        cursor.execute(
            "INSERT INTO forest_closed VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [source, day, *numbers.values(), root, fact.id, clock.now()],
        )
        for (level, n), hashes in tiles.items():
            cursor.execute(
                "INSERT INTO forest_closed_tile VALUES (%s, %s, %s, %s, %s)", [source, day, level, n, hashes]
            )
        cursor.execute(
            "INSERT INTO forest_closed_leaf SELECT %s, %s, owner, nth - 1 "
            "FROM unnest(%s::uuid[]) WITH ORDINALITY AS given (owner, nth)",
            [source, day, [owner for owner, _ in people]],
        )
        append(cursor, fact)
