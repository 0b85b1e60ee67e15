"""Tables of access: what people report, what they say about it, and the limits they keep for themselves.

The streets are not here: they are immutable graphs in the data directory (`graph/store.py`).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from commonweal.kernel import clock
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties.models import Party
from commonweal.services.access.feeds import FORMS
from commonweal.services.access.trust import HALF_LIFE_HOURS


class Report(models.Model):
    """A barrier that somebody has met. `lat` and `lon` are WGS-84 degrees."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    region = models.CharField(max_length=60)
    kind = models.CharField(max_length=12)
    lat = models.FloatField()
    lon = models.FloatField()
    picture = models.CharField(max_length=64, blank=True, help_text="digest of a photograph")
    key = models.CharField(max_length=64)
    by = models.ForeignKey(Party, models.PROTECT, related_name="+")
    fact = models.UUIDField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["region", "-at"])]
        constraints = [
            models.UniqueConstraint(name="access_report_key", fields=["by", "key"]),
            models.CheckConstraint(name="access_report_kind", condition=Q(kind__in=list(HALF_LIFE_HOURS))),
            models.CheckConstraint(name="access_report_lat", condition=Q(lat__gte=-90, lat__lte=90)),
            models.CheckConstraint(name="access_report_lon", condition=Q(lon__gte=-180, lon__lte=180)),
        ]


class Vote(models.Model):
    """One person's word on a report: still there, or gone. The latest of a person counts."""

    report = models.ForeignKey(Report, models.PROTECT, related_name="votes")
    by = models.ForeignKey(Party, models.PROTECT, related_name="+")
    present = models.BooleanField()
    authority = models.BooleanField(default=False)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["report", "by", "-at"]), models.Index(fields=["by"])]


class Feed(models.Model):
    """An authority that says which lifts are out of service or where works are: fetched from `url`, or sent by `party`.

    `title` is shown as the source. `stops` are the places of stops by id, for a feed that names no others.
    """

    name = models.SlugField(primary_key=True, max_length=40)
    title = models.CharField(max_length=100)
    region = models.CharField(max_length=60)
    form = models.CharField(max_length=12)
    url = models.CharField(max_length=500, blank=True)
    stops = models.JSONField(default=dict)
    party = models.ForeignKey(Party, models.PROTECT, null=True, related_name="+")
    read_at = models.DateTimeField(null=True)
    failed = models.CharField(max_length=200, blank=True, help_text="why it could not be read the last time")

    class Meta:
        constraints = [models.CheckConstraint(name="access_feed_form", condition=Q(form__in=list(FORMS)))]


class Notice(models.Model):
    """What a feed says is closed. `sure` if it is this one and no other; `gone` once the feed says it no longer."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    feed = models.ForeignKey(Feed, models.PROTECT, related_name="notices")
    key = models.CharField(max_length=200, help_text="what the feed calls it")
    kind = models.CharField(max_length=12)
    points = models.JSONField()
    area = models.BooleanField(default=False)
    exact = models.BooleanField(default=True)
    sure = models.BooleanField(default=True)
    title = models.CharField(max_length=300, blank=True)
    starts = models.DateTimeField(null=True)
    ends = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()
    gone = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="access_notice_key", fields=["feed", "key"]),
            models.CheckConstraint(name="access_notice_kind", condition=Q(kind__in=["lift", "works"])),
        ]


class Change(models.Model):
    """What a report or a notice came to, in the order in which every process applies it. Written under a lock, so that
    the numbers become visible in their order."""

    sequence = models.BigAutoField(primary_key=True)
    report = models.ForeignKey(Report, models.PROTECT, null=True, related_name="changes")
    notice = models.ForeignKey(Notice, models.PROTECT, null=True, related_name="changes")
    standing = models.CharField(max_length=12)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="access_change_standing", condition=Q(standing__in=["doubted", "confirmed", "cleared"])
            ),
            models.CheckConstraint(
                name="access_change_of_one",
                condition=Q(report__isnull=True, notice__isnull=False) | Q(report__isnull=False, notice__isnull=True),
            ),
        ]


class OwnProfile(models.Model):
    """What a person can pass, readable only while the person has a key (`kernel.parties.cipher`)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey(Party, models.CASCADE, related_name="+")
    sealed = models.BinaryField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["party"])]
