"""Gathering: the owner's harvest and the friends' collecting, each one statement that never takes what is not there."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from commonweal.kernel.proof.log import Cursor
from commonweal.services.forest.rules.bubbles import (
    FRIEND_DAY_LIMIT,
    FRIEND_LEAST,
    FRIEND_PERCENT,
    OWNERS_PERCENT,
)

COLLECT = "SELECT forest_collect(%s, %s, %s::smallint, %s, %s, %s, %s, %s, %s)"


def collect(cursor: Cursor, day: date, owner: uuid.UUID, kind: int, *, gatherer: uuid.UUID, at: datetime) -> int:
    """Grams that a friend gathers from a bubble now; 0 if there is nothing to be had.

    Whether the gatherer may come in at all (friendship, shield, childhood) is for `rules.bubbles` to say before.
    """
    limits = [OWNERS_PERCENT, FRIEND_PERCENT, FRIEND_LEAST, FRIEND_DAY_LIMIT]
    cursor.execute(COLLECT, [day, owner, kind, gatherer, at, *limits])
    return int(cursor.fetchone()[0])


def harvest(cursor: Cursor, owner: uuid.UUID, at: datetime, bubble: tuple[date, int] | None = None) -> int:
    """Grams that an owner gathers: all that is left in ripe bubbles, or in the one of a day and kind."""
    cursor.execute("SELECT forest_harvest(%s, %s, %s, %s::smallint)", [owner, at, *(bubble or (None, None))])
    return int(cursor.fetchone()[0])


def give(cursor: Cursor, giver: uuid.UUID, receiver: uuid.UUID, grams: int) -> bool:
    """Move grams in hand from one to another; whether there was enough."""
    cursor.execute("SELECT forest_give(%s, %s, %s)", [giver, receiver, grams])
    return bool(cursor.fetchone()[0])
