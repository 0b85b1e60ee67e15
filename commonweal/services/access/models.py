"""Tables of access: what people report, what they say about it, and the limits they keep for themselves.

The streets are not here: they are immutable graphs in the data directory (`graph/store.py`).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from commonweal.kernel import clock
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties.models import Party
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


class Change(models.Model):
    """What a report came to, in the order in which every process applies it. Written under a lock, so that the numbers
    become visible in their order."""

    sequence = models.BigAutoField(primary_key=True)
    report = models.ForeignKey(Report, models.PROTECT, related_name="changes")
    standing = models.CharField(max_length=12)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="access_change_standing", condition=Q(standing__in=["doubted", "confirmed", "cleared"])
            )
        ]


class OwnProfile(models.Model):
    """What a person can pass, readable only while the person has a key (`kernel.parties.cipher`)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey(Party, models.CASCADE, related_name="+")
    sealed = models.BinaryField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["party"])]
