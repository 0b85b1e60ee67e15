"""What people do: report a barrier, say that it is still there or gone, keep their own limits."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Manager

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotFound
from commonweal.kernel.files import store
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.erasure import eraser
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.text import Text
from commonweal.services.access import feeds, queries
from commonweal.services.access.feeds import FORMS
from commonweal.services.access.models import Change, Feed, Notice, OwnProfile, Report, Vote
from commonweal.services.access.rules import Profile, check_profile
from commonweal.services.access.trust import announced, standing

DAY = timedelta(days=1)
MOST_PROFILES = 12
MOST_REPORTS_A_DAY = 50
_ORDER = 0x61636365
"""The advisory lock under which changes are numbered."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A barrier as somebody reports it. `key` is made by whoever asks."""

    kind: str
    lat: float
    lon: float
    key: str
    picture: bytes | None = None


@transaction.atomic
def report(party: Party, sighting: Sighting) -> uuid.UUID:
    """Report a barrier; the same key again is the same report. A steward's report is believed at once.

    Raises `Invalid` (`report.kind`, `point.form`), `NotFound` (`point.uncovered`, `barrier.nowhere`), `Conflict`
    (`report.too-many`) and what taking a picture raises.
    """
    if sighting.kind not in queries.KINDS:
        raise Invalid("report.kind", Text("Choose what it is.", "请选择障碍类型。"), field="kind")
    from commonweal.services.access.graph import live

    (point,) = live.check_shape([(sighting.lat, sighting.lon)])
    known = Report.objects.filter(by=party, key=sighting.key).first()
    if known is not None:
        return known.id
    now = clock.now()
    if Report.objects.filter(by=party, at__gt=now - DAY).count() >= MOST_REPORTS_A_DAY:
        raise Conflict("report.too-many", Text("That is enough for one day.", "今天的上报次数已达上限。"))
    region = queries.region_of(point)
    live.place(queries.router(region), "-", sighting.kind, "doubted", [point])
    picture = store.take_picture(sighting.picture, hide_faces=True).digest if sighting.picture else ""
    fact = Fact(
        "access.report",
        now,
        {"region": region.name, "what": sighting.kind, "lat": f"{point[0]:.5f}", "lon": f"{point[1]:.5f}"},
        id=uuid7(),
    )
    made = Report.objects.create(
        region=region.name, kind=sighting.kind, lat=point[0], lon=point[1], picture=picture, key=sighting.key, by=party,
        fact=fact.id, at=now,
    )  # fmt: skip
    _cast(made, party, present=True)
    with connection.cursor() as cursor:
        append(cursor, fact)
    return made.id


@transaction.atomic
def say(party: Party, report_id: uuid.UUID, *, present: bool) -> str:
    """Say that a barrier is still there, or gone. Returns what the report now amounts to. Raises `NotFound`."""
    queries.report(report_id)
    found = Report.objects.select_for_update().get(pk=report_id)
    return _cast(found, party, present=present)


def _cast(found: Report, party: Party, *, present: bool) -> str:
    """Add a vote and, if that changes what the report amounts to, the next change."""
    authority = people.STEWARD in people.roles(party)
    Vote.objects.create(report=found, by=party, present=present, authority=authority, at=clock.now())
    return _settle(found)


def _settle(found: Report) -> str:
    now_stands = standing(queries.votes_of(found), found.kind)
    _change(found.changes, now_stands, report=found)
    return now_stands


def _change(changes: Manager[Change], now_stands: str, *, at_first: str = "", **of: Report | Notice) -> None:
    """The next change, if it is one; `at_first` is what it counted as before there was any. The caller holds the row,
    so that what is not a change needs no lock."""
    last = changes.order_by("-sequence").values_list("standing", flat=True).first() or at_first
    if last == now_stands:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ORDER])
    Change.objects.create(standing=now_stands, at=clock.now(), **of)


@transaction.atomic
def fade(report_id: uuid.UUID) -> str:
    """Look again at a report whose votes have aged."""
    return _settle(Report.objects.select_for_update().get(pk=report_id))


@transaction.atomic
def open_feed(wanted: Feed) -> Feed:
    """Make a feed, or give it another address. Raises `NotFound` (`region.unknown`), `Invalid`
    (`feed.unknown-form`, `feed.address`)."""
    queries.region(wanted.region)
    if wanted.form not in FORMS:
        raise Invalid(
            "feed.unknown-form",
            Text("Choose one of {forms}.", "请从 {forms} 中选择。").format(forms=", ".join(FORMS)),
            field="form",
        )
    if wanted.url and not wanted.url.startswith(("https://", "http://")):
        raise Invalid("feed.address", Text("Write an address with https://.", "请填写 https:// 地址。"), field="url")
    wanted.save()
    return wanted


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a feed's items: on the map, not on it, and told before but no longer."""

    closed: int
    elsewhere: int
    reopened: int


