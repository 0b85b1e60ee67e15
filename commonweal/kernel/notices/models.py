"""The inbox."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from commonweal.kernel import clock
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties.models import Party


class Notice(models.Model):
    """A message to a party. Its text is sealed under the party's key: only they can read it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey(Party, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=60)
    sealed = models.BinaryField()
    created_at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["party", "-created_at"]),
            models.Index(fields=["party"], condition=Q(read_at__isnull=True), name="notices_unread"),
        ]
