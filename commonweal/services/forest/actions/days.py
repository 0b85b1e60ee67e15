"""The days of the forest: opening them, and closing them for good with a fact for each source."""

from __future__ import annotations

import os
from datetime import date, timedelta

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.ids import derived
from commonweal.kernel.ledger import Account, Leg, Transfer, open_accounts, open_assets, post, request_hash
from commonweal.kernel.parties import cipher
from commonweal.kernel.proof import Fact, append, tree
from commonweal.kernel.proof.log import Cursor
from commonweal.services.forest import REDUCTION, energy
from commonweal.services.forest.actions import factors, gardens, sources
from commonweal.services.forest.energy.books import FOREST
from commonweal.services.forest.energy.intake import lock
from commonweal.services.forest.queries import deeds as queries
from commonweal.services.forest.queries.sources import Source
from commonweal.services.forest.rules.bubbles import day_of

COUNTED = ("A", "B")
"""Grades of evidence that a quantified reduction may stand on: nobody's track, nobody's own word."""
REDUCTIONS = derived(FOREST, "reductions")
"""The book of quantified reduction."""


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
    """Close every day that is over; how many they were."""
    due = queries.to_close(day_of(clock.now()))
    for day in due:
        close(day)
    return len(due)


@transaction.atomic
def close(day: date) -> None:
    """Close a day for good, for all its sources at once, with a fact for each. Twice is once."""
    with connection.cursor() as cursor:
        lock(cursor, range(energy.SHARDS))  # whoever took deeds in before midnight has committed
        if day not in queries.to_close(day_of(clock.now())):
            return
        cursor.execute("SELECT forest_close_day(%s)", [day])
        for source in queries.sources_of(day):
            _seal(cursor, source, day)


def _seal(cursor: Cursor, source: Source, day: date) -> None:
    """One leaf a person, salted by their key, under one root in the log; and the reduction into its book."""
    people = list(queries.by_owner(source.id, day))
    keys = cipher.keys_of(owner for owner, _ in people)
    leaves = [
        queries.leaf(queries.opening(keys.get(owner) or os.urandom(32), source.key, day, owner, deeds))
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
    now = clock.now()
    fact = Fact("forest.deeds", now, {"source": source.key, "day": str(day), "root": root.hex(), **numbers})
    cursor.execute(
        "INSERT INTO forest_closed VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [source.id, day, *numbers.values(), root, fact.id, now],
    )
    for (level, n), hashes in tiles.items():
        cursor.execute("INSERT INTO forest_closed_tile VALUES (%s, %s, %s, %s, %s)", [source.id, day, level, n, hashes])
    cursor.execute(
        "INSERT INTO forest_closed_leaf SELECT %s, %s, owner, nth - 1 "
        "FROM unnest(%s::uuid[]) WITH ORDINALITY AS given (owner, nth)",
        [source.id, day, [owner for owner, _ in people]],
    )
    append(cursor, fact)
    if source.grade in COUNTED and numbers["grams"]:
        _report(cursor, source, day, numbers["grams"])


def _report(cursor: Cursor, source: Source, day: date, grams: int) -> None:
    """What operators and devices have seen is a quantified reduction: its own asset, never to be spent."""
    avoided = Account(REDUCTIONS, "avoided", REDUCTION.code, 1)
    counted = Account(REDUCTIONS, f"counted:{source.key}", REDUCTION.code, -1, 0)
    open_assets(cursor, [REDUCTION])
    open_accounts(cursor, [avoided, counted])
    legs = (Leg(avoided.id, grams), Leg(counted.id, -grams))
    request = request_hash("reduction", source.key, str(day), grams)
    key = f"reduction {day} {source.id}"
    post(cursor, [Transfer(REDUCTIONS, key, request, "forest.reduction", legs, clock.now())])