@transaction.atomic
def take(name: str, data: bytes) -> Taken:
    """Take the whole present state of a feed: what it names is closed, what it no longer names is open again.

    Raises `NotFound` (`feed.unknown`) and what reading the feed raises; then nothing has changed.
    """
    from commonweal.services.access.graph import live

    told = queries.feed(name)
    told = Feed.objects.select_for_update().get(pk=told.pk)
    items = feeds.read(told.form, data, {stop: (lat, lon) for stop, (lat, lon) in told.stops.items()})
    router = queries.router(queries.region(told.region))
    now, elsewhere = clock.now(), 0
    known = {notice.key: notice for notice in told.notices.select_for_update()}
    kept: list[Notice] = []
    for item in items:
        try:
            live.place(router, "-", item.kind, "confirmed", list(item.points), area=item.area, exact=item.exact)
        except NotFound:
            elsewhere += 1
            continue
        sure = item.sure and (item.exact or len(live.lifts(router, item.points[0], live.STATION_M)) == 1)
        notice = known.get(item.key) or Notice(feed=told, key=item.key)
        notice.kind, notice.points, notice.area, notice.exact = (
            item.kind,
            [*map(list, item.points)],
            item.area,
            item.exact,
        )
        notice.sure, notice.title, notice.starts, notice.ends = sure, item.title, item.starts, item.ends
        notice.seen_at, notice.gone = now, False
        notice.save()
        kept.append(notice)
    named = {notice.key for notice in kept}
    over = [notice for notice in known.values() if notice.key not in named and not notice.gone]
    for notice in over:
        notice.gone = True
        notice.save(update_fields=["gone"])
    for notice in (*kept, *over):
        settle_notice(notice)
    Feed.objects.filter(pk=name).update(read_at=now, failed="")
    return Taken(len(kept), elsewhere, len(over))


def settle_notice(notice: Notice) -> None:
    """Write what a notice amounts to now, if that is another than before."""
    now, stands = clock.now(), "cleared"
    if (
        not notice.gone
        and (notice.starts is None or notice.starts <= now)
        and (notice.ends is None or now < notice.ends)
    ):
        age = 0.0 if notice.ends else (now - notice.seen_at) / timedelta(hours=1)
        stands = announced(notice.kind, age, sure=notice.sure)
    _change(notice.changes, stands, at_first="cleared", notice=notice)


@transaction.atomic
def fade_notice(notice_id: uuid.UUID) -> None:
    """Look again at a notice whose time has gone on."""
    settle_notice(Notice.objects.select_for_update().get(pk=notice_id))


def send(party: Party, name: str, data: bytes) -> Taken:
    """`take`, from the authority to which the feed belongs, one of its officers, or a steward. Raises `NotAllowed`."""
    told = queries.feed(name)
    if party.pk != told.party_id and people.STEWARD not in people.roles(party):
        people.require_role(party, people.OFFICER, within=told.party)
    return take(name, data)


@transaction.atomic
def note_failure(name: str, why: str) -> None:
    """Remember why a feed could not be read; what it said before fades by itself."""
    Feed.objects.filter(pk=name).update(failed=why[:200])


@transaction.atomic
def keep_profile(party: Party, profile: Profile, known: uuid.UUID | None = None) -> uuid.UUID:
    """Keep a person's limits, encrypted under the person's key. Raises `Invalid` (`profile.limit`), `Conflict`
    (`profile.too-many`) and `NotFound` (`profile.unknown`)."""
    sealed = cipher.seal_for(party.id, check_profile(profile).to_json())
    if known is not None:
        queries.own_profile(party, known)
        OwnProfile.objects.filter(pk=known).update(sealed=sealed, at=clock.now())
        return known
    if OwnProfile.objects.filter(party=party).count() >= MOST_PROFILES:
        raise Conflict(
            "profile.too-many",
            Text("You keep twelve; remove one first.", "最多保存十二个，请先删除一个。"),
        )
    return OwnProfile.objects.create(party=party, sealed=sealed).id


@transaction.atomic
def drop_profile(party: Party, known: uuid.UUID) -> None:
    """Remove one of a person's profiles."""
    OwnProfile.objects.filter(party=party, pk=known).delete()


@eraser
def forget(party: uuid.UUID) -> None:
    """Remove the limits of somebody who is forgotten. Reports stay: they are about streets, under a pseudonym."""
    OwnProfile.objects.filter(party_id=party).delete()
