"""Public files by their digest: pictures of campaigns, photographs of trees. What is not public is not known here."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import re_path
from django.views.decorators.http import require_safe

from commonweal.kernel.errors import NotFound
from commonweal.kernel.files import store
from commonweal.kernel.files.models import StoredFile
from commonweal.kernel.text import Text

FOREVER = "public, max-age=31536000, immutable"


@require_safe
def file(request: HttpRequest, digest: str, width: str | None = None) -> HttpResponse:
    """The bytes of a public file; they are what their digest says, for ever. A picture also comes in smaller forms.

    Raises `NotFound` (`file.unknown`).
    """
    found = StoredFile.objects.filter(pk=digest, public=True).first()
    if found is None:
        raise NotFound("file.unknown", Text("There is no such file.", "没有这个文件。"))
    data = store.read_smaller(digest, int(width)) if width else store.read(digest)
    headers = {"Cache-Control": FOREVER, "X-Content-Type-Options": "nosniff"}
    return HttpResponse(data, content_type=found.media_type, headers=headers)


without_language = [
    re_path(r"^files/(?P<digest>[0-9a-f]{64})$", file, name="file"),
    re_path(r"^files/(?P<digest>[0-9a-f]{64})/(?P<width>[0-9]{3})$", file, name="smaller"),
]
