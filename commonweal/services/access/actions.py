"""What people do: report a barrier, say that it is still there or gone, keep their own limits."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid
from commonweal.kernel.files import store
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.erasure import eraser
from commonweal.kernel.parties.models import Party
from commonweal.kernel.proof import Fact, append
from commonweal.kernel.text import Text
from commonweal.services.access import queries
from commonweal.services.access.models import Change, OwnProfile, Report, Vote
from commonweal.services.access.rules import Profile, check_profile
from commonweal.services.access.trust import standing

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
    picture = store.take_picture(sighting.picture).digest if sighting.picture else ""
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
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ORDER])
    last = found.changes.order_by("-sequence").values_list("standing", flat=True).first()
    if last != now_stands:
        Change.objects.create(report=found, standing=now_stands, at=clock.now())
    return now_stands


@transaction.atomic
def fade(report_id: uuid.UUID) -> str:
    """Look again at a report whose votes have aged."""
    return _settle(Report.objects.select_for_update().get(pk=report_id))


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
