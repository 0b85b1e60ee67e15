"""What energy does by itself: the draw of a bubble's first second, the books, the end of days, kind notices."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from django.db import connection

from commonweal.kernel import clock
from commonweal.kernel.jobs import every, task
from commonweal.kernel.notices.inbox import notify
from commonweal.kernel.parties.erasure import eraser
from commonweal.kernel.parties.export import exporter
from commonweal.kernel.text import Text
from commonweal.services.forest.actions import balances
from commonweal.services.forest.actions import gardens as actions
from commonweal.services.forest.queries import balances as balance_queries
from commonweal.services.forest.queries import gardens
from commonweal.services.forest.queries.holdings import held
from commonweal.services.forest.rules.bubbles import ZONE, day_of

DAYTIME = range(10, 20)
"""Hours in China in which somebody may be told something."""


@task("forest.draw")
def draw(owner: str, day: str, kind: int) -> None:
    """Draw the order of those who asked in the first second."""
    actions.draw(uuid.UUID(owner), date.fromisoformat(day), kind)


@task("forest.remind")
def remind() -> None:
    """By day, and once a day: those who have asked for it hear that energy has less than a day left."""
    now = clock.now()
    if now.astimezone(ZONE).hour not in DAYTIME:
        return
    for person in gardens.to_remind(now):
        if actions.take_reminder(person):
            notify(
                person,
                "forest.ripe",
                Text("Some of your energy has less than a day left", "有一部分能量剩不到一天"),
                Text("It waits in your meadow. If you are busy, that is fine too.", "它在草地里等您。忙的话也没关系。"),
                "/forest/energy/",
            )


@task("forest.settle")
def settle() -> None:
    """Bring into the books what has moved."""
    balances.settle()


@task("forest.night", lease=timedelta(hours=1))
def night() -> None:
    """End the days that are over, let go of what is no longer needed, and state where every gram is, once a day."""
    balances.expire_days()
    balances.tidy()
    newest = balance_queries.newest()
    if newest is None or day_of(newest.at) < day_of(clock.now()):
        balances.state()


every(timedelta(hours=1), remind)
every(timedelta(minutes=1), settle)
every(timedelta(minutes=15), night)


@eraser
def erase(party: uuid.UUID) -> None:
    """Of a forgotten person no name, friend or wish stays; a grove goes on with its oldest other member."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE forest_grove g SET sealed = '', founder = (
                SELECT m.person FROM forest_member m WHERE m.grove = g.id AND m.person <> g.founder
                ORDER BY m.since, m.person LIMIT 1)
            WHERE g.founder = %(party)s AND g.ended_at IS NULL AND EXISTS (
                SELECT FROM forest_member m WHERE m.grove = g.id AND m.person <> g.founder)
            """,
            {"party": party},
        )
        cursor.execute("DELETE FROM forest_garden WHERE owner = %s", [party])
        cursor.execute("DELETE FROM forest_invitation WHERE owner = %s", [party])
        cursor.execute("DELETE FROM forest_friendship WHERE %s IN (one, other)", [party])
        cursor.execute("DELETE FROM forest_ask WHERE %s IN (asker, owner)", [party])
        cursor.execute("DELETE FROM forest_watering WHERE %s IN (giver, receiver)", [party])


@exporter("forest.energy")
def export(party: uuid.UUID) -> dict[str, Any]:
    """What somebody holds, and how they want it."""
    wishes = gardens.wishes(party)
    return {
        "held_g": held(party),
        "open_to_friends": wishes.open_to_friends,
        "notices": wishes.notices,
        "called": wishes.name,
        "bubbles": [
            {"kind": each.bubble.kind, "left_g": each.bubble.left, "ripe_at": each.ripe_at.isoformat()}
            for each in gardens.bubbles(party, clock.now())
        ],
    }
