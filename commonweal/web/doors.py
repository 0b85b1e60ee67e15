"""What the pages of the house share: the answer after a form that has been carried out."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect

from commonweal.kernel.doors import see_other
from commonweal.kernel.text import Text
from commonweal.web.languages import said


def done(request: HttpRequest, url_name: str, text: Text, *args: object) -> HttpResponseRedirect:
    """303 to a page, which says once what was done."""
    messages.success(request, said(text))
    return see_other(url_name, *args)
