"""What pages and doors read: the regions with their routers, brought up to date with what people report."""

from __future__ import annotations

import itertools
import json
import math
import threading
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection
from django.urls import reverse

from commonweal.kernel import clock
from commonweal.kernel.errors import NotFound
from commonweal.kernel.parties import cipher
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.access.gazetteer import Feature, Gazetteer
from commonweal.services.access.models import Feed, OwnProfile, Report
from commonweal.services.access.rules import Profile, parse_profile
from commonweal.services.access.spots import swapped
from commonweal.services.access.trust import Reporter, Vote, standing

if TYPE_CHECKING:  # the engine is loaded with the first question
    from commonweal.services.access.graph.router import Router

Point = tuple[float, float]

KINDS: dict[str, Text] = {
    "parked": Text("something parked in the way", "停放物挡路"),
    "crowd": Text("a crowd", "人群拥堵"),
    "lift": Text("a lift out of service", "电梯停运"),
    "snow": Text("snow or ice", "积雪结冰"),
    "works": Text("road works", "道路施工"),
    "surface": Text("a broken surface", "路面破损"),
    "kerb": Text("a kerb that is too high", "路缘石过高"),
    "steps": Text("steps", "台阶"),
    "other": Text("something else", "其他障碍"),
}
"""What can be reported."""
STANDINGS: dict[str, Text] = {
    "doubted": Text("reported, not yet confirmed", "已上报，待证实"),
    "confirmed": Text("confirmed: routes go around it", "已证实：路线会绕开"),
    "cleared": Text("gone", "已消失"),
}


@dataclass(frozen=True)
class Region:
    """A built graph in the data directory."""

    name: str
    folder: Path
    meta: dict[str, Any]

    def covers(self, *points: Point) -> bool:
        """Whether all points lie within its bounds, and a little beyond."""
        south, west, north, east = self.meta["bounds"]
        return all(south - 0.005 <= lat <= north + 0.005 and west - 0.008 <= lon <= east + 0.008 for lat, lon in points)


def regions() -> list[Region]:
    """The regions that have been imported, by name."""
    found = []
    for meta in sorted((settings.HOME / "access").glob("*/meta.json")):
        folder = meta.parent
        if folder.suffix not in (".partial", ".old"):
            found.append(Region(folder.name, folder, json.loads(meta.read_text(encoding="utf-8"))))
    return found


def region(name: str) -> Region:
    """A region by name. Raises `NotFound` (`region.unknown`)."""
    for found in regions():
        if found.name == name:
            return found
    raise NotFound("region.unknown", Text("There is no map of this name here.", "没有这个名称的地图。"))


def region_of(*points: Point) -> Region:
    """The smallest region that covers all points. Raises `NotFound` (`point.uncovered`) with what is covered, and
    `Invalid` (`point.swapped`) if they are covered the other way round."""
    all_ = regions()
    covering = [each for each in all_ if each.covers(*points)]
    if covering:
        return min(covering, key=lambda each: int(each.meta["edges"]))
    if any(each.covers(*((lon, lat) for lat, lon in points)) for each in all_):
        raise swapped(points[0][1], points[0][0], "from")
    names = "; ".join(f"{each.name} {each.meta['bounds']}" for each in all_) or "-"
    raise NotFound(
        "point.uncovered",
        Text(
            "These places are not on one of our maps. There are (south, west, north, east): {names}.",
            "这些地点不在现有地图范围内。现有地图（南、西、北、东）：{names}。",
        ).format(names=names),
        field="from",
    )


@cache
def _routers() -> dict[str, tuple[str, Router]]:
    return {}


_opening = threading.Lock()


def router(found: Region) -> Router:
    """The router of a region in this process, with every report that has been committed by now."""
    from commonweal.services.access.graph.router import Router

    with _opening:
        known = _routers().get(found.name)
        if known is None or known[0] != found.meta["build"]:
            known = (found.meta["build"], Router.open(found.folder))
            _routers()[found.name] = known
    _catch_up(found.name, known[1])
    return known[1]


