"""Gathering and giving: one's harvest, what friends gather, watering, and how one wants one's garden."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, NotAllowed
from commonweal.kernel.jobs import enqueue
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof.log import Cursor
from commonweal.kernel.text import Text
from commonweal.services.forest import energy
from commonweal.services.forest.queries import friends, gardens
from commonweal.services.forest.rules import bubbles as rules
from commonweal.services.forest.rules import people as people_rules


@transaction.atomic
def harvest(person: Party, bubble: tuple[date, int] | None = None) -> int:
    """Gather one's own ripe energy, all of it or one bubble; grams, 0 if nothing was ripe. Twice is once."""
    with connection.cursor() as cursor:
        return energy.harvest(cursor, person.id, clock.now(), bubble)


@dataclass(frozen=True, slots=True)
class Collected:
    """What came of gathering at a friend's. `drawn_at`: one is among those whose order is drawn at that moment."""

    grams: int
    drawn_at: datetime | None = None


@transaction.atomic
def collect(person: Party, owner: uuid.UUID, day: date, kind: int) -> Collected:
    """Gather a little at a friend's. Within the first second after ripeness nobody is first: the order is drawn.

    Raises `NotAllowed` (`collect.not-friends`, `collect.closed`, `collect.child`) and `Conflict` (`bubble.*`,
    `collect.*`).
    """
    now = clock.now()
    if gardens.child(person.id):
        raise NotAllowed(
            "collect.child", Text("Children water, they do not gather.", "未满 18 岁可以浇水，不参与收取。")
        )
    bubble = gardens.bubble(owner, day, kind)
    if bubble is None:
        raise Conflict("bubble.gone", Text("This energy was not gathered in time.", "这份能量已逾期。"))
    rules.collect(
        bubble,
        gardens.garden(owner),
        friends=friends.are_friends(person.id, owner),
        gathered_today=gardens.gathered_today(person.id, now),
        again=gardens.has_gathered(person.id, owner, day, kind),
        at=now,
    )
    drawn_at = bubble.ripe_at + rules.DRAW
    with connection.cursor() as cursor:
        if now < drawn_at:
            cursor.execute(
                "INSERT INTO forest_ask VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [day, owner, kind, person.id, now],
            )
            enqueue("forest.draw", run_after=drawn_at, owner=str(owner), day=str(day), kind=kind)
            return Collected(0, drawn_at)
        _draw(cursor, owner, day, kind, now)
        grams = energy.collect(cursor, day, owner, kind, gatherer=person.id, at=now)
    if grams == 0:
        raise Conflict("collect.nothing-left", Text("What is left belongs to its owner.", "剩下的能量归主人所有。"))
    return Collected(grams)


@transaction.atomic
def draw(owner: uuid.UUID, day: date, kind: int) -> int:
    """Draw the order of those who asked within the first second, and let them gather in it; how many there were."""
    with connection.cursor() as cursor:
        return _draw(cursor, owner, day, kind, clock.now())


def _draw(cursor: Cursor, owner: uuid.UUID, day: date, kind: int, now: datetime) -> int:
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"forest draw {day} {owner} {kind}"])
    seed, asked = gardens.seed_of(day), gardens.asks(owner, day, kind)
    if not asked or seed is None:
        return 0
    for asker in rules.draw(f"{day} {owner} {kind}", map(str, asked), seed):
        energy.collect(cursor, day, owner, kind, gatherer=uuid.UUID(asker), at=now)
    cursor.execute("DELETE FROM forest_ask WHERE day = %s AND owner = %s AND kind = %s", [day, owner, kind])
    return len(asked)


def commit_seed(cursor: Cursor, day: date) -> None:
    """Fix the seed of a day's draws, once; its hash is in the next public balance, before any bubble of it is ripe."""
    cursor.execute(
        "INSERT INTO forest_draw_seed VALUES (%s, %s) ON CONFLICT DO NOTHING", [day, secrets.token_bytes(32)]
    )


@transaction.atomic
def water(person: Party, friend: uuid.UUID, grams: int) -> None:
    """Give a friend some of one's energy, at most three times a day.

    Raises `NotAllowed` (`collect.not-friends`), `Invalid` (`water.amount`), `Conflict` (`water.enough`,
    `energy.short`).
    """
    now = clock.now()
    if not friends.are_friends(person.id, friend):
        raise NotAllowed("collect.not-friends", Text("Only friends gather here.", "只有好友可以在这里收取。"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [str(person.id)])
        given = friends.waterings_today(person.id, friend, now)
        rules.water(grams, given_today=given)
        cursor.execute(
            "INSERT INTO forest_watering VALUES (%s, %s, %s, %s, %s)",
            [person.id, friend, rules.day_of(now), given + 1, grams],
        )
        if not energy.give(cursor, person.id, friend, grams):
            raise Conflict("energy.short", Text("There is not enough energy yet.", "能量还不够。"), field="grams")


@transaction.atomic
def wish(person: Party, *, open_to_friends: bool, notices: bool, name: str) -> None:
    """How one wants one's garden, and what friends call one. Raises `Invalid` (`name.*`) for a name of signs."""
    name = people.check_name(name, longest=people_rules.LONGEST_NAME) if name.strip() else ""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO forest_garden (owner, open_to_friends, notices, sealed) VALUES (%s, %s, %s, %s)
            ON CONFLICT (owner) DO UPDATE SET open_to_friends = excluded.open_to_friends,
                notices = excluded.notices, sealed = excluded.sealed
            """,
            [person.id, open_to_friends, notices, cipher.seal_for(person.id, {"name": name}) if name else None],
        )


@transaction.atomic
def shield(person: Party) -> datetime:
    """Close one's garden for a day; until when."""
    until = clock.now() + people_rules.SHIELD
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO forest_garden (owner, shielded_until) VALUES (%s, %s) "
            "ON CONFLICT (owner) DO UPDATE SET shielded_until = excluded.shielded_until",
            [person.id, until],
        )
    return until


@transaction.atomic
def take_reminder(person: uuid.UUID) -> bool:
    """Whether somebody is to be reminded now: once a day."""
    today = rules.day_of(clock.now())
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE forest_garden SET reminded_on = %(today)s
            WHERE owner = %(person)s AND notices AND reminded_on IS DISTINCT FROM %(today)s RETURNING owner
            """,
            {"today": today, "person": person},
        )
        return cursor.fetchone() is not None
