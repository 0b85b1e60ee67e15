"""A person's garden: what they hold, their bubbles now, how they want it; and whether they are a child."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from commonweal.kernel import clock
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.models import Guardianship, Party
from commonweal.kernel.sql import row, rows
from commonweal.kernel.text import Text
from commonweal.services.forest.queries import study
from commonweal.services.forest.rules.bubbles import LASTS, RIPENS_AFTER, ZONE, Bubble, Garden, State, day_of
from commonweal.services.forest.rules.people import is_child


@dataclass(frozen=True, slots=True)
class Shown:
    """A bubble as it is shown at a moment."""

    bubble: Bubble
    kind: int
    title: Text
    state: State
    at: datetime

    @property
    def ripens(self) -> Text:
        """When it is ripe, as people say it in China: today or tomorrow, at an hour."""
        local = self.ripe_at.astimezone(ZONE)
        later = local.date() > day_of(self.at)
        day = Text("tomorrow", "明天") if later else Text("today", "今天")
        return Text("ripe {day}, {hour}", "{day} {hour} 成熟").format(day=day, hour=f"{local:%H:%M}")

    @property
    def ripe_at(self) -> datetime:
        """When it is ripe."""
        return self.bubble.ripe_at

    @property
    def gone_at(self) -> datetime:
        """When it is gone."""
        return self.bubble.gone_at


BUBBLES = """
SELECT b.day, b.kind, b.grams, b.left_g, b.ripe_at, k.behaviour, m.told -> 'title' ->> 'en' AS en,
       m.told -> 'title' ->> 'zh' AS zh
FROM forest_bubble b JOIN forest_kind k ON k.id = b.kind
JOIN LATERAL (SELECT told FROM forest_method WHERE kind = b.kind ORDER BY id DESC LIMIT 1) m ON true
WHERE b.owner = %(owner)s AND b.day BETWEEN %(from)s AND %(to)s AND b.left_g > 0 ORDER BY b.ripe_at, b.kind
"""


def bubbles(owner: uuid.UUID, at: datetime) -> list[Shown]:
    """Somebody's bubbles that grow or are ripe, and those that have gone within a day, earliest first."""
    back = (RIPENS_AFTER + LASTS) + timedelta(days=2)
    found = []
    for each in rows(BUBBLES, {"owner": owner, "from": day_of(at - back), "to": day_of(at)}):
        bubble = Bubble(str(owner), each["behaviour"], each["day"], each["grams"], each["left_g"], each["ripe_at"])
        title = Text(each["en"] or each["behaviour"], each["zh"] or each["behaviour"])
        if bubble.gone_at > at - timedelta(days=1):
            found.append(Shown(bubble, each["kind"], title, bubble.state(at), at))
    return found


def bubble(owner: uuid.UUID, day: date, kind: int) -> Bubble | None:
    """One bubble, if it is there."""
    query = """
    SELECT grams, left_g, ripe_at FROM forest_bubble
    WHERE owner = %(owner)s AND day = %(day)s AND kind = %(kind)s
    """
    found = row(query, {"owner": owner, "day": day, "kind": kind})
    return Bubble(str(owner), str(kind), day, found["grams"], found["left_g"], found["ripe_at"]) if found else None


@dataclass(frozen=True, slots=True)
class Wishes:
    """How somebody wants their garden, and what friends call them ('' if they have not said)."""

    open_to_friends: bool = True
    shielded_until: datetime | None = None
    notices: bool = False
    name: str = ""


def wishes(owner: uuid.UUID) -> Wishes:
    """How somebody wants it."""
    query = "SELECT open_to_friends, shielded_until, notices, sealed FROM forest_garden WHERE owner = %(owner)s"
    found = row(query, {"owner": owner})
    if found is None:
        return Wishes()
    sealed, name = found.pop("sealed"), ""
    if sealed is not None:
        with suppress(cipher.Forgotten):
            name = str(cipher.open_for(owner, bytes(sealed))["name"])
    return Wishes(**found, name=name)


def child(owner: uuid.UUID) -> bool:
    """Whether somebody is a child: has a guardian here, or a birth year that says so."""
    guarded = Guardianship.objects.filter(ward=owner, ended_at=None).exists()
    party = Party.objects.filter(pk=owner).first()
    year = None
    if party is not None:
        with suppress(cipher.Forgotten, ValueError):
            year = int(people.own_personal(party).get("birth_year", ""))
    return is_child(year, guarded, clock.now())


def garden(owner: uuid.UUID) -> Garden:
    """Who may gather at somebody's now, for the rules."""
    wanted = wishes(owner)
    waits = study.waits_until(owner, clock.now())
    return Garden(wanted.open_to_friends and waits is None, child(owner), wanted.shielded_until)


def gathered_today(person: uuid.UUID, at: datetime) -> int:
    """Grams that somebody has gathered from others today."""
    query = "SELECT grams FROM forest_gathered WHERE gatherer = %(person)s AND day = %(day)s"
    found = row(query, {"person": person, "day": day_of(at)})
    return int(found["grams"]) if found else 0


def has_gathered(person: uuid.UUID, owner: uuid.UUID, day: date, kind: int) -> bool:
    """Whether somebody has gathered from this bubble already."""
    query = """
    SELECT 1 AS yes FROM forest_collect
    WHERE day = %(day)s AND owner = %(owner)s AND kind = %(kind)s AND gatherer = %(person)s
    """
    return row(query, {"person": person, "owner": owner, "day": day, "kind": kind}) is not None


def seed_of(day: date) -> bytes | None:
    """The seed of a day's draws."""
    found = row("SELECT seed FROM forest_draw_seed WHERE day = %(day)s", {"day": day})
    return bytes(found["seed"]) if found else None


def asks(owner: uuid.UUID, day: date, kind: int) -> list[uuid.UUID]:
    """Who waits for the draw of a bubble."""
    query = "SELECT asker FROM forest_ask WHERE day = %(day)s AND owner = %(owner)s AND kind = %(kind)s"
    return [each["asker"] for each in rows(query, {"owner": owner, "day": day, "kind": kind})]


def to_remind(at: datetime) -> list[uuid.UUID]:
    """Those who want notices and have ripe energy that is gone within a day."""
    query = """
    SELECT DISTINCT g.owner FROM forest_garden g JOIN forest_bubble b ON b.owner = g.owner
    WHERE g.notices AND b.left_g > 0 AND b.day BETWEEN %(from)s AND %(to)s AND b.ripe_at <= %(at)s
      AND b.ripe_at BETWEEN %(at)s - interval '72 hours' AND %(at)s - interval '48 hours'
    """
    return [each["owner"] for each in rows(query, {"at": at, "from": day_of(at) - timedelta(days=5), "to": day_of(at)})]