def _catch_up(name: str, opened: Router) -> None:
    """Apply the changes since the last one that this process has seen: one look at an index."""
    from commonweal.services.access.graph import live

    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.sequence, c.standing, coalesce(r.id, n.id), coalesce(r.kind, n.kind),
                   r.lat, r.lon, n.points, n.area, n.exact, f.title, coalesce(r.at, n.starts, n.seen_at)
            FROM access_change c
            LEFT JOIN access_report r ON r.id = c.report_id
            LEFT JOIN access_notice n ON n.id = c.notice_id
            LEFT JOIN access_feed f ON f.name = n.feed_id
            WHERE c.sequence > %s AND coalesce(r.region, f.region) = %s ORDER BY c.sequence
            """,
            [opened.overlay.sequence, name],
        )
        rows = cursor.fetchall()
    barriers = []
    for sequence, stands, id_, kind, lat, lon, points, area, exact, source, at in rows:
        try:
            if points is None:
                barrier = live.place(opened, str(id_), kind, stands, [(lat, lon)])
            else:
                shape = [(one, two) for one, two in json.loads(points)]
                barrier = live.place(
                    opened, str(id_), kind, stands, shape, area=area, exact=exact, source=source,
                    since=at.date().isoformat(),
                )  # fmt: skip
        except NotFound:  # a newer map without that street
            continue
        barriers.append((sequence, barrier))
    if barriers:
        opened.overlay.apply(barriers)


@lru_cache(maxsize=16)
def _gazetteer(folder: Path, build: str) -> Gazetteer:
    path = folder / "places.json"
    return Gazetteer(json.loads(path.read_text(encoding="utf-8"))["features"] if path.exists() else ())


def gazetteer(found: Region) -> Gazetteer:
    """The places of a region."""
    return _gazetteer(found.folder, str(found.meta["build"]))


def place(found: Region, element: str) -> Feature:
    """A place of a region. Raises `NotFound` (`place.gone`)."""
    known = gazetteer(found).get(element)
    if known is None:
        raise NotFound("place.gone", Text("There is no such place on this map.", "地图上没有这个地点。"))
    return known


@dataclass(frozen=True)
class Standing:
    """A report as it is shown."""

    id: uuid.UUID
    kind: Text
    region: str
    lat: float
    lon: float
    picture: str
    at: datetime
    standing: str
    votes: int
    fact: uuid.UUID

    @property
    def said(self) -> Text:
        """What it amounts to."""
        return STANDINGS[self.standing]


_REPORTS = """
SELECT r.id, r.kind, r.region, r.lat, r.lon, r.picture, r.at,
       (SELECT standing FROM access_change c WHERE c.report_id = r.id ORDER BY sequence DESC LIMIT 1),
       (SELECT count(DISTINCT by_id) FROM access_vote v WHERE v.report_id = r.id), r.fact
FROM access_report r
"""


def reports(limit: int = 50) -> list[Standing]:
    """The newest reports."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_REPORTS} ORDER BY r.at DESC LIMIT %s", [limit])
        return [_standing(row) for row in cursor.fetchall()]


def report(wanted: uuid.UUID) -> Standing:
    """One report. Raises `NotFound` (`report.unknown`)."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_REPORTS} WHERE r.id = %s", [wanted])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("report.unknown", Text("There is no such report.", "没有这条上报。"))
    return _standing(row)


def _standing(row: tuple[Any, ...]) -> Standing:
    found, kind, *rest = row
    return Standing(found, KINDS[kind], *rest)


@dataclass(frozen=True)
class Live:
    """A live barrier near a place, and who says so; `url` leads to a report's page."""

    kind: Text
    standing: str
    source: Text
    at: datetime
    point: Point
    url: str = ""

    @property
    def said(self) -> Text:
        """What it amounts to."""
        return STANDINGS[self.standing]


_STANDING = """
SELECT * FROM (
    SELECT r.kind, (SELECT standing FROM access_change c WHERE c.report_id = r.id ORDER BY sequence DESC LIMIT 1)
           AS standing, '' AS source, r.at, r.id::text AS report, r.lat, r.lon
    FROM access_report r WHERE r.region = %(region)s
    UNION ALL
    SELECT n.kind, (SELECT standing FROM access_change c WHERE c.notice_id = n.id ORDER BY sequence DESC LIMIT 1),
           f.title, coalesce(n.starts, n.seen_at), '', (n.points->0->>0)::float, (n.points->0->>1)::float
    FROM access_notice n JOIN access_feed f ON f.name = n.feed_id WHERE f.region = %(region)s
) AS told
WHERE lat BETWEEN %(south)s AND %(north)s AND lon BETWEEN %(west)s AND %(east)s AND standing <> 'cleared'
ORDER BY at DESC LIMIT %(limit)s
"""


