"""How bytes of the log are shown."""

from __future__ import annotations

from django import template

from commonweal.kernel.proof.note import encode

register = template.Library()
register.filter("base64", encode)


@register.filter
def utf8(data: bytes) -> str:
    """Bytes as the text that they are."""
    return data.decode()
