"""How allauth signs people in here: its adapter, so that a sign-up keeps what the guest did before."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from commonweal.kernel.parties import session
from commonweal.kernel.parties.models import Login
from commonweal.web import languages


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-up by e-mail; the guest of the session becomes the person."""

    def save_user(self, request: HttpRequest, user: Login, form: Any, commit: bool = True) -> Login:
        """Give the new login its party and its language."""
        guest = session.take_guest(request)
        if guest is not None:
            user.party = guest
        user.language = languages.current()
        saved: Login = super().save_user(request, user, form, commit)
        return saved
