"""Who is here: the party behind a request.

A person may give before ever signing up. Such a guest is a party of its own, remembered in the session; whoever signs
up later in the same session keeps it.
"""

from __future__ import annotations

import uuid
from contextlib import suppress

from django.http import HttpRequest

from commonweal.kernel.errors import Unauthenticated
from commonweal.kernel.parties.models import Login, Party
from commonweal.kernel.parties.people import register_person
from commonweal.kernel.text import Text

GUEST = "guest"
"""The key of the guest's party in the session."""


def visitor(request: HttpRequest) -> Party | None:
    """The party behind the request: of the token, of the sign-in, or the guest of this session; None if nobody."""
    by_token = getattr(request, "auth", None)
    if isinstance(by_token, Party):
        return by_token
    return _signed_in(request) or _guest(request)


def signed_in(request: HttpRequest) -> Party:
    """The party of the token or of the sign-in. Raises `Unauthenticated` (`sign-in.needed`); a guest is not enough."""
    by_token = getattr(request, "auth", None)
    party = by_token if isinstance(by_token, Party) else _signed_in(request)
    if party is None:
        raise Unauthenticated("sign-in.needed", Text("Sign in to go on.", "请先登录再继续。"))
    return party


def giver(request: HttpRequest) -> Party:
    """The visitor, or else a guest who is made now and remembered."""
    found = visitor(request)
    if found is None:
        found = register_person()
        request.session[GUEST] = str(found.id)
    return found


def take_guest(request: HttpRequest) -> Party | None:
    """The guest of this session, for a sign-up that is being made now; the guest is no longer remembered then."""
    found = _guest(request)
    request.session.pop(GUEST, None)
    return found


def _signed_in(request: HttpRequest) -> Party | None:
    user = getattr(request, "user", None)
    return user.party if isinstance(user, Login) and user.is_authenticated else None


def _guest(request: HttpRequest) -> Party | None:
    with suppress(ValueError):
        remembered = uuid.UUID(str(request.session.get(GUEST)))
        return Party.objects.filter(pk=remembered, erased_at=None, login=None).first()
    return None
