"""What is known of the files; their bytes lie in the data directory under their digest."""

from __future__ import annotations

from django.db import models

from commonweal.kernel import clock


class StoredFile(models.Model):
    """A file by the SHA-256 of its bytes. The same bytes are the same file."""

    digest = models.CharField(primary_key=True, max_length=64)
    media_type = models.CharField(max_length=40)
    size = models.IntegerField()
    width = models.IntegerField(null=True)
    height = models.IntegerField(null=True)
    public = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)