def _live(region: str, south: float, west: float, north: float, east: float, limit: int) -> list[Live]:
    with connection.cursor() as cursor:
        cursor.execute(
            _STANDING,
            {"region": region, "south": south, "west": west, "north": north, "east": east, "limit": limit},
        )
        rows = cursor.fetchall()
    people = Text("told by people", "用户上报")
    return [
        Live(
            KINDS[kind],
            standing,
            Text(source, source) if source else people,
            at,
            (lat, lon),
            reverse("access:report", args=[name]) if name else "",
        )
        for kind, standing, source, at, name, lat, lon in rows
    ]


def standing_near(region: str, point: Point, radius: float) -> list[Live]:
    """The barriers that people or authorities have told of within `radius` metres, the newest first."""
    lat, lon = point
    north = radius / 111_195
    east = north / max(0.01, math.cos(math.radians(lat)))
    return _live(region, lat - north, lon - east, lat + north, lon + east, 20)


def standing_in(region: str, limit: int = 5_000) -> list[Live]:
    """The barriers that stand in a region, the newest first."""
    return _live(region, -90, -180, 90, 180, limit)


def feed(name: str) -> Feed:
    """A feed by name. Raises `NotFound` (`feed.unknown`)."""
    found = Feed.objects.filter(pk=name).first()
    if found is None:
        raise NotFound("feed.unknown", Text("There is no such feed.", "没有这个数据源。"), field="feed")
    return found


def reliability(parties: set[uuid.UUID]) -> dict[uuid.UUID, Reporter]:
    """How often each was right: every vote of theirs on a report that others or an authority have settled."""
    known = {party: Reporter() for party in parties}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT v.by_id, count(*) FILTER (WHERE v.present = settled.present),
                   count(*) FILTER (WHERE v.present <> settled.present)
            FROM access_vote v
            JOIN LATERAL (
                SELECT c.standing = 'confirmed' AS present FROM access_change c
                WHERE c.report_id = v.report_id ORDER BY c.sequence DESC LIMIT 1
            ) settled ON true
            WHERE v.by_id = ANY(%s) AND EXISTS (
                SELECT 1 FROM access_vote o WHERE o.report_id = v.report_id AND o.by_id <> v.by_id
            )
            GROUP BY v.by_id
            """,
            [list(parties)],
        )
        for party, right, wrong in cursor.fetchall():
            known[party] = Reporter(Reporter().right + right, Reporter().wrong + wrong)
    return known


def votes_of(found: Report) -> list[Vote]:
    """The votes on a report, aged by the clock, weighed by who cast them."""
    cast = list(found.votes.order_by("at"))
    known = reliability({vote.by_id for vote in cast})
    now = clock.now()
    return [
        Vote(
            str(vote.by_id),
            vote.present,
            known[vote.by_id].reliability,
            max(0.0, (now - vote.at) / timedelta(hours=1)),
            vote.authority,
        )
        for vote in cast
    ]


def faded() -> list[uuid.UUID]:
    """The reports whose votes amount to something else by now than what was last written: one look at all of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.id, r.kind, last.standing, v.by_id, v.present, v.authority, v.at
            FROM (SELECT DISTINCT ON (report_id) report_id, standing FROM access_change WHERE report_id IS NOT NULL
                  ORDER BY report_id, sequence DESC) last
            JOIN access_report r ON r.id = last.report_id
            JOIN access_vote v ON v.report_id = r.id
            WHERE last.standing <> 'cleared' ORDER BY r.id, v.at
            """
        )
        rows = cursor.fetchall()
    known = reliability({row[3] for row in rows})
    now, changed = clock.now(), []
    for (report_id, kind, written), cast in itertools.groupby(rows, key=lambda row: row[:3]):
        votes = [
            Vote(str(by), present, known[by].reliability, max(0.0, (now - at) / timedelta(hours=1)), authority)
            for *_, by, present, authority, at in cast
        ]
        if standing(votes, kind) != written:
            changed.append(report_id)
    return changed


def own_profiles(party: Party) -> list[tuple[uuid.UUID, Profile]]:
    """The limits that a person keeps, newest first."""
    rows = OwnProfile.objects.filter(party=party).order_by("-at")
    return [(row.id, parse_profile(cipher.open_for(party.id, bytes(row.sealed)))) for row in rows]


def own_profile(party: Party, wanted: uuid.UUID) -> Profile:
    """One of them. Raises `NotFound` (`profile.unknown`)."""
    for name, profile in own_profiles(party):
        if name == wanted:
            return profile
    raise NotFound(
        "profile.unknown", Text("There is no such profile of yours.", "您没有这个出行方式。"), field="profile"
    )
